//! What happened, as far as later decisions depend on it: plain data and one pure `record`.
//!
//! Nothing is counted here that can be counted from the list of attempts; every bound is a look at that list
//! (`policy::budget`). Times are [`Stamp`]s, so that a stepped wall clock shortens no wait.

mod event;
mod memory;

pub use event::Event;
pub use memory::{Memory, MemoryLimits, Sample};

use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::config::Policy;
use oc_core::identity::Identity;
use oc_core::report::{Action, Method, Report};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts kept at most; the bounds of the policy need far fewer.
const ATTEMPTS_KEPT: usize = 400;
/// Unclean ends and flaps kept at most.
const STAMPS_KEPT: usize = 64;
/// The month and the day of the agent's bounds.
pub const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);
/// See [`MONTH`].
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// The whole memory of oc-escalate. `Default` is a machine on which nothing ever happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The open incident.
    pub incident: Option<Incident>,
    /// What we did, oldest first.
    pub attempts: Vec<Attempt>,
    /// What the last conclusive probe saw, and since when.
    pub conditions: Vec<Condition>,
    /// The process that served last, and since when.
    pub served: Option<Served>,
    /// Recent unclean ends of the service's process, ours and others', oldest first.
    pub unclean: Vec<Stamp>,
    /// Recent failures and recoveries by others, oldest first.
    pub flaps: Vec<Stamp>,
    /// When a person was last told what, by key.
    pub told: BTreeMap<String, Stamp>,
    /// When we last woke from a sleep after which nothing is concluded for a while.
    pub woke: Option<Stamp>,
    /// When a pass last came late, for whatever reason.
    pub late: Option<Stamp>,
    /// A person took the service out of its manager again after we had put it back.
    pub unloaded_by_person: Option<Stamp>,
    /// Memory samples of the running process.
    pub memory: Memory,
}

/// Something is wrong, from its first sight until the service is healthy again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Names its directory.
    pub id: String,
    /// First sight.
    pub opened: Stamp,
    /// What was seen first.
    pub class: Class,
    /// The service's process at that time.
    pub identity: Option<Identity>,
    /// How many attempts were made.
    #[serde(default)]
    pub attempts: u32,
    /// How many of them were doctor runs.
    #[serde(default)]
    pub doctors: u32,
    /// How many of them were agent sessions that took place.
    #[serde(default)]
    pub agents: u32,
    /// The highest rung reached; never sinks.
    #[serde(default = "no_rung")]
    pub rung: Action,
    /// Why no agent session could start, once that was tried.
    #[serde(default)]
    pub no_agent: Option<String>,
    /// Our last restart, start or KILL.
    #[serde(default)]
    pub acted: Option<Acted>,
    /// Good probes without a bad one between.
    #[serde(default)]
    pub good: Option<Served>,
}

const fn no_rung() -> Action {
    Action::None
}

/// A restart of ours: from here on only a new process counts as recovered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// When.
    pub at: Stamp,
    /// The process it was aimed at.
    pub identity: Option<Identity>,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written ahead; not judged yet. Counts like a failure: there are no free retries.
    Pending,
    /// The service became healthy.
    Healthy,
    /// It did not, or the tool was missing or failed.
    Failed,
    /// Its pass died.
    Abandoned,
    /// An agent session that could not start: spends nothing.
    NotStarted,
}

/// One thing we did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The incident it belongs to.
    pub incident: String,
    /// Which one of the incident, from 1.
    pub number: u32,
    /// When it was written ahead.
    pub at: Stamp,
    /// What.
    pub action: Action,
    /// How the service was (re)started after it.
    pub method: Option<Method>,
    /// Against what.
    pub class: Class,
    /// The process it was aimed at.
    pub identity: Option<Identity>,
    /// How it ended.
    pub outcome: Outcome,
    /// An agent session: its charge in hundredths of a US dollar.
    #[serde(default)]
    pub cents: u32,
}

/// A condition and since when it holds without a break.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Which.
    pub class: Class,
    /// Since when.
    pub since: Stamp,
    /// For which process.
    pub identity: Option<Identity>,
    /// With which configuration.
    pub config_hash: Option<String>,
}

/// A process that serves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Served {
    /// Who; null where it is not known (a service without a manager we can ask).
    pub identity: Option<Identity>,
    /// Since when we have seen it serve.
    pub since: Stamp,
}

impl Served {
    /// True when the report shows the same process in the same serving epoch. A restart in place keeps the pid, but
    /// its uptime is then shorter than the time since `self.since`. Only time awake is compared: a service that counts
    /// its uptime on a clock that stops during sleep must not look restarted after each sleep.
    #[must_use]
    pub fn still(&self, report: &Report, now: &Stamp, tolerance: Duration) -> bool {
        if self.identity != report.identity || now.boot != self.since.boot {
            return false;
        }
        let Some(uptime_ms) = report.uptime_ms else { return true };
        let tolerance = u64::try_from(tolerance.as_millis()).unwrap_or(u64::MAX);
        uptime_ms.saturating_add(tolerance) >= now.awake_ms.saturating_sub(self.since.awake_ms)
    }
}

impl History {
    /// Takes an event. Pure; the policy only says how long things must be remembered.
    pub fn record(&mut self, policy: &Policy, event: Event) {
        event.apply(self, policy);
    }

    /// The condition, if it holds.
    #[must_use]
    pub fn condition(&self, class: Class) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.class == class)
    }

    /// The newest attempt.
    #[must_use]
    pub fn last_attempt(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    /// The newest attempt of the open incident, if its end is not known yet.
    #[must_use]
    pub fn pending(&self) -> Option<&Attempt> {
        let incident = self.incident.as_ref()?;
        self.last_attempt()
            .filter(|a| a.outcome == Outcome::Pending && a.incident == incident.id)
    }
}
