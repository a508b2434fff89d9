//! `explain`: what a finding means.

use crate::explain::{ALL, find};
use crate::remedies;
use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::run::Answer;
use serde_json::json;

/// One finding, or the list of all.
///
/// # Errors
/// 64 for an id that does not exist.
pub(crate) fn run(id: Option<&str>) -> Result<Answer> {
    let Some(id) = id else {
        let ids: Vec<&str> = ALL.iter().map(|e| e.id).collect();
        let text = ids.join("\n") + "\n";
        return Ok(Answer::new("oc.doctor-explain/1", Exit::Good, "list", &json!({ "ids": ids }))?.text(text));
    };
    let entry = find(id).ok_or_else(|| {
        Fault::usage(format_args!("there is no finding {id:?}")).hint("`oc-doctor explain` lists them all")
    })?;
    let remedies: Vec<_> = remedies::ALL.iter().filter(|r| r.heals.contains(&id)).collect();
    let mut text = format!("{id}\n\n{}\n\n", entry.means);
    for remedy in &remedies {
        text.push_str(&format!("fix: {} ({})\n", remedy.does, remedy.name));
    }
    text.push_str(&format!("by hand: {}\n", entry.by_hand));
    let body = json!({"id": id, "means": entry.means, "by_hand": entry.by_hand,
        "remedies": remedies.iter().map(|r| json!({"name": r.name, "does": r.does})).collect::<Vec<_>>()});
    Ok(Answer::new("oc.doctor-explain/1", Exit::Good, "explained", &body)?.text(text))
}
