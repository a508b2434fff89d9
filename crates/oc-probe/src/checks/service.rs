//! What does the service manager say? Asked only when something is wrong.

use super::check;
use oc_core::report::{Check, CheckStatus, ManagerKind, ServiceState, ServiceView};

/// The line of the report.
#[must_use]
pub fn line(view: &ServiceView) -> Check {
    let status = match view.state {
        ServiceState::Running => CheckStatus::Ok,
        ServiceState::Starting | ServiceState::Stopping => CheckStatus::Warn,
        ServiceState::Unknown => CheckStatus::Skip,
        _ => CheckStatus::Fail,
    };
    let manager = match view.manager {
        ManagerKind::Launchd => "launchd",
        ManagerKind::Systemd => "systemd",
        ManagerKind::Embedded => "oc-guardian supervise",
    };
    let state = match view.state {
        ServiceState::Running => "running",
        ServiceState::Starting => "starting, or about to",
        ServiceState::Stopping => "stopping",
        ServiceState::Stopped => "stopped, and not wanted",
        ServiceState::Failed => "not running, and not started again by itself",
        ServiceState::Unregistered => "not loaded, or stopped there",
        ServiceState::Masked => "masked or disabled by a person",
        ServiceState::Unknown => "could not be asked",
    };
    let mut actual = format!("{manager}: {state}");
    if let Some(exit) = view.last_exit().filter(|_| view.state != ServiceState::Running) {
        let how = match (exit.status, exit.signal) {
            (Some(status), _) => format!("exit status {status}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "unknown".to_owned(),
        };
        actual.push_str(&format!("; last end: {how} after {:.1} s", exit.ran_ms as f64 / 1000.0));
    }
    check("service", status, "running", actual)
}
