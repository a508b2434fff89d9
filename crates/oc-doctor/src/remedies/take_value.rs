//! Replaces one wrong value: by the one of the last good configuration, or by the one that the rest of our settings
//! implies.

use super::{Ask, Proposal, Remedy};
use crate::document::{Document, keys};
use crate::edit;
use oc_core::http::Target;
use serde_json::{Value, json};

pub(super) const REMEDY: Remedy = Remedy {
    name: "take_value",
    heals: &["config.wrong_value"],
    does: "takes the one wrong value from the last good configuration",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let path = keys(&ask.finding.subject);
    let document = ask.scene.document()?;
    // A value that an included file brings is not in this text.
    let current = document.get(&path)?;
    let taken = ask.candidates.iter().find_map(|candidate| {
        let other = Document::parse(&candidate.bytes, ask.scene.world.config.service.config_type).ok()?;
        let value = other.get(&path).filter(|value| *value != current)?.clone();
        Some((value, format!("taken from {}", candidate.name)))
    });
    let (value, how) = taken.or_else(|| implied(ask))?;
    let after = edit::set(&document.text, &path, &value)?;
    Some(Proposal::Content {
        what: format!("{} {how}", ask.finding.subject),
        bytes: after.into_bytes(),
        restored: None,
    })
}

/// The port is the one we watch: another one would be another service.
fn implied(ask: &Ask<'_>) -> Option<(Value, String)> {
    if ask.scene.openclaw() && ask.finding.subject == "gateway.port" {
        let port = Target::parse(&ask.scene.world.config.probe.url).ok()?.port;
        return Some((json!(port), format!("set to {port}, the port that is watched")));
    }
    None
}
