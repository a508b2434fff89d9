//! `ensure`: puts back what is missing. For cron, independent of everything it guards.

use super::stopped_sentence;
use crate::backend::embedded::{Absence, Embedded};
use crate::outcome::{Outcome, Verdict};
use oc_core::clock::{Deadline, Stamp};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::run::Answer;
use oc_core::world::World;
use std::time::Duration;

/// See the module. 0 all in place, 1 put right, 2 not put right.
///
/// # Errors
/// 75 while a healing is under way; 74, 77 when state cannot be read.
pub fn run(world: &World) -> Result<Answer> {
    let backend = Embedded::new(world);
    if let Some(outcome) = nothing_to_do(world, &backend)? {
        return answer(&outcome);
    }
    let before = backend.view().identity;
    if world.common.dry_run {
        let outcome = Outcome::new(
            "ensure",
            Verdict::Done,
            "would start the supervisor again: it is not running",
        );
        return answer(&outcome.planned().processes(before.clone(), before));
    }
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    // Meanwhile another one may have done it, or a person may have said otherwise.
    if let Some(outcome) = nothing_to_do(world, &backend)? {
        return answer(&outcome);
    }
    let took = Deadline::after(Duration::from_secs(60));
    let outcome = match backend.launch() {
        Ok(()) => {
            let text = "the supervisor was gone; it is started again";
            world.journal.note(&world.event(Kind::Guardian, text));
            Outcome::new("ensure", Verdict::Done, text)
        }
        Err(fault) => {
            let hint = fault.hint.map_or_else(String::new, |h| format!(" ({h})"));
            let text = format!("the supervisor is gone and cannot be put back: {}{hint}", fault.what);
            world.journal.note(&world.event(Kind::Warning, &text));
            Outcome::new("ensure", Verdict::Failed, text)
        }
    };
    answer(&outcome.processes(before, backend.view().identity).took(took.elapsed()))
}

fn nothing_to_do(world: &World, backend: &Embedded<'_>) -> Result<Option<Outcome>> {
    let intent = super::intent(world)?;
    let say = |verdict, reason: String| {
        let process = backend.view().identity;
        Some(Outcome::new("ensure", verdict, reason).processes(process.clone(), process))
    };
    if let Some(supervisor) = backend.frozen() {
        let reason = format!(
            "the supervisor (pid {0}) is stopped by a signal; continue it with `kill -CONT {0}`",
            supervisor.pid
        );
        return Ok(say(Verdict::Failed, reason));
    }
    if backend.supervised() {
        return Ok(say(Verdict::Unchanged, "all in place".to_owned()));
    }
    if let Some(stopped) = &intent.stopped {
        return Ok(say(
            Verdict::Unchanged,
            format!("left alone: {}", stopped_sentence(stopped)),
        ));
    }
    if intent.maintenance_now(&Stamp::now()).is_some() {
        return Ok(say(Verdict::Unchanged, "left alone: maintenance".to_owned()));
    }
    Ok(match backend.absence() {
        Absence::Ended => {
            let reason =
                "left alone: somebody ended the supervisor, and the service with it; `oc-guardian start` starts both";
            say(Verdict::Unchanged, reason.to_owned())
        }
        Absence::NeverThere => {
            let reason =
                "no supervisor was ever started for this instance; start one with `oc-guardian supervise -- COMMAND`";
            say(Verdict::Failed, reason.to_owned())
        }
        Absence::Died => None,
    })
}

fn answer(outcome: &Outcome) -> Result<Answer> {
    let (exit, verdict) = match outcome.outcome {
        Verdict::Unchanged | Verdict::Refused => (Exit::Good, "in_place"),
        Verdict::Done => (Exit::Answer(1), "put_right"),
        Verdict::Failed => (Exit::Answer(2), "not_put_right"),
    };
    outcome.answer_with(exit, verdict)
}
