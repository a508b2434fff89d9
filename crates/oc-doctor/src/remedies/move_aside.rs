//! Moves a directory that stands where the configuration should be out of the way; what is in it is kept.

use super::{Ask, Proposal, Remedy};

pub(super) const REMEDY: Remedy = Remedy {
    name: "move_aside",
    heals: &["config.directory", "config.special", "config.too_large"],
    does: "moves what stands in the configuration's place aside, with everything in it",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    Some(Proposal::Aside {
        path: ask.scene.file.target.clone(),
    })
}
