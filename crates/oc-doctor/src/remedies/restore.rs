//! Restores the best sound copy: only when the file itself cannot be mended.

use super::{Ask, Proposal, Remedy};

pub(super) const REMEDY: Remedy = Remedy {
    name: "restore",
    heals: &[
        "config.missing",
        "config.empty",
        "config.binary",
        "config.garbage",
        "config.truncated",
        "config.syntax",
        "config.too_large",
        "config.required_key",
        "config.refused",
        "config.wrong_value",
    ],
    does: "restores the newest sound copy: last-known-good, your snapshots, other generations, OpenClaw's own backups",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let best = ask.candidates.first()?;
    let when = best
        .generation
        .as_ref()
        .map(|g| format!(" of {}", crate::generations::when(&g.at)));
    Some(Proposal::Content {
        what: format!("restored from {}{}", best.name, when.unwrap_or_default()),
        bytes: best.bytes.clone(),
        restored: best.generation.as_ref().map(|g| g.id.clone()),
    })
}
