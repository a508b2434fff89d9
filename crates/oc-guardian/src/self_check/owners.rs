//! One service, one starter: two of them end each other's processes for ever.

use super::{Line, Scene};
use oc_core::clock::Deadline;
use oc_core::proc::Cmd;
use oc_core::report::{ManagerKind, ServiceState};
use oc_core::service::launchd::Agent;
use std::time::Duration;

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    let service = &scene.world.config.service;
    let mend = match scene.manager {
        ManagerKind::Launchd => Agent::of(service)
            .other_owner(&Deadline::after(Duration::from_secs(10)))
            .map(|owner| format!("sudo launchctl bootout {owner}")),
        ManagerKind::Systemd => {
            system_unit(&service.unit).then(|| format!("sudo systemctl disable --now {}", service.unit))
        }
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

fn system_unit(unit: &str) -> bool {
    let output = Cmd::new("systemctl")
        .args(["--system", "show", "-p", "LoadState", "--value", unit])
        .timeout(Duration::from_secs(5))
        .run();
    output.is_ok_and(|output| output.stdout_text().trim() == "loaded")
}
