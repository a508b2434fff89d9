//! Time as a value. The only place that reads a clock; tests set it with `OC_NOW` (RFC 3339) and `OC_NOW_BOOT_MS`.
//!
//! A [`Stamp`] carries both the wall clock and the boot clock, so that a wall clock stepped by two hours or a year
//! neither skips a backoff nor makes it eternal: within one boot only the boot clock counts.

use crate::exit::Exit;
use crate::fault::Fault;
use jiff::Timestamp;
use rustix::time::ClockId;
use serde::{Deserialize, Serialize};
use std::sync::OnceLock;
use std::time::Duration;

/// An instant that survives process ends, clock steps, suspends and reboots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Wall clock, milliseconds since 1970. For people and for comparison across boots.
    pub wall_ms: i64,
    /// Milliseconds since boot, suspend included.
    pub boot_ms: u64,
    /// Milliseconds since boot, suspend excluded. `boot_ms - awake_ms` grows while the machine sleeps.
    pub awake_ms: u64,
    /// Which boot the two counters above belong to.
    pub boot: String,
}

impl Stamp {
    /// The present.
    #[must_use]
    pub fn now() -> Self {
        let (wall_ms, fixed) = wall_now();
        let boot_ms = match fixed_boot_ms() {
            Some(ms) => ms,
            // A test that fixes only the wall clock still gets a boot clock that moves with it.
            None if fixed => u64::try_from(wall_ms).unwrap_or(0),
            None => millis(boot_clock()),
        };
        let awake_ms = if fixed || fixed_boot_ms().is_some() {
            boot_ms
        } else {
            millis(awake_clock())
        };
        Self {
            wall_ms,
            boot_ms,
            awake_ms,
            boot: boot_id().to_owned(),
        }
    }

    /// Time from `earlier` to `self`. Never negative; within one boot immune to steps of the wall clock.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Duration {
        let ms = if self.boot == earlier.boot {
            self.boot_ms.saturating_sub(earlier.boot_ms)
        } else {
            u64::try_from(self.wall_ms.saturating_sub(earlier.wall_ms)).unwrap_or(0)
        };
        Duration::from_millis(ms)
    }

    /// How long the machine slept between `earlier` and `self` (zero across boots).
    #[must_use]
    pub fn slept_since(&self, earlier: &Self) -> Duration {
        if self.boot != earlier.boot {
            return Duration::ZERO;
        }
        let boot = self.boot_ms.saturating_sub(earlier.boot_ms);
        let awake = self.awake_ms.saturating_sub(earlier.awake_ms);
        Duration::from_millis(boot.saturating_sub(awake))
    }

    /// `self` moved by `by` on every clock; for "next allowed at" and for simulations.
    #[must_use]
    pub fn plus(&self, by: Duration) -> Self {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        Self {
            wall_ms: self.wall_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)),
            boot_ms: self.boot_ms.saturating_add(ms),
            awake_ms: self.awake_ms.saturating_add(ms),
            boot: self.boot.clone(),
        }
    }

    /// RFC 3339 with milliseconds, UTC: the `at` of every report.
    #[must_use]
    pub fn rfc3339(&self) -> String {
        rfc3339(self.wall_ms)
    }
}

/// RFC 3339 with milliseconds, UTC, of a wall clock in milliseconds since 1970.
#[must_use]
pub fn rfc3339(wall_ms: i64) -> String {
    match Timestamp::from_millisecond(wall_ms) {
        Ok(at) => format!("{at:.3}"),
        Err(_) => "9999-12-31T23:59:59.999Z".to_owned(),
    }
}

/// Parses RFC 3339 into milliseconds since 1970.
///
/// # Errors
/// 65 when the text is no RFC 3339 time.
pub fn parse_rfc3339(text: &str) -> Result<i64, Fault> {
    text.parse::<Timestamp>()
        .map(Timestamp::as_millisecond)
        .map_err(|e| Fault::new(Exit::Data, format_args!("{text:?} is not an RFC 3339 time: {e}")))
}

/// A point on the monotonic clock after which a wait must end.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    started: Duration,
    limit: Duration,
}

impl Deadline {
    /// Ends `limit` from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self {
            started: awake_clock(),
            limit,
        }
    }

    /// Time left; zero when passed.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.limit.saturating_sub(self.elapsed())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        awake_clock().saturating_sub(self.started)
    }

    /// True once nothing is left.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.left().is_zero()
    }

    /// The earlier of this deadline and `limit` from now.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self::after(limit.min(self.left()))
    }
}

/// Sleeps for `time` (at most an hour) and returns by how much the sleep was overshot: our own scheduling delay.
pub fn pause(time: Duration) -> Duration {
    let time = time.min(Duration::from_secs(3600));
    let from = awake_clock();
    #[expect(clippy::disallowed_methods, reason = "the one place that sleeps")]
    std::thread::sleep(time);
    awake_clock().saturating_sub(from).saturating_sub(time)
}

