//! Service managers: one vocabulary ([`ServiceView`]), one file per manager.
//!
//! An enum and a file each, no trait objects: there are three managers and there will not be thirty.

mod control;
pub mod embedded;
pub mod launchd;
pub mod starts;
pub mod systemd;

use crate::config::{self, Manager};
use crate::paths::Paths;
use crate::report::{ManagerKind, ServiceView};

/// What a tool wants a manager to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Have it running; nothing happens when it is.
    Start,
    /// Have it stopped, letting it finish its work.
    Stop,
    /// Replace the process, letting the old one finish its work.
    Restart,
    /// KILL the whole tree, then start it.
    Kill,
}

/// The manager of this platform when nothing is configured: launchd on macOS, systemd where a user manager answers,
/// else our own supervisor. `OC_SERVICE_MANAGER` overrides it on any platform.
#[must_use]
pub fn platform_default() -> ManagerKind {
    if cfg!(target_os = "macos") {
        return ManagerKind::Launchd;
    }
    match systemd::runtime_dir() {
        Some(_) => ManagerKind::Systemd,
        None => ManagerKind::Embedded,
    }
}

/// The manager that the configuration means: the named one; with `auto` our own supervisor where one is (or was) at work
/// for this instance, else the platform's. A user manager that cannot be reached, as after a logout, is still the manager of
/// what was registered there: a supervisor of ours beside it would be a second owner as soon as it is back.
#[must_use]
pub fn chosen(manager: Manager, paths: &Paths) -> ManagerKind {
    match manager {
        Manager::Launchd => ManagerKind::Launchd,
        Manager::Systemd => ManagerKind::Systemd,
        Manager::Embedded => ManagerKind::Embedded,
        Manager::Auto if paths.supervise_recipe().exists() => ManagerKind::Embedded,
        Manager::Auto => match platform_default() {
            ManagerKind::Embedded if registered_at_systemd(paths) => ManagerKind::Systemd,
            platform => platform,
        },
    }
}

fn registered_at_systemd(paths: &Paths) -> bool {
    #[derive(serde::Deserialize)]
    struct Registration {
        jobs: Vec<Job>,
    }
    #[derive(serde::Deserialize)]
    struct Job {
        manager: ManagerKind,
    }
    let bytes = crate::fsx::read_capped(&paths.registration(), 16 << 20).ok().flatten();
    let record = bytes.and_then(|bytes| serde_json::from_slice::<Registration>(&bytes).ok());
    record.is_some_and(|record| record.jobs.iter().any(|job| job.manager == ManagerKind::Systemd))
}

/// What the manager says about the instance's service. Never on the path of a healthy pass.
#[must_use]
pub fn view(manager: ManagerKind, service: &config::Service, paths: &Paths) -> ServiceView {
    let mut view = match manager {
        ManagerKind::Embedded => return embedded::Dir::new(paths.supervise()).view(),
        ManagerKind::Launchd => launchd::view(service),
        ManagerKind::Systemd => systemd::view(service),
    };
    starts::add(&mut view, paths);
    view
}
