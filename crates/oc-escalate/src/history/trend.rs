//! Memory over time: is this process leaking?

use oc_core::clock::Stamp;
use oc_core::config::MemoryPolicy;
use oc_core::identity::Identity;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Samples kept at most.
const SAMPLES_KEPT: usize = 48;
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

impl Memory {
    pub(super) fn push(&mut self, policy: &MemoryPolicy, identity: Identity, sample: Sample) {
        if self.identity.as_ref() != Some(&identity) {
            self.identity = Some(identity);
            self.samples.clear();
        }
        let keep = policy.trend.get() + policy.bucket.get();
        self.samples.retain(|s| sample.at.since(&s.at) <= keep);
        self.samples.push(sample);
        if self.samples.len() > SAMPLES_KEPT {
            self.samples.remove(0);
        }
    }

    /// When the limit will be reached, if use rose all through the trend's length and goes on like that; `None` while
    /// that is further away than the horizon, or while the process is not watched for long enough.
    #[must_use]
    pub fn reaches_limit_in(&self, policy: &MemoryPolicy, identity: Option<&Identity>) -> Option<Duration> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        if identity != self.identity.as_ref() || last.at.since(&first.at) < policy.trend.get() {
            return None;
        }
        let part = self.samples.len() / PARTS;
        if part == 0 {
            return None;
        }
        let minima: Vec<u64> = (0..PARTS)
            .map(|i| {
                let to = if i + 1 == PARTS {
                    self.samples.len()
                } else {
                    (i + 1) * part
                };
                self.samples
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
        let missing = policy.limit_bytes.saturating_sub(last.rss_bytes);
        let took = last.at.since(&first.at).as_millis();
        let ms = u128::from(missing).saturating_mul(took) / u128::from(rise);
        let left = Duration::from_millis(u64::try_from(ms).unwrap_or(u64::MAX));
        (left <= policy.horizon.get()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::stamp_at;

    const MB: u64 = 1024 * 1024;

    fn watched(use_at: impl Fn(u64) -> u64, minutes: u64) -> Memory {
        let policy = MemoryPolicy::default();
        let mut memory = Memory::default();
        for minute in (0..=minutes).step_by(5) {
            let sample = Sample {
                at: stamp_at(minute * 60_000),
                rss_bytes: use_at(minute) * MB,
            };
            memory.push(&policy, who(), sample);
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

    fn verdict(memory: &Memory) -> Option<Duration> {
        memory.reaches_limit_in(&MemoryPolicy::default(), Some(&who()))
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
            &MemoryPolicy::default(),
            other.clone(),
            Sample {
                at: stamp_at(75 * 60_000),
                rss_bytes: 2000 * MB,
            },
        );
        assert_eq!(memory.reaches_limit_in(&MemoryPolicy::default(), Some(&other)), None);
        assert_eq!(memory.samples.len(), 1);
    }
}
