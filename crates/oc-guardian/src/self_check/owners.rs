//! One service, one starter: two of them end each other's processes for ever.

use super::{Line, Scene};
use oc_core::clock::Deadline;
use oc_core::proc::Cmd;
use oc_core::report::{ManagerKind, ServiceState};
use oc_core::service::launchd::Agent;
use std::time::Duration;

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    let service = &scene.world.config.service;
    let (second, mend) = match scene.manager {
        ManagerKind::Launchd => (
            Agent::of(service).owned_by_system(&Deadline::after(Duration::from_secs(5))),
            format!("sudo launchctl bootout system/{}", service.label),
        ),
        ManagerKind::Systemd => (
            system_unit(&service.unit),
            format!("sudo systemctl disable --now {}", service.unit),
        ),
        ManagerKind::Embedded => return None,
    };
    let registered = !matches!(scene.view.state, ServiceState::Unregistered | ServiceState::Unknown);
    Some(match (second, registered) {
        (false, _) => Line::ok("owners", "nobody else starts the service"),
        (true, true) => Line::fail("owners", "the machine starts the service as well as this user", mend),
        (true, false) => Line::warn("owners", "the service belongs to the machine, not to this user", mend),
    })
}

fn system_unit(unit: &str) -> bool {
    let output = Cmd::new("systemctl")
        .args(["--system", "show", "-p", "LoadState", "--value", unit])
        .timeout(Duration::from_secs(5))
        .run();
    output.is_ok_and(|output| output.stdout_text().trim() == "loaded")
}
