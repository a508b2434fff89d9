//! `restart`: a new start, after the service finished its work.

use super::{patience, set_stopped, start};
use crate::backend::Backend;
use crate::backend::embedded::Told;
use crate::cli::Restart;
use crate::outcome::{Outcome, Verdict};
use oc_core::fault::Result;
use oc_core::lock::HealingLock;
use oc_core::run::Answer;
use oc_core::service::Verb;
use oc_core::world::World;

/// See the module.
///
/// # Errors
/// 75 while a healing is under way, 69 when nobody knows how to start it; 74, 77 when state cannot be written.
pub fn run(world: &World, args: &Restart) -> Result<Answer> {
    let backend = Backend::of(world);
    let before = backend.view().identity;
    if world.common.dry_run {
        let reason = match &before {
            Some(process) => format!(
                "would restart the service (pid {}) after it finished its work",
                process.pid
            ),
            None => "would start the service".to_owned(),
        };
        return Outcome::new("restart", Verdict::Done, reason)
            .planned()
            .processes(before.clone(), before)
            .answer();
    }
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    let deadline = patience(world);
    set_stopped(world, None, "the service is wanted again")?;
    let (verb, not_done) = match &before {
        Some(_) => (Verb::Restart, "not restarted"),
        None => (Verb::Start, "not started"),
    };
    if let Told::Refused(reason) | Told::Late(reason) = backend.tell(verb, before.clone(), &deadline)? {
        return Outcome::new("restart", Verdict::Failed, format!("{not_done}: {reason}"))
            .processes(before, backend.view().identity)
            .took(deadline.elapsed())
            .answer();
    }
    start::finish("restart", world, &backend, before, args.wait, &deadline)
}
