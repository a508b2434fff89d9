//! `carry.json`: what one pass hands to the next. Not fsynced and worth nothing after a reboot: when the previous pass was,
//! the answer times and the memory minimum of the present five minutes.

use oc_core::clock::Stamp;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::report::Report;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// How often memory and latency are written to the journal.
pub const BUCKET: Duration = Duration::from_secs(300);
/// More answer times than this in one bucket change no percentile that matters.
const LATENCIES_KEPT: usize = 600;

/// The content of `carry.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Carry {
    /// When the previous pass was over.
    pub previous: Option<Stamp>,
    /// When the present bucket began.
    pub bucket: Option<Stamp>,
    /// Whose figures these are.
    pub identity: Option<Identity>,
    /// Smallest memory of the process tree in the bucket: what garbage collection cannot give back.
    pub rss_min_bytes: Option<u64>,
    /// Answer times in the bucket.
    pub latencies_ms: Vec<u64>,
    /// What the previous pass held for, or asked a human for, so that the journal tells of it once and not at every pass.
    pub held_for: Option<String>,
    /// The configuration file as it was when it was last read, so that an unchanged file is not read again.
    pub config_seen: Option<serde_json::Value>,
}

impl Carry {
    /// What the previous pass left; nothing when there is none or it makes no sense.
    #[must_use]
    pub fn load(path: &Path) -> Self {
        fsx::read_capped(path, 1 << 20)
            .ok()
            .flatten()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Hands it on.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, path: &Path) -> Result<()> {
        fsx::overwrite(path, &serde_json::to_vec(self).map_err(Fault::internal)?)
    }

    /// Takes a report in. Returns the finished bucket when five minutes are over (or the process changed).
    pub fn take(&mut self, report: &Report, now: &Stamp) -> Option<Self> {
        let over = self.bucket.as_ref().is_some_and(|began| now.since(began) >= BUCKET);
        let other = self.identity.is_some() && self.identity != report.identity;
        let finished = (over || other).then(|| self.clone());
        if over || other || self.bucket.is_none() {
            let (config_seen, held_for) = (self.config_seen.take(), self.held_for.take());
            *self = Self {
                bucket: Some(now.clone()),
                identity: report.identity.clone(),
                config_seen,
                held_for,
                ..Self::default()
            };
        }
        self.previous = Some(now.clone());
        if report.config_seen.is_some() {
            self.config_seen.clone_from(&report.config_seen);
        }
        self.rss_min_bytes = match (self.rss_min_bytes, report.rss_bytes) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if let Some(latency) = report.latency_ms
            && self.latencies_ms.len() < LATENCIES_KEPT
        {
            self.latencies_ms.push(latency);
        }
        finished.filter(|bucket| bucket.rss_min_bytes.is_some() || !bucket.latencies_ms.is_empty())
    }

    /// The p-th percentile of the answer times.
    #[must_use]
    pub fn latency_percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.latencies_ms.clone();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        sorted.get((last * percent).div_ceil(100)).copied()
    }
}
