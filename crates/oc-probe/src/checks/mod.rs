//! What is looked at, one file a check. A check observes and describes; what it means is [`crate::classify`]'s business.

pub mod config;
pub mod database;
pub mod deep;
pub mod disk;
pub mod liveness;
pub mod memory;
pub mod port;
pub mod process;
pub mod readiness;
pub mod service;
pub mod upgrade;

use oc_core::clock::Deadline;
use oc_core::http::{self, Failure, Limits, Response, Target};
use oc_core::report::{Check, CheckStatus};
use std::time::Duration;

/// A line of the report, but for the time it took.
#[must_use]
pub fn check(name: &str, status: CheckStatus, expected: impl Into<String>, actual: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        status,
        critical: matches!(name, "process" | "liveness"),
        expected: expected.into(),
        actual: actual.into(),
        took_ms: 0,
    }
}

/// Does something and says how long it took.
pub fn timed<T>(look: impl FnOnce() -> T) -> (T, u64) {
    let clock = Deadline::after(Duration::MAX);
    let seen = look();
    (seen, millis(clock.elapsed()))
}

/// Whole milliseconds.
#[must_use]
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Asks the service itself. Plain HTTP without any set-up; https through the heavier client.
///
/// # Errors
/// How far the exchange got. Its overshoot covers the whole exchange, connecting included.
pub fn ask(target: &Target, path: &str, limits: Limits) -> Result<Response, Failure> {
    let answer = if target.tls {
        http::remote::request("GET", &target.url(path), &[], None, limits)
    } else {
        http::get(target, &format!("{}{path}", target.base), limits)
    };
    answer.map_err(|failure| Failure {
        overshoot: failure.overshoot.max(failure.took.saturating_sub(limits.total)),
        ..failure
    })
}

/// `512.3 MiB`
#[must_use]
pub fn mib(bytes: u64) -> String {
    format!("{:.0} MiB", bytes as f64 / f64::from(1 << 20))
}
