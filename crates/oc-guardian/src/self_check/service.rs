//! The service in the eyes of its manager.

use super::{Line, Scene};
use oc_core::report::{ManagerKind, ServiceState};

pub(super) fn check(scene: &Scene<'_>) -> Line {
    let who = match scene.manager {
        ManagerKind::Launchd => format!("launchd, {}", scene.world.config.service.label),
        ManagerKind::Systemd => format!("systemd, {}", scene.world.config.service.unit),
        ManagerKind::Embedded => "oc-guardian supervise".to_owned(),
    };
    let stopped = scene.world.intent().is_ok_and(|intent| intent.stopped.is_some());
    let line = |what: &str, mend: &str| Line::fail("service", format!("{who}: {what}"), mend);
    match (scene.view.state, &scene.view.identity) {
        (ServiceState::Running, Some(process)) => Line::ok("service", format!("{who}: running, pid {}", process.pid)),
        (ServiceState::Running, None) => Line::ok("service", format!("{who}: running")),
        _ if stopped => Line::skip("service", format!("{who}: stopped on purpose")),
        (ServiceState::Starting | ServiceState::Stopping, _) => {
            Line::warn("service", format!("{who}: on its way"), "oc-guardian status")
        }
        (ServiceState::Stopped | ServiceState::Failed, _) => line("not running", "oc-guardian start"),
        (ServiceState::Unregistered, _) => line("not known to it", "oc-guardian install"),
        (ServiceState::Masked, _) => line(
            "disabled or masked by a person",
            &match scene.manager {
                ManagerKind::Launchd => format!("launchctl enable gui/$(id -u)/{}", scene.world.config.service.label),
                _ => format!("systemctl --user unmask {}", scene.world.config.service.unit),
            },
        ),
        (ServiceState::Unknown, _) => line(
            "it cannot be asked",
            match scene.manager {
                ManagerKind::Launchd => "log in at the screen, then: launchctl print gui/$(id -u)",
                ManagerKind::Systemd => "systemctl --user status",
                ManagerKind::Embedded => "oc-guardian status",
            },
        ),
    }
}
