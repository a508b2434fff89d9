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
    let after = edit::set(text, &keys(key), &value)?;
    Some(Proposal::Content {
        what: format!("{key} put back{from}"),
        bytes: after.into_bytes(),
        restored: None,
    })
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
