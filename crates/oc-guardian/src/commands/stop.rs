//! `stop`: the will first, then the deed. Nothing starts it again until `start`.

use super::{asker, patience, set_stopped};
use crate::backend::Backend;
use crate::backend::embedded::Told;
use crate::cli::Stop;
use crate::outcome::{Outcome, Verdict};
use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::intent::Stopped;
use oc_core::run::Answer;
use oc_core::service::Verb;
use oc_core::world::World;

/// See the module.
///
/// # Errors
/// 74, 77 when the will cannot be written (nothing is stopped then: it would only be started again).
pub fn run(world: &World, args: &Stop) -> Result<Answer> {
    let backend = Backend::of(world);
    let before = backend.view().identity;
    if world.common.dry_run {
        let reason = match &before {
            Some(process) => format!("would stop the service (pid {}) and keep it stopped", process.pid),
            None => "would keep the service stopped".to_owned(),
        };
        return Outcome::new("stop", Verdict::Done, reason)
            .planned()
            .processes(before.clone(), before)
            .answer();
    }
    let deadline = patience(world);
    let by = asker();
    let stopped = Stopped {
        since: Stamp::now(),
        by: by.clone(),
        reason: args.reason.clone(),
    };
    set_stopped(
        world,
        Some(stopped),
        &format!("the service is to stay stopped, says {by}"),
    )?;
    let late = match backend.tell(Verb::Stop, None, &deadline)? {
        Told::Done => None,
        Told::Refused(why) | Told::Late(why) => Some(why),
    };
    let after = backend.view().identity;
    let (outcome, reason) = match (&before, &after) {
        (_, Some(process)) => {
            let why = late.unwrap_or_else(|| "it did not end".to_owned());
            (
                Verdict::Failed,
                format!("the service (pid {}) still runs: {why}", process.pid),
            )
        }
        (Some(process), None) => (
            Verdict::Done,
            format!("the service (pid {}) is stopped and stays so", process.pid),
        ),
        (None, None) => (
            Verdict::Unchanged,
            "the service was not running; it stays stopped".to_owned(),
        ),
    };
    Outcome::new("stop", outcome, reason)
        .processes(before, after)
        .took(deadline.elapsed())
        .answer()
}
