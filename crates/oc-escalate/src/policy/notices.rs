//! What a person is told although nothing is done: each thing once, then again while it goes on.

use super::{Case, Context, classes};
use crate::history::History;
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::config::Policy;
use oc_core::report::Report;
use serde::Serialize;
use std::time::Duration;

/// Key of the notice that a person unloaded the service.
pub const UNLOADED: &str = "unloaded_by_person";
const FLAPPING: &str = "flapping";
const STOPPED: &str = "stopped";
const IN_MAINTENANCE: &str = "in_maintenance";
const MEMORY_WARNING: &str = "memory_warning";

/// How urgent a notice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Needs a person.
    Critical,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it is about; the same thing has the same key.
    pub key: &'static str,
    /// How urgent.
    pub severity: Severity,
    /// One or two sentences.
    pub text: String,
}

/// What is to be told now; `settle` also returns the events that remember it as told.
#[must_use]
pub fn notices(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>) -> Vec<Notice> {
    collect(&Case {
        policy,
        history,
        report,
        ctx,
    })
}

/// True when a healthy service leaves something to tell; cheap, for every pass asks it.
pub(super) fn due(case: &Case<'_>) -> bool {
    let warn = case.ctx.memory.warn_bytes;
    let quiet = case.history.flaps.is_empty() && case.report.rss_bytes.is_none_or(|rss| rss < warn);
    !quiet && !collect(case).is_empty()
}

fn collect(case: &Case<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(stopped) = case.ctx.stopped {
        remind(
            case,
            &mut notices,
            STOPPED,
            &stopped.since,
            format!(
                "It is still stopped on purpose ({}). Start it with `oc-guardian start`.",
                stopped.reason
            ),
        );
        return notices;
    }
    if let Some(maintenance) = case.ctx.maintenance
        && super::gates::maintenance_left(case).is_some()
    {
        remind(
            case,
            &mut notices,
            IN_MAINTENANCE,
            &maintenance.since,
            format!(
                "Maintenance still goes on ({}). End it with `oc-escalate maintenance off`.",
                maintenance.reason
            ),
        );
        return notices;
    }
    flapping(case, &mut notices);
    memory(case, &mut notices);
    for condition in &case.history.conditions {
        if let Some((after, severity)) = patience(case, condition.class)
            && case.age(condition.class) >= after
        {
            let text = format!("{} ({}).", case.report.summary, condition.class);
            tell(case, &mut notices, condition.class.name(), severity, text);
        }
    }
    if case.history.unloaded_by_person.is_some() {
        let text = "The service was taken out of its manager again right after we had put it back. It is left alone; \
                    start it with `oc-guardian start`."
            .to_owned();
        tell(case, &mut notices, UNLOADED, Severity::Warning, text);
    }
    notices
}

/// How long a condition may last before a person is told; `None` for those that the ladder tells about.
fn patience(case: &Case<'_>, class: Class) -> Option<(Duration, Severity)> {
    let warn = &case.policy.warn;
    let hold = &case.policy.hold;
    let span = match class {
        Class::Upgrading => hold.upgrading,
        Class::Inconclusive => warn.inconclusive,
        Class::Starting => warn.starting,
        Class::NotReady => warn.not_ready,
        Class::SafeMode => warn.safe_mode,
        Class::Slow => warn.slow,
        Class::DeepFailed => warn.deep_failed,
        Class::ConfigMissing | Class::ConfigInvalid | Class::NewerConfig if case.report.serving() => warn.config,
        Class::MemoryHigh | Class::MemoryLeak => return Some((Duration::ZERO, Severity::Warning)),
        class if classes::needs_human(class) => return Some((Duration::ZERO, Severity::Critical)),
        _ => return None,
    };
    Some((span.get(), Severity::Warning))
}

fn flapping(case: &Case<'_>, notices: &mut Vec<Notice>) {
    let policy = &case.policy.flapping;
    let recent = |at: &&Stamp| case.ctx.now.since(at) < policy.window.get();
    let count = case.history.flaps.iter().filter(recent).count();
    let enough = usize::try_from(policy.count.max(1)).unwrap_or(usize::MAX);
    if count < enough || told_within(case, FLAPPING, policy.repeat.get()) {
        return;
    }
    notices.push(Notice {
        key: FLAPPING,
        severity: Severity::Warning,
        text: format!(
            "It failed {count} times within {}. Each time it came back, but the cause is not gone.",
            policy.window
        ),
    });
}

fn memory(case: &Case<'_>, notices: &mut Vec<Notice>) {
    let limits = &case.ctx.memory;
    let Some(rss) = case.report.rss_bytes.filter(|rss| *rss >= limits.warn_bytes) else {
        return;
    };
    if case.report.has(Class::MemoryHigh) {
        return;
    }
    let mib = |bytes: u64| bytes / (1024 * 1024);
    let text = format!(
        "It uses {} MiB of memory; at {} MiB it is restarted.",
        mib(rss),
        mib(limits.limit_bytes)
    );
    tell(case, notices, MEMORY_WARNING, Severity::Warning, text);
}

fn tell(case: &Case<'_>, notices: &mut Vec<Notice>, key: &'static str, severity: Severity, text: String) {
    if !told_within(case, key, case.policy.warn.repeat.get()) {
        notices.push(Notice { key, severity, text });
    }
}

/// A person's own doing is not news to them at once, only when it is forgotten.
fn remind(case: &Case<'_>, notices: &mut Vec<Notice>, key: &'static str, since: &Stamp, text: String) {
    let repeat = case.policy.warn.repeat.get();
    if case.ctx.now.since(since) >= repeat && !told_within(case, key, repeat) {
        notices.push(Notice {
            key,
            severity: Severity::Info,
            text,
        });
    }
}

fn told_within(case: &Case<'_>, key: &str, span: Duration) -> bool {
    let told = case.history.told.get(key);
    told.is_some_and(|at| case.ctx.now.since(at) < span)
}
