//! What both exercises do with their throw-away job.

use oc_core::clock::{Deadline, pause};
use oc_core::config::{Kind, Span};
use oc_core::fsx;
use oc_core::proc::Cmd;
use oc_core::report::ServiceView;
use oc_core::world::World;
use std::sync::Arc;
use std::time::Duration;

/// Of each step.
pub(super) const LIMIT: Duration = Duration::from_secs(60);
/// One call of launchctl or systemctl.
pub(super) const CALL: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// Where the job, which is still to be named, is the service.
pub(super) fn world(world: &World) -> World {
    let mut world = world.clone();
    // A missing definition must not be asked of openclaw, and a drain is over soon.
    let service = &mut Arc::make_mut(&mut world.config).service;
    service.kind = Kind::Generic;
    service.stop_timeout = Span::secs(10);
    world
}

/// Looks until there is something, this long at most.
pub(super) fn until<T>(limit: Duration, look: impl Fn() -> Option<T>) -> Option<T> {
    let deadline = Deadline::after(limit);
    loop {
        let seen = look();
        if seen.is_some() || deadline.passed() {
            return seen;
        }
        pause(LOOK);
    }
}

/// A command of the removal. Not through the usual runner: that gives up at once when we were told to stop, which may be why we
/// are here.
pub(super) fn remove(cmd: &mut Cmd) {
    let child = fsx::open_append("/dev/null".as_ref()).and_then(|null| cmd.spawn_logged(&null));
    let deadline = Deadline::after(CALL);
    if let Ok(mut child) = child {
        while matches!(child.try_wait(), Ok(None)) && !deadline.passed() {
            pause(Duration::from_millis(10));
        }
    }
}

pub(super) fn words(view: &ServiceView) -> String {
    let state = format!("{:?}", view.state).to_lowercase();
    match &view.identity {
        Some(process) => format!("{state}, pid {}", process.pid),
        None => state,
    }
}
