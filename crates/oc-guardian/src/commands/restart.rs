//! `restart`: a new start, after the service finished its work.

use super::{patience, set_stopped, start};
use crate::backend::embedded::{Embedded, Told};
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
    let backend = Embedded::new(world);
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
    if !backend.supervised() {
        backend.launch()?;
    }
    if before.is_some()
        && let Told::Refused(reason) | Told::Late(reason) = backend.tell(Verb::Restart, before.clone(), &deadline)?
    {
        return Outcome::new("restart", Verdict::Failed, format!("not restarted: {reason}"))
            .processes(before, backend.view().identity)
            .took(deadline.elapsed())
            .answer();
    }
    if before.is_none()
        && let Told::Refused(reason) | Told::Late(reason) = backend.tell(Verb::Start, None, &deadline)?
    {
        return Outcome::new("restart", Verdict::Failed, format!("not started: {reason}"))
            .processes(before, backend.view().identity)
            .took(deadline.elapsed())
            .answer();
    }
    start::finish("restart", &backend, before, args.wait, &deadline)
}
