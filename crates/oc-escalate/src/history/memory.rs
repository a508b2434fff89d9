//! Memory over time, for oc-probe's trend: this keeps the samples, oc-probe judges them.

use oc_core::clock::Stamp;
use oc_core::config::Probe;
use oc_core::identity::Identity;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Samples kept at most.
const SAMPLES_KEPT: usize = 72;

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
}
