//! Makes an unreadable configuration readable for its owner.

use super::{Ask, Proposal, Remedy};

pub(super) const REMEDY: Remedy = Remedy {
    name: "make_readable",
    heals: &["config.unreadable"],
    does: "gives the owner of the configuration the right to read and write it (mode 600)",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let file = &ask.scene.file;
    let (uid, _) = file.owner?;
    if uid != rustix::process::geteuid().as_raw() {
        return None;
    }
    let before = file.mode?;
    // Only what is missing: the rights of others stay as they are.
    (before & 0o600 != 0o600).then(|| Proposal::Mode {
        path: file.target.clone(),
        before,
        after: before | 0o600,
    })
}
