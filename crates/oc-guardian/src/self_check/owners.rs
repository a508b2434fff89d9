//! One service, one starter: two of them end each other's processes for ever.

use super::{Line, Scene};
use oc_core::clock::Deadline;
use oc_core::report::{ManagerKind, ServiceState};
use oc_core::service::launchd::Agent;
use oc_core::service::systemd::Unit;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    let service = &scene.world.config.service;
    let mend = match scene.manager {
        ManagerKind::Launchd => Agent::of(service)
            .other_owner(&Deadline::after(LIMIT))
            .map(|owner| format!("sudo launchctl bootout {owner}")),
        ManagerKind::Systemd => Unit::of(service)
            .owned_by_system(&Deadline::after(LIMIT))
            .then(|| format!("sudo systemctl disable --now {}", service.unit)),
        ManagerKind::Embedded => return None,
    };
    let registered = !matches!(scene.view.state, ServiceState::Unregistered | ServiceState::Unknown);
    Some(match (mend, registered) {
        (None, _) => Line::ok("owners", "nobody else starts the service"),
        (Some(mend), true) => Line::fail("owners", "it is registered twice: two managers start the service", mend),
        (Some(mend), false) => Line::warn(
            "owners",
            "the service is registered elsewhere, not with this manager",
            mend,
        ),
    })
}
