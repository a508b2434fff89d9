//! Puts a missing required key back: the value it had, or the only one that makes sense.

use super::{Ask, Proposal, Remedy};
use crate::document::{Document, keys};
use crate::edit;
use serde_json::{Value, json};

pub(super) const REMEDY: Remedy = Remedy {
    name: "required_key",
    heals: &["config.required_key"],
    does: "puts the missing key back, with the value it had in the last good configuration or the only sane one",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let key = &ask.finding.subject;
    let text = &ask.scene.document()?.text;
    let (value, from) = value(ask, key)?;
    let path = keys(key);
    let after = edit::set(text, &path, &value).or_else(|| in_place_of_parent(ask, text, &path, &value))?;
    Some(Proposal::Content {
        what: format!("{key} put back{from}"),
        bytes: after.into_bytes(),
        restored: None,
    })
}

/// `gateway: "x"`: something that is no section stands where the section should be.
fn in_place_of_parent(ask: &Ask<'_>, text: &str, path: &[String], value: &Value) -> Option<String> {
    let document = ask.scene.document()?;
    let depth = (1..path.len()).find(|n| document.get(&path[..*n]).is_some_and(|v| !v.is_object()))?;
    let section = path[depth..]
        .iter()
        .rev()
        .fold(value.clone(), |inner, key| json!({ key: inner }));
    edit::set(text, &path[..depth], &section)
}

fn value(ask: &Ask<'_>, key: &str) -> Option<(Value, String)> {
    // "local" runs the gateway on this machine, and a gateway that we keep alive runs on this machine.
    if ask.scene.openclaw() && key == "gateway.mode" {
        return Some((json!("local"), " as \"local\"".to_owned()));
    }
    ask.candidates.iter().find_map(|candidate| {
        let document = Document::parse(&candidate.bytes, ask.scene.world.config.service.config_type).ok()?;
        let value = document.get(&keys(key))?.clone();
        Some((value, format!(" from {}", candidate.name)))
    })
}
