//! Puts missing commas in.

use super::{Ask, Proposal, Remedy};
use crate::text;

pub(super) const REMEDY: Remedy = Remedy {
    name: "commas",
    heals: &["config.syntax"],
    does: "puts missing commas in",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let before = std::str::from_utf8(ask.scene.file.bytes()?).ok()?;
    let after = text::with_commas(before, ask.scene.world.config.service.config_type)?;
    let count = after.len() - before.len();
    Some(Proposal::Content {
        what: format!("{count} missing comma{} put in", if count == 1 { "" } else { "s" }),
        bytes: after.into_bytes(),
        restored: None,
    })
}
