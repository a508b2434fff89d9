//! `start`: have the service running; clears a deliberate stop.

use super::{patience, set_stopped};
use crate::backend::Backend;
use crate::backend::embedded::Told;
use crate::cli::Start;
use crate::outcome::{Outcome, Verdict};
use oc_core::clock::Deadline;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::service::Verb;
use oc_core::world::World;

/// See the module.
///
/// # Errors
/// 69 when nobody knows how to start it; 74, 77 when state cannot be written.
pub fn run(world: &World, args: &Start) -> Result<Answer> {
    let backend = Backend::of(world);
    let before = backend.view().identity;
    if world.common.dry_run {
        let (outcome, reason) = match (&before, &backend) {
            (_, Backend::Embedded(embedded)) if !embedded.supervised() => (
                Verdict::Done,
                "would start the supervisor, and with it the service".to_owned(),
            ),
            (Some(process), _) => (Verdict::Unchanged, format!("the service runs as pid {}", process.pid)),
            (None, _) => (Verdict::Done, "would start the service".to_owned()),
        };
        return Outcome::new("start", outcome, reason)
            .planned()
            .processes(before.clone(), before)
            .answer();
    }
    let deadline = patience(world);
    set_stopped(world, None, "the service is wanted again")?;
    if let Told::Refused(reason) | Told::Late(reason) = backend.tell(Verb::Start, None, &deadline)? {
        return Outcome::new("start", Verdict::Failed, format!("not started: {reason}"))
            .processes(before, backend.view().identity)
            .took(deadline.elapsed())
            .answer();
    }
    finish("start", world, &backend, before, args.wait, &deadline)
}

/// Looks at what came of it; with `wait`, when it is ready.
pub(super) fn finish(
    command: &'static str,
    world: &World,
    backend: &Backend<'_>,
    before: Option<oc_core::identity::Identity>,
    wait: bool,
    deadline: &Deadline,
) -> Result<Answer> {
    let ready = !wait || backend.wait_ready(world, deadline);
    let after = backend.process_soon(deadline);
    let (outcome, reason) = match &after {
        None => (
            Verdict::Failed,
            "the service is not running; see `oc-guardian status`".to_owned(),
        ),
        Some(process) if !ready => (
            Verdict::Failed,
            format!("the service runs as pid {} and is not ready", process.pid),
        ),
        Some(process) if command == "start" && Some(process) == before.as_ref() => (
            Verdict::Unchanged,
            format!("the service runs already, as pid {}", process.pid),
        ),
        Some(process) => (Verdict::Done, format!("the service runs as pid {}", process.pid)),
    };
    Outcome::new(command, outcome, reason)
        .processes(before, after)
        .took(deadline.elapsed())
        .answer()
}
