//! `upkeep`: looks after the guardian's own entry. Called by the watchdog, now and then, so that each puts the other back.

use crate::ensure::{self, Did};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::json;

/// See the module. 0 in place, 1 put right, 2 not put right.
///
/// # Errors
/// 65, 74 or 77 when what was installed cannot be read.
pub fn run(world: &World) -> Result<Answer> {
    let intent = super::intent(world)?;
    let parts = match intent.stopped {
        Some(_) => Vec::new(),
        None => ensure::own_entry(world)?,
    };
    let any = |did| parts.iter().any(|part| part.did == did);
    let (exit, verdict) = if any(Did::Failed) {
        (Exit::Answer(2), "not_put_right")
    } else if any(Did::PutRight) {
        (Exit::Answer(1), "put_right")
    } else {
        (Exit::Good, "in_place")
    };
    let mut text: String = parts
        .iter()
        .map(|part| format!("{}: {}\n", part.subject, part.text))
        .collect();
    if text.is_empty() {
        text.push_str("all in place\n");
    }
    let body = json!({"parts": parts, "dry_run": world.common.dry_run});
    Ok(Answer::new("oc.guardian.upkeep/1", exit, verdict, &body)?.text(text))
}