/// Monotonic time since boot without suspend.
#[must_use]
#[cfg(not(target_os = "macos"))]
pub fn awake_clock() -> Duration {
    read(ClockId::Monotonic)
}

/// Monotonic time since boot without suspend. Not `CLOCK_MONOTONIC`, which goes on while a Mac sleeps; rustix does not
/// name the other one.
#[must_use]
#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "rustix has no CLOCK_UPTIME_RAW")]
pub fn awake_clock() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a timespec of ours that the call may write; it keeps no pointer to it.
    let _always_supported = unsafe { libc::clock_gettime(libc::CLOCK_UPTIME_RAW, &raw mut t) };
    duration(t.tv_sec, t.tv_nsec)
}

/// Monotonic time since boot, suspend included. Allocates nothing: usable between fork and exec.
#[must_use]
pub fn boot_clock() -> Duration {
    // macOS: CLOCK_MONOTONIC goes on while the machine sleeps; Linux calls that clock BOOTTIME.
    #[cfg(target_os = "macos")]
    let id = ClockId::Monotonic;
    #[cfg(not(target_os = "macos"))]
    let id = ClockId::Boottime;
    read(id)
}

fn read(id: ClockId) -> Duration {
    let t = rustix::time::clock_gettime(id);
    duration(t.tv_sec, t.tv_nsec)
}

fn duration(sec: i64, nsec: i64) -> Duration {
    Duration::new(u64::try_from(sec).unwrap_or(0), u32::try_from(nsec).unwrap_or(0))
}

/// How long ago a file was last written; `None` when there is none, or its time lies in the future.
#[must_use]
pub fn file_age(path: &std::path::Path) -> Option<Duration> {
    let modified = std::fs::metadata(path).ok()?.modified().ok()?;
    #[expect(clippy::disallowed_methods, reason = "the clock that file systems go by")]
    let now = std::time::SystemTime::now();
    now.duration_since(modified).ok()
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

fn wall_now() -> (i64, bool) {
    static FIXED: OnceLock<Option<i64>> = OnceLock::new();
    let fixed = *FIXED.get_or_init(|| std::env::var("OC_NOW").ok().and_then(|t| parse_rfc3339(&t).ok()));
    match fixed {
        Some(ms) => (ms, true),
        None => {
            let t = rustix::time::clock_gettime(ClockId::Realtime);
            (
                t.tv_sec.saturating_mul(1000).saturating_add(t.tv_nsec / 1_000_000),
                false,
            )
        }
    }
}

fn fixed_boot_ms() -> Option<u64> {
    static FIXED: OnceLock<Option<u64>> = OnceLock::new();
    *FIXED.get_or_init(|| std::env::var("OC_NOW_BOOT_MS").ok().and_then(|t| t.parse().ok()))
}

/// Names this boot: a process identity or a counter since boot means nothing without it.
#[must_use]
pub fn boot_id() -> &'static str {
    static BOOT: OnceLock<String> = OnceLock::new();
    BOOT.get_or_init(|| crate::identity::read_boot_id().unwrap_or_else(|| "unknown".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(wall_ms: i64, boot_ms: u64, awake_ms: u64, boot: &str) -> Stamp {
        Stamp {
            wall_ms,
            boot_ms,
            awake_ms,
            boot: boot.to_owned(),
        }
    }

    #[test]
    fn a_stepped_wall_clock_changes_no_duration() {
        let a = stamp(1_000_000, 5_000, 5_000, "b");
        let back = stamp(1_000_000 - 7_200_000, 15_000, 15_000, "b");
        let year = stamp(1_000_000 + 31_536_000_000, 15_000, 15_000, "b");
        assert_eq!(back.since(&a), Duration::from_secs(10));
        assert_eq!(year.since(&a), Duration::from_secs(10));
    }

    #[test]
    fn across_a_reboot_the_wall_clock_counts_and_never_goes_negative() {
        let a = stamp(1_000_000, 5_000, 5_000, "b");
        assert_eq!(stamp(1_060_000, 10, 10, "c").since(&a), Duration::from_secs(60));
        assert_eq!(stamp(940_000, 10, 10, "c").since(&a), Duration::ZERO);
    }

    #[test]
    fn sleep_is_the_difference_of_the_two_counters() {
        let a = stamp(0, 1_000, 1_000, "b");
        assert_eq!(stamp(0, 101_000, 2_000, "b").slept_since(&a), Duration::from_secs(99));
    }

    #[test]
    fn rfc3339_round_trips() {
        let text = "2026-02-27T20:32:52.125Z";
        assert_eq!(rfc3339(parse_rfc3339(text).unwrap()), text);
    }
}
