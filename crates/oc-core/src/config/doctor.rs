//! Section `doctor`: repairs of configuration and surroundings.

use super::{Size, Span};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Section `doctor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doctor {
    /// Whether the service's own doctor (`service.doctor_command`) may be used as the last remedy.
    pub own_doctor: bool,
    /// Time limit of the service's own doctor.
    pub own_doctor_timeout: Span,
    /// How long a configuration must have served before it counts as last-known-good.
    pub good_after: Span,
    /// Snapshots kept, at most; last-known-good is never dropped.
    pub generations_max: u32,
    /// Bytes of snapshots kept, at most.
    pub generations_size: Size,
    /// Ids of remedies that must not be applied.
    pub disabled_remedies: Vec<String>,
    /// Directories outside of its own where the service leaves logs; on a full disk old ones of ours there are removed. Empty
    /// for none.
    pub service_log_dirs: Vec<PathBuf>,
    /// A log there is old when nothing was written to it for this long.
    pub service_logs_after: Span,
    /// What the service needs around it, looked at before a start.
    pub preflight: Preflight,
}

/// `doctor.preflight`: never keeps a start back, only warns. All of it is off by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Preflight {
    /// The Docker daemon.
    pub docker: Docker,
    /// Names that must resolve, and hosts that must be reached.
    pub network: Network,
    /// Whether to name who holds the service's port.
    pub port: bool,
}

/// `doctor.preflight.docker`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Docker {
    /// Whether `docker info` is asked.
    pub enabled: bool,
    /// Program and arguments that start the daemon when it does not answer; empty for none.
    pub start: Vec<String>,
    /// Time for all of it.
    pub timeout: Span,
}

impl Default for Docker {
    fn default() -> Self {
        Self {
            enabled: false,
            start: Vec::new(),
            timeout: Span::secs(5),
        }
    }
}

/// `doctor.preflight.network`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// `NAME` must resolve; `NAME:PORT` must accept a connection.
    pub hosts: Vec<String>,
    /// Time for all of them.
    pub timeout: Span,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            timeout: Span::secs(3),
        }
    }
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            own_doctor: true,
            own_doctor_timeout: Span::mins(2),
            good_after: Span::mins(10),
            generations_max: 50,
            generations_size: Size::mb(50),
            disabled_remedies: Vec::new(),
            service_log_dirs: vec!["/tmp/openclaw".into()],
            service_logs_after: Span::hours(24),
            preflight: Preflight::default(),
        }
    }
}
