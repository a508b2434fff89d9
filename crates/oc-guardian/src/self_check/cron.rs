//! The guardian's own schedule, independent of the manager that it guards.

use super::{Line, Scene};
use crate::crontab::Crontab;
use crate::registration::JobKind;
use oc_core::identity;
use oc_core::report::ManagerKind;

/// Where cron notes its pid.
const PID_FILES: [&str; 3] = ["/run/crond.pid", "/var/run/crond.pid", "/var/run/cron.pid"];

pub(super) fn check(scene: &Scene<'_>) -> Line {
    let Ok(Some(record)) = &scene.record else {
        return Line::skip("cron", "nothing is installed");
    };
    let Some(block) = &record.crontab else {
        return match record.job(JobKind::Guardian) {
            Some(job) => Line::ok("cron", format!("{} runs the guardian instead", job.name)),
            None if scene.manager == ManagerKind::Embedded => Line::skip("cron", "installed without cron"),
            None => Line::warn("cron", "nobody puts an unloaded watchdog back", "oc-guardian install"),
        };
    };
    match Crontab::new(&record.instance, None).present(block) {
        Err(fault) => Line::fault("cron", &fault),
        Ok(false) => Line::fail(
            "cron",
            "our lines are not in the crontab as they were installed",
            "oc-guardian ensure",
        ),
        Ok(true) if alive() == Some(false) => Line::fail("cron", "our lines are there, and cron does not run", start()),
        Ok(true) => Line::ok("cron", "our lines are in the crontab"),
    }
}

fn start() -> &'static str {
    if cfg!(target_os = "macos") {
        "sudo launchctl kickstart system/com.vix.cron"
    } else {
        "sudo service cron start"
    }
}

/// `None` where it notes no pid: macOS starts it when there is a crontab.
fn alive() -> Option<bool> {
    let text = PID_FILES.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    let pid = text.trim().parse().ok()?;
    Some(identity::lookup(pid).is_some())
}
