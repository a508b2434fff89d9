//! The guardian's own schedule, independent of the manager that it guards.

use super::Line;
use oc_core::exit::Exit;
use oc_core::identity;
use oc_core::proc::{Cmd, Ended};
use std::time::Duration;

/// macOS lets `crontab` wait for ever for a permission that nobody is there to give.
const LIMIT: Duration = Duration::from_secs(15);
/// Where cron notes its pid.
const PID_FILES: [&str; 3] = ["/run/crond.pid", "/var/run/crond.pid", "/var/run/cron.pid"];

pub(super) fn check() -> Line {
    let mend = "oc-guardian install";
    let output = match Cmd::new("crontab").args(["-l"]).env("LC_ALL", "C").timeout(LIMIT).run() {
        Ok(output) => output,
        Err(fault) if matches!(fault.exit, Exit::NotFound | Exit::CannotExec) => {
            return Line::warn(
                "cron",
                "there is no cron here: nobody puts an unloaded watchdog back",
                mend,
            );
        }
        Err(fault) => return Line::fault("cron", &fault),
    };
    match output.ended {
        Ended::Deadline => Line::fail(
            "cron",
            "crontab does not answer",
            "give the terminal Full Disk Access (System Settings, Privacy & Security), then: oc-guardian install",
        ),
        _ if !scheduled(&output.stdout_text()) => Line::warn("cron", "no line of the crontab runs oc-guardian", mend),
        _ if alive() == Some(false) => Line::fail(
            "cron",
            "the line is there, and cron does not run",
            "sudo service cron start",
        ),
        _ => Line::ok("cron", "oc-guardian is in the crontab"),
    }
}

fn scheduled(crontab: &str) -> bool {
    crontab
        .lines()
        .any(|line| !line.trim_start().starts_with('#') && line.contains("oc-guardian"))
}

/// `None` where it notes no pid: macOS starts it when there is a crontab.
fn alive() -> Option<bool> {
    let text = PID_FILES.iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    let pid = text.trim().parse().ok()?;
    Some(identity::lookup(pid).is_some())
}

#[cfg(test)]
mod tests {
    use super::scheduled;

    #[test]
    fn a_comment_schedules_nothing() {
        assert!(scheduled(
            "MAILTO=\"\"\n*/3 * * * * /usr/local/bin/oc-guardian ensure\n"
        ));
        assert!(!scheduled("# */3 * * * * /usr/local/bin/oc-guardian ensure\n"));
        assert!(!scheduled(""));
    }
}
