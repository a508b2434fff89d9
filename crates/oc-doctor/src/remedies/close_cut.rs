//! Closes a configuration that was cut short after its last complete entry: what is left of it is kept when no copy is.

use super::{Ask, Proposal, Remedy};
use crate::text;

pub(super) const REMEDY: Remedy = Remedy {
    name: "close_cut",
    heals: &["config.truncated"],
    does: "closes the open brackets after the last complete entry",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let before = std::str::from_utf8(ask.scene.file.bytes()?).ok()?;
    let after = text::closed(before, ask.scene.world.config.service.config_type)?;
    Some(Proposal::Content {
        what: "closed after its last complete entry; what followed is lost".to_owned(),
        bytes: after.into_bytes(),
        restored: None,
    })
}
