//! `commit` and `undo`: what becomes of the open repair, by what our own probe says.

use crate::cli::Probed;
use crate::evidence::Evidence;
use crate::generations::{Id, Store};
use crate::repair::show_diff;
use crate::report::Body;
use crate::scene::Scene;
use crate::transaction::{self, Closed, Transaction};
use oc_core::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use std::time::Duration;

/// Keeps the open repair; with a probe report only when it helped.
///
/// # Errors
/// 75 when another healing is under way; 65, 74 or 77.
pub(crate) fn commit(world: &World, probed: &Probed) -> Result<Answer> {
    close(world, probed, Closed::Kept)
}

/// Takes the open repair back; with a probe report only when it did not help.
///
/// # Errors
/// As [`commit`].
pub(crate) fn undo(world: &World, probed: &Probed) -> Result<Answer> {
    close(world, probed, Closed::Undone)
}

fn close(world: &World, probed: &Probed, wanted: Closed) -> Result<Answer> {
    let _lock = super::lock(world)?;
    let Some(open) = Transaction::open(world)? else {
        return Body::default().answer_with(Exit::Good, "nothing_open");
    };
    let mut body = Body {
        generation_before: open.generation_before.clone(),
        generation_after: open.generation_after.clone(),
        dry_run: world.common.dry_run,
        ..Body::default()
    };
    if world.common.dry_run {
        body.actions.push(format!("repair {} closed", open.id));
        return body.answer_with(Exit::Good, "open");
    }
    let (actions, before) = (open.actions.clone(), open.generation_before.clone());
    body.closed = Some(match &probed.probe {
        Some(path) => transaction::close_by_evidence(world, open, Evidence::gather(world, Some(path))?)?,
        None => {
            let why = "a person said so".to_owned();
            let mut evidence = Evidence::gather(world, None)?;
            evidence.ask(world, Duration::from_secs(2));
            let serving = evidence.serving() == Some(true);
            (transaction::close(world, open, wanted, serving, &why)?, why)
        }
    });
    if let Some((Closed::Undone, _)) = body.closed {
        return body.answer_with(Exit::Good, "undone");
    }
    // Who made the repair said so as well, unless they were killed over it.
    body.actions = actions;
    body.diff = before.and_then(|id| changed_since(world, &id));
    body.answer_with(Exit::Good, "kept")
}

fn changed_since(world: &World, generation: &Id) -> Option<String> {
    let store = Store::new(&world.paths);
    let before = store.bytes(store.find(&generation.to_string(), None).ok()?.main_hash()?)?;
    let scene = Scene::look(world, Evidence::default());
    Some(show_diff(&scene.with_bytes(&before), &scene)).filter(|diff| !diff.is_empty())
}
