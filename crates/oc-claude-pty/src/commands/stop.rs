//! `stop`: end the session. It waits for no lock: a person who says stop is not to be queued.

use crate::session::{Record, end_leftover};
use oc_core::Exit;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::{Fault, Result};
use oc_core::run::Answer;
use oc_core::world::World;
use rustix::process::Signal;
use serde_json::json;
use std::time::Duration;

/// Asks the oc-claude-pty that watches over it; ends what a killed one left behind.
///
/// # Errors
/// 77 when it belongs to somebody else, 124 when it does not end.
pub(super) fn run(world: &World, stale: bool) -> Result<Answer> {
    let record = Record::load(world);
    let lives = record.as_ref().is_some_and(|record| record.owner.alive());
    let verdict = match &record {
        None => "none",
        Some(_) if stale && lives => "running",
        Some(_) if world.common.dry_run => "would_stop",
        Some(record) => {
            if lives {
                ask(record)?;
            }
            end_leftover(world);
            "stopped"
        }
    };
    let session = record.map(|record| record.id);
    let body = json!({"session": session, "dry_run": world.common.dry_run});
    Ok(Answer::new("oc.agent-stop/1", Exit::Good, verdict, &body)?.text(format!("{verdict}\n")))
}

fn ask(record: &Record) -> Result<()> {
    let owner = &record.owner;
    owner
        .signal(Signal::TERM)
        .or_else(|e| if e == rustix::io::Errno::SRCH { Ok(()) } else { Err(e) })
        .map_err(|e| Fault::new(Exit::Permission, format_args!("cannot end pid {}: {e}", owner.pid)))?;
    let deadline = Deadline::after(Duration::from_secs(10));
    while owner.alive() {
        if deadline.passed() {
            return Err(Fault::new(
                Exit::Deadline,
                format_args!("oc-claude-pty (pid {}) does not end", owner.pid),
            )
            .hint(format_args!("kill -9 {}, then oc-claude-pty stop again", owner.pid)));
        }
        pause(Duration::from_millis(50));
    }
    Ok(())
}
