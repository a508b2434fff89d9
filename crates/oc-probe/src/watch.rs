//! Looking more than once: to confirm what is bad, to wait for what is to become good, to see that it stays so.

use crate::attempt::attempt;
use crate::checks;
use crate::subject::Subject;
use oc_core::class::{Class, Health};
use oc_core::clock::{Deadline, pause};
use oc_core::identity::Identity;
use oc_core::report::{CheckStatus, Report, ServiceState};
use std::time::Duration;

/// How often `--wait` looks: short, since it decides how soon a recovery is seen.
const POLL: Duration = Duration::from_millis(100);
/// `--wait` goes on until then while a start makes progress.
const BOOT: Duration = Duration::from_secs(300);
/// A service that serves, but is degraded without a change for this long, is as good as it gets.
const DEGRADED: Duration = Duration::from_secs(10);
/// Hopeless for this long without a break is hopeless: somebody may just be starting it, or repairing it.
const SURE: Duration = Duration::from_secs(3);
/// A restart in place is seen by its uptime: shorter than before by more than this.
const UPTIME_TOLERANCE_MS: u64 = 2000;

/// How long to go on looking.
#[derive(Debug, Clone)]
pub struct Patience {
    /// Looks before "not good" counts; at least 1.
    pub tries: u32,
    /// Pause between them.
    pub interval: Duration,
    /// Wait for it to become healthy.
    pub wait: Option<Duration>,
    /// It must stay good for this long.
    pub stable: Option<Duration>,
    /// For everything together.
    pub deadline: Option<Duration>,
}

/// Looks as often as it takes; the last report counts.
#[must_use]
pub fn watch(subject: &Subject, patience: &Patience) -> Report {
    let overall = Deadline::after(patience.deadline.unwrap_or(Duration::MAX));
    let report = match patience.wait {
        Some(time) => wait(subject, time, &overall),
        None => confirm(subject, patience, &overall),
    };
    match patience.stable {
        Some(time) if report.health() == Health::Healthy => stay(subject, report, time, patience, &overall),
        _ => report,
    }
}

/// A good look ends it at once; a bad one must be seen several times, unless somebody who knows has said it.
fn confirm(subject: &Subject, patience: &Patience, overall: &Deadline) -> Report {
    let mut report = attempt(subject, overall);
    for _ in 1..patience.tries {
        if !doubtful(&report) || overall.left() <= patience.interval {
            break;
        }
        pause(patience.interval);
        report = attempt(subject, overall);
    }
    report
}

/// True when another look may show something else within seconds.
fn doubtful(report: &Report) -> bool {
    let told = report
        .service
        .as_ref()
        .is_some_and(|view| !matches!(view.state, ServiceState::Running | ServiceState::Unknown));
    match report.class {
        Some(Class::Refused | Class::HttpError | Class::WrongBody | Class::ForeignListener | Class::Inconclusive) => {
            true
        }
        // The manager knows when it ended; a record alone may just be behind.
        Some(Class::ProcessGone) => !told,
        _ => false,
    }
}

/// Until it is healthy; not so long when nobody will start it; longer while a start makes progress.
fn wait(subject: &Subject, time: Duration, overall: &Deadline) -> Report {
    let clock = Deadline::after(BOOT.max(time));
    let mut degraded: Option<(Deadline, Vec<Class>)> = None;
    let mut lost: Option<Deadline> = None;
    loop {
        let limit = overall.within(clock.left());
        let report = attempt(subject, &limit);
        match report.health() {
            Health::Healthy => return report,
            Health::Degraded => match &degraded {
                Some((since, conditions)) if *conditions == report.conditions => {
                    if since.passed() {
                        return report;
                    }
                }
                _ => degraded = Some((Deadline::after(DEGRADED), report.conditions.clone())),
            },
            Health::Down | Health::Unknown => degraded = None,
        }
        // Dead again after every start: what comes up now dies as well.
        if report.class == Some(Class::CrashLoop) {
            return report;
        }
        let late = clock.elapsed() >= time && !progresses(&report);
        lost = hopeless(&report).then(|| lost.unwrap_or_else(|| Deadline::after(SURE)));
        if late || lost.is_some_and(|since| since.passed()) || limit.left() <= POLL {
            return report;
        }
        pause(POLL);
    }
}

/// A live process on its way up.
fn progresses(report: &Report) -> bool {
    report.class == Some(Class::Starting) && report.identity.is_some()
}

/// Dead, and nobody will start it, or starting it does not help.
fn hopeless(report: &Report) -> bool {
    let view = report.service.as_ref();
    match report.class {
        Some(Class::StoppedOnPurpose | Class::Unregistered | Class::StartLimit | Class::Hung) => true,
        // Dead on this configuration: to wait for the manager's next start only delays the next rung.
        Some(Class::ExitConfig | Class::ConfigMissing | Class::ConfigInvalid) if report.identity.is_none() => true,
        Some(Class::ProcessGone) if report.identity.is_none() => view.is_some_and(|view| {
            matches!(
                view.state,
                ServiceState::Failed | ServiceState::Stopped | ServiceState::Unregistered | ServiceState::Masked
            )
        }),
        _ => false,
    }
}

/// It must stay good, as the same process in the same serving epoch.
fn stay(subject: &Subject, first: Report, time: Duration, patience: &Patience, overall: &Deadline) -> Report {
    let clock = Deadline::after(time);
    let step = patience.interval.min(time / 4).max(Duration::from_millis(50));
    let mut report = first.clone();
    while !clock.passed() && !overall.passed() {
        pause(step.min(clock.left()).min(overall.left()));
        report = attempt(subject, overall);
        if report.health() != Health::Healthy {
            return report;
        }
        if let Some(what) = replaced(&first, &report) {
            return not_stable(report, &what, time);
        }
    }
    if !clock.passed() {
        return not_stable(report, "the deadline came first", time);
    }
    report
}

fn replaced(first: &Report, now: &Report) -> Option<String> {
    let pid = |identity: &Option<Identity>| identity.as_ref().map_or("none".to_owned(), |i| i.pid.to_string());
    if first.identity != now.identity {
        return Some(format!(
            "the process changed: pid {} to {}",
            pid(&first.identity),
            pid(&now.identity)
        ));
    }
    match (first.uptime_ms, now.uptime_ms) {
        (Some(before), Some(after)) if after + UPTIME_TOLERANCE_MS < before => {
            Some("it was restarted in place".to_owned())
        }
        _ => None,
    }
}

/// It answers, but not as the one that was to stay: that one is gone.
fn not_stable(mut report: Report, what: &str, time: Duration) -> Report {
    let expected = format!("good for {:.1} s without a break", time.as_secs_f64());
    let mut line = checks::check("stable", CheckStatus::Fail, expected, what);
    line.critical = true;
    report.checks.push(line);
    report.class = Some(Class::ProcessGone);
    report.conditions.push(Class::ProcessGone);
    report.summary = format!("the service did not stay: {what}");
    report
}
