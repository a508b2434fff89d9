//! Is an upgrade under way? Then everything that looks wrong may be just that.

use crate::package::Package;
use crate::past::Past;
use oc_core::identity::{self, Identity};
use std::time::Duration;

/// A package that changed less than this ago is still being installed, or has just been.
const RECENT: Duration = Duration::from_secs(300);

/// Why it looks like an upgrade.
#[must_use]
pub fn look(package: Option<&Package>, past: &Past, service: Option<&Identity>) -> Option<String> {
    if let Some(package) = package
        && let Some(age) = package.changed_ago()
        && age < RECENT
    {
        return Some(format!("{} changed {} s ago", package.dir.display(), age.as_secs()));
    }
    // OpenClaw's own lock belongs to somebody else who is alive: `openclaw doctor` or `update` keep the gateway out.
    let owner = past.lock.as_ref().filter(|owner| owner.alive())?;
    let gateway = service.is_some_and(|service| {
        service == owner
            || identity::descendants(service.pid)
                .iter()
                .any(|child| child.identity == *owner)
    });
    let command = identity::command_line(owner.pid)?;
    if gateway || command.contains("gateway") {
        return None;
    }
    Some(format!("pid {} ({command}) owns the gateway's lifecycle", owner.pid))
}
