//! The embedded supervisor: put back when it died.

use super::{Did, Part, told};
use crate::backend::embedded::{Absence, Embedded};
use oc_core::fault::Result;
use oc_core::world::World;

const SUBJECT: &str = "supervisor";

pub(super) fn look(world: &World) -> Result<Option<Part>> {
    let backend = Embedded::new(world);
    let part = |did, text: String| Ok(Some(Part::new(SUBJECT, did, text)));
    if let Some(supervisor) = backend.frozen() {
        let text = format!(
            "the supervisor (pid {0}) is stopped by a signal; continue it with `kill -CONT {0}`",
            supervisor.pid
        );
        return part(Did::Failed, text);
    }
    if backend.supervised() {
        return Ok(None);
    }
    match backend.absence() {
        Absence::Ended => {
            let text = "somebody ended the supervisor, and the service with it; `oc-guardian start` starts both";
            part(Did::Left, text.to_owned())
        }
        Absence::NeverThere => {
            let text =
                "no supervisor was ever started for this instance; start one with `oc-guardian supervise -- COMMAND`";
            part(Did::Failed, text.to_owned())
        }
        Absence::Died if world.common.dry_run => part(
            Did::PutRight,
            "the supervisor is not running; would be started again".to_owned(),
        ),
        Absence::Died => match backend.launch() {
            Ok(()) => part(Did::PutRight, "the supervisor was gone; it is started again".to_owned()),
            Err(fault) => part(
                Did::Failed,
                format!("the supervisor is gone and cannot be put back: {}", told(&fault)),
            ),
        },
    }
}
