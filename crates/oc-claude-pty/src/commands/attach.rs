//! `attach`: look on.

use crate::drivers;
use crate::session::Record;
use oc_core::Exit;
use oc_core::config::Driver;
use oc_core::fault::{Fault, Result};
use oc_core::run::Answer;
use oc_core::world::World;

/// Becomes a client of the session's tmux.
///
/// # Errors
/// 69 when no session runs in tmux.
pub(super) fn run(world: &World, control: bool) -> Result<Answer> {
    match Record::load(world) {
        Some(record) if record.driver == Driver::Tmux && record.owner.alive() => {
            Err(drivers::attach(&record.scratch, control))
        }
        Some(record) if record.owner.alive() => {
            Err(
                Fault::new(Exit::Unavailable, "the session has no terminal (driver headless)").hint(format_args!(
                    "its output: {}",
                    drivers::output(&record.scratch).display()
                )),
            )
        }
        _ => Err(Fault::new(Exit::Unavailable, "no session runs")
            .hint("what earlier ones did: oc-report timeline, and transcript.txt in their incident")),
    }
}
