//! Failure classes, in order of precedence: when several conditions hold, the first of them in this list is the class
//! of the report (DESIGN: policy).

mod korean;

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why the service is not simply healthy. Declared in order of precedence; `Ord` is that order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A person stopped it through us (or through OpenClaw) and has not started it again.
    StoppedOnPurpose,
    /// A person declared maintenance.
    Maintenance,
    /// An upgrade is under way: another live process owns the gateway's lifecycle, or the package changed just now.
    Upgrading,
    /// We could not measure. Never reads as down.
    Inconclusive,
    /// It was told to stop and finishes its work first.
    Draining,
    /// A live process that has not served yet.
    Starting,
    /// The configuration was written by a newer version than the one installed.
    NewerConfig,
    /// The state database is unreadable.
    StateDb,
    /// No space left where the service writes.
    DiskFull,
    /// Something that is not ours answers on the port.
    ForeignListener,
    /// The configuration file is not there.
    ConfigMissing,
    /// The configuration file cannot be parsed or lacks a required key.
    ConfigInvalid,
    /// The service exited with 78: its configuration does not let it run.
    ExitConfig,
    /// Credentials or sign-in: nothing a restart could mend.
    Auth,
    /// The service manager gave up after too many starts.
    StartLimit,
    /// The service manager does not know the service.
    Unregistered,
    /// It died several times before it was ready once.
    CrashLoop,
    /// Connected, but not a byte came back for the whole threshold.
    Hung,
    /// There is no process.
    ProcessGone,
    /// A live process refuses connections although it served before, or after its start should be over.
    Refused,
    /// It answered with an error.
    HttpError,
    /// It answered 200 with a body that is not the expected one.
    WrongBody,
    /// Live and started, but not ready: one broken channel is enough for that.
    NotReady,
    /// Ready, but its own crash-loop breaker keeps channels suppressed.
    SafeMode,
    /// Memory of the process tree is over the limit.
    MemoryHigh,
    /// Memory rises and will reach the limit soon.
    MemoryLeak,
    /// It answers, too slowly.
    Slow,
    /// An optional deep probe fails.
    DeepFailed,
}

impl Class {
    /// Every class, in order of precedence.
    pub const ALL: [Self; 28] = [
        Self::StoppedOnPurpose,
        Self::Maintenance,
        Self::Upgrading,
        Self::Inconclusive,
        Self::Draining,
        Self::Starting,
        Self::NewerConfig,
        Self::StateDb,
        Self::DiskFull,
        Self::ForeignListener,
        Self::ConfigMissing,
        Self::ConfigInvalid,
        Self::ExitConfig,
        Self::Auth,
        Self::StartLimit,
        Self::Unregistered,
        Self::CrashLoop,
        Self::Hung,
        Self::ProcessGone,
        Self::Refused,
        Self::HttpError,
        Self::WrongBody,
        Self::NotReady,
        Self::SafeMode,
        Self::MemoryHigh,
        Self::MemoryLeak,
        Self::Slow,
        Self::DeepFailed,
    ];

    /// The name in JSON, config and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StoppedOnPurpose => "stopped_on_purpose",
            Self::Maintenance => "maintenance",
            Self::Upgrading => "upgrading",
            Self::Inconclusive => "inconclusive",
            Self::Draining => "draining",
            Self::Starting => "starting",
            Self::NewerConfig => "newer_config",
            Self::StateDb => "state_db",
            Self::DiskFull => "disk_full",
            Self::ForeignListener => "foreign_listener",
            Self::ConfigMissing => "config_missing",
            Self::ConfigInvalid => "config_invalid",
            Self::ExitConfig => "exit_config",
            Self::Auth => "auth",
            Self::StartLimit => "start_limit",
            Self::Unregistered => "unregistered",
            Self::CrashLoop => "crash_loop",
            Self::Hung => "hung",
            Self::ProcessGone => "process_gone",
            Self::Refused => "refused",
            Self::HttpError => "http_error",
            Self::WrongBody => "wrong_body",
            Self::NotReady => "not_ready",
            Self::SafeMode => "safe_mode",
            Self::MemoryHigh => "memory_high",
            Self::MemoryLeak => "memory_leak",
            Self::Slow => "slow",
            Self::DeepFailed => "deep_failed",
        }
    }

    /// The state of the service that this class amounts to, in Nagios terms.
    #[must_use]
    pub const fn health(self) -> Health {
        match self {
            Self::Inconclusive => Health::Unknown,
            Self::NotReady | Self::SafeMode | Self::MemoryHigh | Self::MemoryLeak | Self::Slow | Self::DeepFailed => {
                Health::Degraded
            }
            _ => Health::Down,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The four Nagios states; the exit codes of oc-probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// 0
    Healthy,
    /// 1: serving, with something a person should know.
    Degraded,
    /// 2: not serving.
    Down,
    /// 3: we could not tell.
    Unknown,
}

impl Health {
    /// The exit code of oc-probe.
    #[must_use]
    pub const fn exit(self) -> crate::exit::Exit {
        use crate::exit::Exit;
        match self {
            Self::Healthy => Exit::Good,
            Self::Degraded => Exit::Answer(1),
            Self::Down => Exit::Answer(2),
            Self::Unknown => Exit::Answer(3),
        }
    }

    /// The verdict word in the envelope.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_of_precedence_and_names_match_the_json() {
        assert!(Class::ALL.is_sorted());
        for class in Class::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
    }
}
