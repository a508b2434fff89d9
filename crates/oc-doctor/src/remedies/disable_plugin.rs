//! Turns off the one plugin that keeps the service from starting. It stays installed and configured.

use super::{Ask, Proposal, Remedy};
use crate::edit;
use serde_json::json;

pub(super) const REMEDY: Remedy = Remedy {
    name: "disable_plugin",
    heals: &["plugin.broken"],
    does: "turns off the one plugin that the log of the failed start names; kept only when the service serves without it",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let plugin = &ask.finding.subject;
    let key = ["plugins", "entries", plugin, "enabled"].map(str::to_owned);
    let after = edit::set(&ask.scene.document()?.text, &key, &json!(false))?;
    Some(Proposal::Content {
        what: format!("plugin {plugin} turned off"),
        bytes: after.into_bytes(),
        restored: None,
    })
}
