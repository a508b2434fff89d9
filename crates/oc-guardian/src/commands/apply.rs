//! `apply --decision FILE`: carries out what was decided, after looking again whether it still may.

use super::{patience, short_patience, stopped_sentence};
use crate::backend::Backend;
use crate::backend::embedded::{Told, end_orphan};
use crate::cli::Apply;
use crate::outcome::{Outcome, Verdict};
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::identity::{self, Identity};
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::proc::kill_service_tree;
use oc_core::report::{self, Decision, Envelope, Method, ServiceState};
use oc_core::run::Answer;
use oc_core::service::Verb;
use oc_core::world::World;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

/// What holds the port of a dead supervisor has no work left that anybody waits for.
const STALE_GRACE: Duration = Duration::from_secs(10);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// A decision is a few hundred bytes.
const CAP: u64 = 1 << 20;

/// See the module. 0 done, 1 refused, 2 failed.
///
/// # Errors
/// 65 when the file is no decision, or one about another instance; 75 while another healing is under way; 74, 77.
pub fn run(world: &World, args: &Apply) -> Result<Answer> {
    let envelope = read(&args.decision)?;
    if envelope.instance != world.instance() {
        return Err(Fault::data(format_args!(
            "the decision is about instance {:?}, this is {:?}",
            envelope.instance,
            world.instance()
        ))
        .hint("give the same --instance to both"));
    }
    let decision = envelope.body;
    let Some(method) = decision.method else {
        return Err(Fault::data(format_args!(
            "the decision is {}: there is nothing to apply",
            decision.action.name()
        )));
    };
    let backend = Backend::of(world);
    if world.common.dry_run {
        let before = backend.view().identity;
        let outcome = match verdict_before(world, &backend, &decision, method)? {
            Some(outcome) => outcome,
            None => Outcome::new("apply", Verdict::Done, plan(method, before.as_ref())),
        };
        return complete(outcome.planned(), method, before.clone(), before).answer();
    }
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    let deadline = match method {
        Method::Graceful => patience(world),
        _ => short_patience(world),
    };
    let before = backend.view().identity;
    let outcome = match verdict_before(world, &backend, &decision, method)? {
        Some(outcome) => outcome,
        None => act(&backend, &decision, method, before.as_ref(), &deadline)?,
    };
    let outcome = complete(outcome, method, before, backend.view().identity).took(deadline.elapsed());
    world.journal.note(
        &world
            .event(Kind::Outcome, outcome.reason.clone())
            .incident(decision.incident.as_deref())
            .with("method", method)
            .with("outcome", outcome.outcome)
            .with("attempt", decision.attempt)
            .with("before", outcome.before.as_ref().map(|i| i.pid))
            .with("after", outcome.after.as_ref().map(|i| i.pid))
            .with("took_ms", outcome.took_ms),
    );
    outcome.answer()
}

fn read(path: &Path) -> Result<Envelope<Decision>> {
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(CAP)
            .read_to_end(&mut bytes)
            .map_err(|e| Fault::io("read", path, e))?;
        bytes
    } else {
        fsx::read_capped(path, CAP)?
            .ok_or_else(|| Fault::data(format_args!("there is no decision at {}", path.display())))?
    };
    report::parse(&bytes, "decision")
}

/// Whether the world is still the one that was decided about. `None`: go on.
fn verdict_before(
    world: &World,
    backend: &Backend<'_>,
    decision: &Decision,
    method: Method,
) -> Result<Option<Outcome>> {
    let intent = super::intent(world)?;
    let refuse = |reason: String| {
        Ok(Some(Outcome::new(
            "apply",
            Verdict::Refused,
            format!("refused: {reason}"),
        )))
    };
    if let Some(stopped) = &intent.stopped {
        return refuse(stopped_sentence(stopped));
    }
    if intent.maintenance_now(&Stamp::now()).is_some() {
        return refuse("maintenance was declared".to_owned());
    }
    if let Some(obstacle) = backend.obstacle() {
        // Nobody to ask is no reason to leave a process alone that is to be ended; a person's mask is.
        let deaf = || backend.view().state == ServiceState::Unknown;
        return match (method, &decision.identity) {
            (Method::Kill, Some(process)) if process.alive() && own(process) && deaf() => Ok(None),
            _ => refuse(obstacle),
        };
    }
    let current = backend.view().identity;
    match (&decision.identity, &current, method) {
        (Some(stale), now, Method::EndStale) if now.as_ref() == Some(stale) => {
            refuse(format!("pid {} is the service itself, not a stale process", stale.pid))
        }
        (Some(stale), _, Method::EndStale) if !own(stale) => {
            refuse(format!("pid {} belongs to another user", stale.pid))
        }
        (_, _, Method::EndStale) => Ok(None),
        (decided, Some(now), Method::Start | Method::Register)
            if decided.is_none() || decided.as_ref() == Some(now) =>
        {
            let reason = format!("the service runs already, as pid {}", now.pid);
            Ok(Some(Outcome::new("apply", Verdict::Unchanged, reason)))
        }
        (Some(decided), Some(now), _) if decided != now => refuse(format!(
            "the decision was about pid {}, the service is now pid {}, another process",
            decided.pid, now.pid
        )),
        (Some(decided), None, Method::Graceful | Method::Kill) if !decided.alive() => {
            refuse(format!("the decision was about pid {}, which is gone", decided.pid))
        }
        (Some(decided), None, Method::Graceful) => refuse(format!(
            "pid {} runs beside its manager, which can restart only its own process",
            decided.pid
        )),
        (Some(decided), None, Method::Kill) if !own(decided) => {
            refuse(format!("pid {} belongs to another user", decided.pid))
        }
        _ => Ok(None),
    }
}

