//! The report for a person: one line that says it all, then the checks, lined up.

use crate::checks::mib;
use crate::subject::Subject;
use oc_core::class::Health;
use oc_core::report::{CheckStatus, Report};
use std::fmt::Write as _;
use std::time::Duration;

const RESET: &str = "\x1b[0m";

/// The whole text.
#[must_use]
pub fn render(subject: &Subject, report: &Report, colour: bool) -> String {
    let mut text = String::new();
    let paint = |code: &'static str, word: &str| {
        if colour {
            format!("{code}{word}{RESET}")
        } else {
            word.to_owned()
        }
    };
    let health = report.health();
    let verdict = paint(health_colour(health), health.name());
    let class = report.class.map_or(String::new(), |class| format!(" ({class})"));
    let _written = writeln!(text, "{verdict}{class}: {}", report.summary);
    let _written = writeln!(text, "{}", facts(subject, report));
    let width = report
        .checks
        .iter()
        .map(|check| check.name.chars().count())
        .max()
        .unwrap_or(0);
    for check in &report.checks {
        let (code, mark) = mark(check.status);
        let pad = " ".repeat(width.saturating_sub(check.name.chars().count()));
        let mark = paint(code, mark);
        let _written = write!(text, "  {mark}  {}{pad}  {}", check.name, check.actual);
        if matches!(check.status, CheckStatus::Fail | CheckStatus::Warn) {
            let _written = write!(text, "  [expected: {}]", check.expected);
        }
        text.push('\n');
    }
    text
}

/// One line for one of many instances.
#[must_use]
pub fn line(name: &str, width: usize, report: &Report, colour: bool) -> String {
    let health = report.health();
    let word = format!("{:<8}", health.name());
    let word = if colour {
        format!("{}{word}{RESET}", health_colour(health))
    } else {
        word
    };
    format!("{name:<width$}  {word}  {}\n", report.summary)
}

fn facts(subject: &Subject, report: &Report) -> String {
    let mut facts = vec![subject.name().to_owned(), report.target.clone()];
    facts.extend(report.identity.as_ref().map(|identity| format!("pid {}", identity.pid)));
    facts.extend(report.uptime_ms.map(|ms| {
        let seconds = Duration::from_secs(ms / 1000);
        format!("up {}", oc_core::config::Span::from(seconds))
    }));
    facts.extend(report.rss_bytes.map(mib));
    facts.extend(report.latency_ms.map(|ms| format!("{ms} ms")));
    facts.join("  ")
}

fn mark(status: CheckStatus) -> (&'static str, &'static str) {
    match status {
        CheckStatus::Ok => ("\x1b[32m", "ok  "),
        CheckStatus::Warn => ("\x1b[33m", "warn"),
        CheckStatus::Fail => ("\x1b[31m", "FAIL"),
        CheckStatus::Skip => ("\x1b[2m", "-   "),
    }
}

fn health_colour(health: Health) -> &'static str {
    match health {
        Health::Healthy => "\x1b[32m",
        Health::Degraded => "\x1b[33m",
        Health::Down => "\x1b[31m",
        Health::Unknown => "\x1b[35m",
    }
}
