//! Cuts what stands before or after an intact configuration.

use super::{Ask, Proposal, Remedy};
use crate::text;

pub(super) const REMEDY: Remedy = Remedy {
    name: "cut_garbage",
    heals: &["config.garbage"],
    does: "cuts what stands before or after the configuration (a log line, a second closing bracket)",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let service = &ask.scene.world.config.service;
    let before = std::str::from_utf8(ask.scene.file.bytes()?).ok()?;
    let root = text::root_within(before, service.config_type, &service.required_keys)?;
    let mut after = before.get(root.clone())?.to_owned();
    // The line end that every editor expects was behind the garbage.
    if before.ends_with('\n') && !after.ends_with('\n') {
        after.push('\n');
    }
    let (head, tail) = (root.start, before.len() - root.end);
    Some(Proposal::Content {
        what: format!("{head} bytes before and {tail} bytes after the configuration cut off"),
        bytes: after.into_bytes(),
        restored: None,
    })
}