/// Not another user's.
fn own(process: &Identity) -> bool {
    identity::owner(process.pid).is_none_or(|uid| uid == rustix::process::geteuid().as_raw())
}

fn plan(method: Method, current: Option<&Identity>) -> String {
    match (method, current) {
        (Method::Graceful, Some(process)) => {
            format!(
                "would restart the service (pid {}) after it finished its work",
                process.pid
            )
        }
        (Method::Kill, Some(process)) => {
            format!(
                "would KILL the service (pid {}) with its whole tree, then start it",
                process.pid
            )
        }
        (Method::Kill, None) => "would KILL the service, which its manager does not keep, then start it".to_owned(),
        (Method::EndStale, _) => "would end the stale process that holds the port, then start the service".to_owned(),
        _ => "would start the service".to_owned(),
    }
}

fn act(
    backend: &Backend<'_>,
    decision: &Decision,
    method: Method,
    before: Option<&Identity>,
    deadline: &Deadline,
) -> Result<Outcome> {
    let failed = |reason: String| Ok(Outcome::new("apply", Verdict::Failed, reason));
    if let (Method::EndStale, Some(stale)) = (method, &decision.identity)
        && let Err(fault) = end_orphan(stale, STALE_GRACE)
    {
        return failed(format!("the stale process is still there: {fault}"));
    }
    if let (Method::Kill, None, Some(process)) = (method, before, &decision.identity) {
        if let Err(why) = end_alone(process, deadline) {
            return failed(why);
        }
        if let Some(obstacle) = backend.obstacle() {
            // One that lives and is only out of reach starts the next process by itself: the probe sees whether it does.
            let reason = format!(
                "pid {} was ended; nobody can be asked to start it: {obstacle}",
                process.pid
            );
            return Ok(Outcome::new("apply", Verdict::Done, reason));
        }
    }
    let verb = match (method, before) {
        (Method::Graceful, Some(_)) => Verb::Restart,
        (Method::Kill, Some(_)) => Verb::Kill,
        _ => Verb::Start,
    };
    let told = match backend.tell(verb, before.cloned(), deadline) {
        Ok(told) => told,
        Err(fault) => return failed(fault.to_string()),
    };
    let after = backend.process_soon(deadline);
    Ok(match (told, after) {
        (Told::Refused(reason), _) => Outcome::new("apply", Verdict::Refused, format!("refused: {reason}")),
        (Told::Late(reason), _) => Outcome::new("apply", Verdict::Failed, reason),
        (Told::Done, None) => Outcome::new("apply", Verdict::Failed, "the service did not stay up"),
        (Told::Done, Some(now)) if verb == Verb::Kill && Some(&now) == before => {
            Outcome::new("apply", Verdict::Failed, format!("pid {} is still there", now.pid))
        }
        (Told::Done, Some(now)) => Outcome::new("apply", Verdict::Done, format!("the service runs as pid {}", now.pid)),
    })
}

/// KILL by identity: the manager does not keep this process, or cannot be asked. Fails with why.
fn end_alone(process: &Identity, deadline: &Deadline) -> std::result::Result<(), String> {
    kill_service_tree(process).map_err(|e| format!("pid {} cannot be ended: {e}", process.pid))?;
    let patience = deadline.within(STALE_GRACE);
    while process.alive() {
        if patience.passed() {
            return Err(format!("pid {} is still there after KILL", process.pid));
        }
        pause(LOOK);
    }
    Ok(())
}

fn complete(mut outcome: Outcome, method: Method, before: Option<Identity>, after: Option<Identity>) -> Outcome {
    outcome.method = Some(method);
    outcome.processes(before, after)
}
