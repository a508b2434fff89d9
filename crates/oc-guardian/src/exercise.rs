//! `self-check --exercise`: goes through everything that healing asks of the service manager, on this machine, with a job that
//! is thrown away afterwards, and compares each answer with what the code expects. What public reports say about launchd gets
//! measured that way where it matters: on the Mac at hand.

mod job;
mod launchd;
mod systemd;
mod transcript;

pub use transcript::{Step, Transcript};

use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::report::ManagerKind;
use oc_core::run::Answer;
use oc_core::service::chosen;
use oc_core::world::World;

/// Goes through it. 0 when everything was as expected, 2 when something was not.
///
/// # Errors
/// 69 when there is nothing to exercise; 74 or 77 when the throw-away job cannot be written; 128+n when told to stop (the job is
/// removed before that).
pub fn run(world: &World) -> Result<Answer> {
    let manager = chosen(world.config.service.manager, &world.paths);
    let mut transcript = Transcript::new(world, manager);
    match manager {
        ManagerKind::Launchd => launchd::run(world, &mut transcript)?,
        ManagerKind::Systemd => systemd::run(world, &mut transcript)?,
        ManagerKind::Embedded => {
            return Err(Fault::new(
                Exit::Unavailable,
                "the embedded supervisor is our own: there is nothing to find out about it",
            )
            .hint("service.manager (or OC_SERVICE_MANAGER) names launchd or systemd"));
        }
    }
    transcript.answer()
}
