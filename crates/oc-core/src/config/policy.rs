//! The section `policy`: every number that decides when something is done about the service, and how often.
//!
//! The defaults are those of docs/architecture.md. Times are lengths of time (`"30s"`, or whole seconds) unless a
//! field's own line says otherwise; to scale everything for a demonstration, write smaller ones.

use super::Span;
use serde::{Deserialize, Serialize};

/// When to act, how often, and when to leave it alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Time between passes under launchd, systemd or cron.
    pub interval: Span,
    /// Time between passes under the embedded supervisor.
    pub interval_embedded: Span,
    /// How long to leave the service alone, by what is seen.
    pub hold: Hold,
    /// When a person is told about what is not acted upon.
    pub warn: Warn,
    /// The waits between our own restarts.
    pub backoff: Backoff,
    /// How many failures lead from one rung to the next.
    pub ladder: Ladder,
    /// The bound on restarts and doctor runs whatever their success.
    pub restarts: RestartBound,
    /// The bound on KILL.
    pub kill: KillBound,
    /// The bounds on AI sessions.
    pub agent: AgentBounds,
    /// Restarts for memory.
    pub memory: MemoryPolicy,
    /// When the service counts as healthy again.
    pub healthy: HealthyAgain,
    /// When recoveries that come too often are reported.
    pub flapping: Flapping,
    /// Unloaded again this soon after we registered it: a person did that, it is left alone.
    pub unloaded_by_person: Span,
    /// Whether the guardian enables again what is disabled in launchd or masked in systemd. Off: only a person does that,
    /// so it is reported.
    pub reenable_disabled: bool,
    /// While the history cannot be written, at most one restart or doctor run in this time.
    pub unwritable_spacing: Span,
    /// Restart gracefully (as for memory) when it is slow. Off: a slow answer is reported only.
    pub restart_when_slow: bool,
    /// Restart gracefully (as for memory) when a deep probe fails. Off: reported only.
    pub restart_when_deep_failed: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            interval: Span::secs(30),
            interval_embedded: Span::secs(10),
            hold: Hold::default(),
            warn: Warn::default(),
            backoff: Backoff::default(),
            ladder: Ladder::default(),
            restarts: RestartBound::default(),
            kill: KillBound::default(),
            agent: AgentBounds::default(),
            memory: MemoryPolicy::default(),
            healthy: HealthyAgain::default(),
            flapping: Flapping::default(),
            unloaded_by_person: Span::mins(10),
            reenable_disabled: false,
            unwritable_spacing: Span::mins(10),
            restart_when_slow: false,
            restart_when_deep_failed: false,
        }
    }
}

/// How long to leave the service alone, by what is seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hold {
    /// Maintenance lasts this long unless said otherwise.
    pub maintenance: Span,
    /// An upgrade may take this long.
    pub upgrading: Span,
    /// One process may say "starting" for this long. (That a refusing process counts as starting is oc-probe's rule.)
    pub starting: Span,
    /// A process told to stop may finish its work for this long; also the wait of a graceful restart.
    pub draining: Span,
    /// The service manager gets this long to start a dead process by itself.
    pub manager: Span,
    /// The same while the manager says that it is about to start it.
    pub manager_starting: Span,
    /// An answer with an error or a wrong body must last this long before it counts like a hang.
    pub http_error: Span,
    /// OpenClaw's own crash-loop breaker gets this long to clear.
    pub safe_mode: Span,
    /// Nothing is concluded for this long after the machine (or we) slept.
    pub wake: Span,
    /// Asleep, by the difference of the clocks, for longer than this counts as sleep.
    pub wake_slept: Span,
    /// A pass that comes later than this many intervals counts as sleep.
    pub wake_intervals: u32,
}

impl Default for Hold {
    fn default() -> Self {
        Self {
            maintenance: Span::hours(2),
            upgrading: Span::mins(15),
            starting: Span::mins(15),
            draining: Span::secs(345),
            manager: Span::secs(20),
            manager_starting: Span::secs(300),
            http_error: Span::secs(45),
            safe_mode: Span::mins(6),
            wake: Span::secs(120),
            wake_slept: Span::secs(10),
            wake_intervals: 3,
        }
    }
}

/// When a person is told about what is not acted upon: after it lasted so long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Warn {
    /// A broken configuration beside a healthy service.
    pub config: Span,
    /// We could not measure.
    pub inconclusive: Span,
    /// Live and started, not ready.
    pub not_ready: Span,
    /// Channels suppressed by OpenClaw's breaker.
    pub safe_mode: Span,
    /// Still starting.
    pub starting: Span,
    /// Slow answers.
    pub slow: Span,
    /// A deep probe failing.
    pub deep_failed: Span,
    /// Whatever still holds is told again after this time.
    pub repeat: Span,
}

