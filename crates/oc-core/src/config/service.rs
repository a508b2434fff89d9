//! Section `service`: what is kept alive, and who starts it.

use super::Span;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The kind of service; decides the defaults of the other fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The OpenClaw gateway.
    #[default]
    Openclaw,
    /// Any other HTTP service.
    Generic,
}

/// Who starts the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manager {
    /// The embedded supervisor where one is at work, else launchd on macOS, systemd where a user manager answers.
    #[default]
    Auto,
    /// macOS launchd, domain `gui/UID`.
    Launchd,
    /// `systemctl --user`.
    Systemd,
    /// `oc-guardian supervise`.
    Embedded,
}

/// How the service's configuration file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfigType {
    /// JSON with comments, trailing commas, unquoted keys.
    #[default]
    Json5,
    /// Strict JSON.
    Json,
    /// It has none, or one that is not looked at.
    None,
}

/// `oc-guardian supervise`: when the service is started again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Supervise {
    /// After the n-th end in a row before it was ready once, the next start waits n times this long.
    pub backoff_step: Span,
    /// The longest such wait.
    pub backoff_max: Span,
    /// How often it is asked at most whether it is ready, from its start until it is.
    pub ready_poll: Span,
    /// Program and arguments of one healing pass; empty means `oc-heal` beside oc-guardian or on PATH.
    pub heal_command: Vec<String>,
}

impl Default for Supervise {
    fn default() -> Self {
        Self {
            backoff_step: Span::secs(10),
            backoff_max: Span::secs(300),
            ready_poll: Span::millis(250),
            heal_command: Vec::new(),
        }
    }
}

/// Section `service`. The defaults are those of the OpenClaw gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// `openclaw` or `generic`.
    pub kind: Kind,
    /// `auto`, `launchd`, `systemd` or `embedded`.
    pub manager: Manager,
    /// launchd label; `ai.openclaw.gateway`, with a profile `ai.openclaw.PROFILE`.
    pub label: String,
    /// systemd unit; `openclaw-gateway.service`, with a profile `openclaw-gateway-PROFILE.service`.
    pub unit: String,
    /// Program and arguments that run the service in the foreground, for the embedded supervisor.
    pub command: Vec<String>,
    /// The service's configuration; `null` means `OPENCLAW_CONFIG_PATH` or `openclaw.json` in the OpenClaw directory.
    pub config_file: Option<PathBuf>,
    /// How that file is written.
    pub config_type: ConfigType,
    /// JSON Schema of that file (absolute path); `null` means OpenClaw's own, or none for another service.
    pub config_schema: Option<PathBuf>,
    /// Dotted keys without which the service cannot run.
    pub required_keys: Vec<String>,
    /// Program and arguments of the service's own repair; empty for none.
    pub doctor_command: Vec<String>,
    /// Signal that makes it restart after finishing its work, such as `SIGUSR2`; `null` means the manager's stop.
    pub restart_signal: Option<String>,
    /// How long a stop may take before it is no longer a drain.
    pub stop_timeout: Span,
    /// Level 0 under the embedded supervisor.
    pub supervise: Supervise,
    /// Directory of the installed package, whose change means an upgrade; `null` means: found from the program.
    pub package_dir: Option<PathBuf>,
}

impl Default for Service {
    fn default() -> Self {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect();
        Self {
            kind: Kind::Openclaw,
            manager: Manager::Auto,
            label: "ai.openclaw.gateway".to_owned(),
            unit: "openclaw-gateway.service".to_owned(),
            command: Vec::new(),
            config_file: None,
            config_type: ConfigType::Json5,
            config_schema: None,
            required_keys: vec!["gateway.mode".to_owned()],
            doctor_command: words("openclaw doctor --fix --non-interactive"),
            // SIGUSR1 would open a debugger on current versions.
            restart_signal: Some("SIGUSR2".to_owned()),
            stop_timeout: Span::secs(345),
            supervise: Supervise::default(),
            package_dir: None,
        }
    }
}
