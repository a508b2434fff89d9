//! Memory over time: is this process leaking?

use oc_core::clock::Stamp;
use oc_core::config::Probe;
use oc_core::identity::Identity;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;
use std::time::Duration;

/// Samples kept at most.
const SAMPLES_KEPT: usize = 72;
/// The trend is judged by the minima of this many equal parts: garbage collection makes the raw curve a saw.
const PARTS: usize = 4;

/// The smallest memory use of one bucket of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The bucket's end.
    pub at: Stamp,
    /// The smallest use of the process tree in it, in bytes.
    pub rss_bytes: u64,
}

/// Samples of one process; those of an earlier one are forgotten.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Whose.
    pub identity: Option<Identity>,
    /// Oldest first.
    pub samples: Vec<Sample>,
}

/// What memory is measured against; from the section `probe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryLimits {
    /// The process tree may use this much. Bytes.
    pub limit_bytes: u64,
    /// A person is told from here on. Bytes.
    pub warn_bytes: u64,
    /// When a rise is called a leak; null = never.
    pub leak: Option<Trend>,
}

/// When a rise is called a leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trend {
    /// It rose for at least this long ...
    pub window: Duration,
    /// ... and will reach the limit within this time.
    pub horizon: Duration,
}

impl Default for MemoryLimits {
    /// Those of an empty config.json; worked out once, for a simulated year asks a million times.
    fn default() -> Self {
        static LIMITS: LazyLock<MemoryLimits> = LazyLock::new(|| MemoryLimits::from(&Probe::default()));
        *LIMITS
    }
}

impl From<&Probe> for MemoryLimits {
    fn from(probe: &Probe) -> Self {
        Self {
            limit_bytes: probe.memory_limit.get(),
            warn_bytes: probe.memory_warn.get(),
            leak: probe.leak.enabled.then_some(Trend {
                window: probe.leak.window.get(),
                horizon: probe.leak.horizon.get(),
            }),
        }
    }
}

impl Memory {
    pub(super) fn push(&mut self, identity: Identity, sample: Sample) {
        if self.identity.as_ref() != Some(&identity) {
            self.identity = Some(identity);
            self.samples.clear();
        }
        self.samples.push(sample);
        if self.samples.len() > SAMPLES_KEPT {
            self.samples.remove(0);
        }
    }

    /// When the limit will be reached, if use rose all through the trend's window and goes on like that; `None` while
    /// that is further away than the horizon, or while the process is not watched for long enough.
    #[must_use]
    pub fn reaches_limit_in(&self, limits: &MemoryLimits, identity: Option<&Identity>) -> Option<Duration> {
        let last = self.samples.last()?;
        let trend = limits.leak?;
        if identity != self.identity.as_ref() {
            return None;
        }
        let begin = self
            .samples
            .iter()
            .rposition(|s| last.at.since(&s.at) >= trend.window)?;
        let samples = self.samples.get(begin..)?;
        let first = samples.first()?;
        let part = samples.len() / PARTS;
        if part == 0 {
            return None;
        }
        let minima: Vec<u64> = (0..PARTS)
            .map(|i| {
                let to = if i + 1 == PARTS { samples.len() } else { (i + 1) * part };
                samples
                    .get(i * part..to)
                    .and_then(|p| p.iter().map(|s| s.rss_bytes).min())
                    .unwrap_or(0)
            })
            .collect();
        if !minima.is_sorted_by(|a, b| a < b) {
            return None;
        }
        // From the first sample to the last: what a person would draw through the curve.
        let rise = last.rss_bytes.checked_sub(first.rss_bytes).filter(|rise| *rise > 0)?;
        let missing = limits.limit_bytes.saturating_sub(last.rss_bytes);
        let took = last.at.since(&first.at).as_millis();
        let ms = u128::from(missing).saturating_mul(took) / u128::from(rise);
        let left = Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX));
        (left <= trend.horizon).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::stamp_at;

    const MB: u64 = 1024 * 1024;

    fn watched(use_at: impl Fn(u64) -> u64, minutes: u64) -> Memory {
        let mut memory = Memory::default();
        for minute in (0..=minutes).step_by(5) {
            let sample = Sample {
                at: stamp_at(minute * 60_000),
                rss_bytes: use_at(minute) * MB,
            };
            memory.push(who(), sample);
        }
        memory
    }

    fn who() -> Identity {
        Identity {
            pid: 7,
            started: 1,
            boot: "b".into(),
        }
    }

    fn limits() -> MemoryLimits {
        MemoryLimits::from(&Probe::default())
    }

    fn verdict(memory: &Memory) -> Option<Duration> {
        memory.reaches_limit_in(&limits(), Some(&who()))
    }

    #[test]
    fn a_steady_rise_towards_the_limit_is_a_leak() {
        let left = verdict(&watched(|m| 1000 + m * 14, 70)).unwrap();
        assert!(left <= Duration::from_secs(30 * 60), "{left:?}");
    }

    #[test]
    fn a_rise_that_is_far_from_the_limit_or_too_short_or_a_saw_is_none() {
        assert_eq!(verdict(&watched(|m| 700 + m, 120)), None, "far away");
        assert_eq!(
            verdict(&watched(|m| 1800 + m * 14, 50)),
            None,
            "not watched long enough"
        );
        assert_eq!(
            verdict(&watched(|m| 1500 + (m % 30) * 15, 180)),
            None,
            "collected again and again"
        );
        assert_eq!(verdict(&watched(|_| 1900, 180)), None, "flat");
    }

    #[test]
    fn a_new_process_starts_a_new_trend() {
        let mut memory = watched(|m| 1000 + m * 14, 70);
        let other = Identity { pid: 8, ..who() };
        memory.push(
            other.clone(),
            Sample {
                at: stamp_at(75 * 60_000),
                rss_bytes: 2000 * MB,
            },
        );
        assert_eq!(memory.reaches_limit_in(&limits(), Some(&other)), None);
        assert_eq!(memory.samples.len(), 1);
    }
}