impl Default for Warn {
    fn default() -> Self {
        Self {
            config: Span::secs(60),
            inconclusive: Span::mins(10),
            not_ready: Span::mins(10),
            safe_mode: Span::mins(6),
            starting: Span::mins(10),
            slow: Span::mins(5),
            deep_failed: Span::mins(5),
            repeat: Span::hours(24),
        }
    }
}

/// The waits between our own restarts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Backoff {
    /// After the first, second, ... restart of ours that did not make it healthy; the last one goes on.
    pub steps: Vec<Span>,
    /// Restarts without success count for this long.
    pub window: Span,
    /// Up to this many percent are added at random, so that several instances do not restart in step.
    pub jitter_percent: u8,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            steps: [10, 30, 90, 180, 300, 600].map(Span::secs).to_vec(),
            window: Span::hours(6),
            jitter_percent: 10,
        }
    }
}

/// How many failures lead from one rung to the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ladder {
    /// Restarts without success before the doctor is asked. Count.
    pub restarts_before_doctor: u32,
    /// Doctor runs without success, whatever they exit, before the agent is asked. Count.
    pub doctors_before_agent: u32,
    /// After the ladder ended at a human: one more try in this time, for ever.
    pub half_open: Span,
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            restarts_before_doctor: 2,
            doctors_before_agent: 2,
            half_open: Span::mins(30),
        }
    }
}

/// The bound on restarts and doctor runs whatever their success: a service that dies a minute after each restart must
/// not be restarted every minute for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestartBound {
    /// Restarts and doctor runs together, in any `window`. Count; 0 means never.
    pub limit: u32,
    /// The sliding window.
    pub window: Span,
}

impl Default for RestartBound {
    fn default() -> Self {
        Self {
            limit: 20,
            window: Span::hours(1),
        }
    }
}

/// The bound on KILL. OpenClaw's fourth boot after three unclean ones in 300 s keeps its channels down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KillBound {
    /// KILL only while there were fewer unclean boots than this, ours and others'. Count.
    pub unclean_limit: u32,
    /// The sliding window.
    pub window: Span,
}

impl Default for KillBound {
    fn default() -> Self {
        Self {
            unclean_limit: 2,
            window: Span::secs(300),
        }
    }
}

/// The bounds on AI sessions. (Consent, program and deadline are in the section `agent`.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentBounds {
    /// Sessions in one incident. Count.
    pub per_incident: u32,
    /// Sessions in any 24 hours. Count.
    pub per_day: u32,
    /// Least time between the starts of two sessions.
    pub cooldown: Span,
    /// What all sessions of any 30 days may cost. Hundredths of a US dollar.
    pub month_cents: u32,
    /// Charged before a session starts; corrected when its cost is known. Hundredths of a US dollar.
    pub session_cents: u32,
}

impl Default for AgentBounds {
    fn default() -> Self {
        Self {
            per_incident: 1,
            per_day: 3,
            cooldown: Span::mins(30),
            month_cents: 1000,
            session_cents: 50,
        }
    }
}

/// Restarts for memory. (Its limits and the leak trend are in the section `probe`.)
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryPolicy {
    /// At most one restart for memory in this time; also for safe mode, slowness and deep probes.
    pub restart_spacing: Span,
}

impl Default for MemoryPolicy {
    fn default() -> Self {
        Self {
            restart_spacing: Span::hours(6),
        }
    }
}

/// When the service counts as healthy again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HealthyAgain {
    /// Two good probes at least this far apart, of a new process.
    pub stable: Span,
    /// The same for the process that was already there when the incident began, if we did nothing.
    pub stable_same_process: Span,
    /// The service's own uptime may be off by this much.
    pub uptime_tolerance: Span,
}

impl Default for HealthyAgain {
    fn default() -> Self {
        Self {
            stable: Span::secs(10),
            stable_same_process: Span::secs(60),
            uptime_tolerance: Span::secs(2),
        }
    }
}

/// When recoveries that come too often are reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flapping {
    /// Failures or recoveries by level 0, in any `window`. Count.
    pub count: u32,
    /// The sliding window.
    pub window: Span,
    /// Told again after this time while it goes on.
    pub repeat: Span,
}

impl Default for Flapping {
    fn default() -> Self {
        Self {
            count: 5,
            window: Span::hours(1),
            repeat: Span::hours(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_section_is_the_defaults_and_they_survive_a_round_trip() {
        let policy: Policy = serde_json::from_str("{}").unwrap();
        assert_eq!(policy, Policy::default());
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
    }

    #[test]
    fn one_number_can_be_changed_and_a_misspelt_one_is_refused() {
        let policy: Policy = serde_json::from_str(r#"{"hold":{"manager":"1s"},"interval":2}"#).unwrap();
        assert_eq!(policy.hold.manager, Span::secs(1));
        assert_eq!(policy.interval, Span::secs(2));
        assert_eq!(policy.hold.draining, Span::secs(345));
        let error = serde_json::from_str::<Policy>(r#"{"hold":{"manger":"1s"}}"#).unwrap_err();
        assert!(error.to_string().contains("manger"), "{error}");
    }
}
