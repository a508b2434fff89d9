//! How much memory does the process tree use, and where is that going?

use super::{check, mib};
use crate::past::{Memory as Samples, Sample};
use oc_core::clock::Stamp;
use oc_core::config::{Leak, Probe};
use oc_core::identity::{self, Identity};
use oc_core::report::{Check, CheckStatus};
use std::time::Duration;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// The whole tree.
    pub rss_bytes: u64,
    /// The limit will be reached in this time, if it goes on like this.
    pub leak: Option<Duration>,
}

impl Memory {
    /// The line of the report.
    #[must_use]
    pub fn check(&self, probe: &Probe) -> Check {
        let (warn, limit) = (probe.memory_warn.get(), probe.memory_limit.get());
        let used = mib(self.rss_bytes);
        let (status, actual) = match self.leak {
            _ if self.rss_bytes >= limit => (CheckStatus::Fail, used),
            Some(left) => (
                CheckStatus::Warn,
                format!("{used}, rising; at the limit in {} min", left.as_secs() / 60),
            ),
            None if self.rss_bytes >= warn => (CheckStatus::Warn, used),
            None => (CheckStatus::Ok, used),
        };
        check("memory", status, format!("below {}", mib(limit)), actual)
    }
}

/// Measures the tree and holds it against its history.
#[must_use]
pub fn look(identity: &Identity, history: &Samples, probe: &Probe, now: &Stamp) -> Option<Memory> {
    let rss_bytes = identity::tree_rss_bytes(identity)?;
    let leak = (history.identity.as_ref() == Some(identity))
        .then(|| leak(&history.samples, rss_bytes, now, &probe.leak, probe.memory_limit.get()))
        .flatten();
    Some(Memory { rss_bytes, leak })
}

/// When the limit will be reached, if the minima of the buckets have been rising all through the window and go on like
/// that. Minima, because garbage collection makes the raw curve a saw.
#[must_use]
pub fn leak(samples: &[Sample], rss_bytes: u64, now: &Stamp, rules: &Leak, limit: u64) -> Option<Duration> {
    let first = samples.first().filter(|_| rules.enabled)?;
    if now.since(&first.at) < rules.window.get() {
        return None;
    }
    let bucket_ms = rules.bucket.get().as_millis().max(1);
    let mut minima: Vec<(u128, u64)> = Vec::new();
    let present = Sample {
        at: now.clone(),
        rss_bytes,
    };
    // Samples of another boot or of the future have no place on this line.
    let in_window = |s: &&Sample| {
        s.at.boot == now.boot
            && s.at.boot_ms <= now.boot_ms
            && now.since(&s.at) <= rules.window.get() + rules.bucket.get()
    };
    for sample in samples.iter().chain([&present]).filter(in_window) {
        let bucket = sample.at.since(&first.at).as_millis() / bucket_ms;
        match minima.last_mut() {
            Some((last, least)) if *last == bucket => *least = sample.rss_bytes.min(*least),
            _ => minima.push((bucket, sample.rss_bytes)),
        }
    }
    let (begin, end) = (*minima.first()?, *minima.last()?);
    let took_ms = (end.0.saturating_sub(begin.0)).saturating_mul(bucket_ms);
    // A hole in the history (the watcher was off) shows nothing about the time within.
    let complete = minima.len() as u128 * bucket_ms * 4 >= rules.window.get().as_millis() * 3;
    if !complete || !minima.is_sorted_by(|a, b| a.1 < b.1) {
        return None;
    }
    let rise = u128::from(end.1.checked_sub(begin.1).filter(|rise| *rise > 0)?);
    let missing = u128::from(limit.saturating_sub(rss_bytes));
    let left = Duration::from_millis(u64::try_from(missing.saturating_mul(took_ms) / rise).unwrap_or(u64::MAX));
    (left <= rules.horizon.get()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MB: u64 = 1 << 20;

    fn at(minute: u64) -> Stamp {
        Stamp {
            wall_ms: 0,
            boot_ms: minute * 60_000,
            awake_ms: 0,
            boot: "b".into(),
        }
    }

    /// A process watched every 5 minutes for so long, with `use_at(minute)` MiB.
    fn verdict(minutes: u64, use_at: impl Fn(u64) -> u64) -> Option<Duration> {
        let samples: Vec<Sample> = (0..minutes)
            .step_by(5)
            .map(|m| Sample {
                at: at(m),
                rss_bytes: use_at(m) * MB,
            })
            .collect();
        leak(
            &samples,
            use_at(minutes) * MB,
            &at(minutes),
            &Leak::default(),
            2048 * MB,
        )
    }

    #[test]
    fn a_steady_rise_that_reaches_the_limit_within_half_an_hour_is_a_leak() {
        let left = verdict(90, |m| 700 + m * 14).unwrap();
        assert!(left <= Duration::from_secs(30 * 60), "{left:?}");
    }

    #[test]
    fn what_is_no_leak() {
        assert_eq!(verdict(50, |m| 1300 + m * 14), None, "not watched for an hour");
        assert_eq!(verdict(90, |m| 700 + m * 2), None, "the limit is far away");
        assert_eq!(verdict(90, |_| 1900), None, "high, but steady");
        assert_eq!(verdict(90, |m| 1500 + (m / 5 % 3) * 200), None, "a saw");
        assert_eq!(verdict(90, |m| 2000 - m * 5), None, "falling");
        let hole = [Sample {
            at: at(0),
            rss_bytes: 700 * MB,
        }];
        assert_eq!(
            leak(&hole, 1900 * MB, &at(90), &Leak::default(), 2048 * MB),
            None,
            "two points"
        );
        assert_eq!(
            leak(&[], 1900 * MB, &at(90), &Leak::default(), 2048 * MB),
            None,
            "no history"
        );
        let off = Leak {
            enabled: false,
            ..Leak::default()
        };
        let samples: Vec<Sample> = (0..90)
            .step_by(5)
            .map(|m| Sample {
                at: at(m),
                rss_bytes: (700 + m * 14) * MB,
            })
            .collect();
        assert_eq!(
            leak(&samples, 1960 * MB, &at(90), &off, 2048 * MB),
            None,
            "switched off"
        );
    }

    proptest! {
        #[test]
        fn no_history_panics(points in proptest::collection::vec((any::<u64>(), any::<u64>()), 0..40), now: u64, rss: u64) {
            let stamp = |ms| Stamp { wall_ms: 0, boot_ms: ms, awake_ms: 0, boot: "b".into() };
            let samples: Vec<Sample> =
                points.into_iter().map(|(ms, rss_bytes)| Sample { at: stamp(ms), rss_bytes }).collect();
            let _left = leak(&samples, rss, &stamp(now), &Leak::default(), 2048 * MB);
        }
    }
}
