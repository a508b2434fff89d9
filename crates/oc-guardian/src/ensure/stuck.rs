//! A healing that holds the lock for longer than any may: everything waits for it, so it is ended.

use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::fault::Result;
use oc_core::journal::Kind;
use oc_core::lock;
use oc_core::proc::kill_service_tree;
use oc_core::world::World;
use rustix::process::Signal;
use std::time::Duration;

/// A pass ends itself after 20 min; that and a margin.
const LIMIT: Duration = Duration::from_secs(20 * 60 + 60);
/// Between TERM and KILL: a pass ends what it started first.
const GRACE: Duration = Duration::from_secs(15);

/// Ends the holder of the healing lock when it is too old and proven to be the one who took it; the sentence for people.
///
/// # Errors
/// None now; a lock that cannot be looked at is found out by whoever takes it.
pub fn end_stuck_holder(world: &World) -> Result<Option<String>> {
    let Some(holder) = lock::holder(&world.paths.healing_lock()) else {
        return Ok(None);
    };
    let held = Stamp::now().since(&holder.since);
    let Some(identity) = holder.identity.filter(|identity| held > LIMIT && identity.alive()) else {
        return Ok(None);
    };
    let text = format!(
        "a healing (pid {}, {}) held the lock for {} min and was ended",
        identity.pid,
        holder.command,
        held.as_secs() / 60
    );
    if world.common.dry_run {
        return Ok(Some(text));
    }
    // Stopped by a signal it would not hear a TERM.
    for signal in [Signal::CONT, Signal::TERM] {
        // Gone by itself is as good.
        let _gone = identity.signal(signal);
    }
    let deadline = Deadline::after(GRACE);
    while identity.alive() && !deadline.passed() {
        pause(Duration::from_millis(50));
    }
    if identity.alive() {
        let _gone = kill_service_tree(&identity);
    }
    world.journal.note(&world.event(Kind::Warning, text.clone()));
    Ok(Some(text))
}
