//! Section `probe`: what counts as healthy.

use super::{Secret, Size, Span};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an answer must look like. Every field that is given must hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// HTTP status; `null` accepts 200-299. For a command: its exit status; `null` accepts 0.
    pub status: Option<u16>,
    /// JSON that the body must contain: every key here must be there with this value.
    pub json: Option<Value>,
    /// Text that the body must contain.
    pub text: Option<String>,
    /// How fresh a time in the body must be.
    pub max_age: Option<MaxAge>,
}

/// Freshness of a time stamp in a JSON body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaxAge {
    /// JSON pointer to the time (RFC 3339, or seconds or milliseconds since 1970), such as `/channels/0/lastMessageAt`.
    pub pointer: String,
    /// The oldest that is still good.
    pub within: Span,
}

/// When rising memory is called a leak.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Leak {
    /// Whether the trend is looked at.
    pub enabled: bool,
    /// Memory is compared as the minimum of intervals of this length.
    pub bucket: Span,
    /// How long the minima must have been rising; the process must be older than that.
    pub window: Span,
    /// The limit will be reached within this time.
    pub horizon: Span,
}

impl Default for Leak {
    fn default() -> Self {
        Self {
            enabled: true,
            bucket: Span::mins(5),
            window: Span::mins(60),
            horizon: Span::mins(30),
        }
    }
}

/// What a failing deep probe leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeepAction {
    /// People are told.
    #[default]
    Warn,
    /// The service is restarted.
    Restart,
}

/// One check of something behind the service: a channel, an upstream API, the age of the last message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deep {
    /// Its name in reports.
    pub name: String,
    /// URL to GET; either this or `command`. A path alone is asked of the service itself.
    #[serde(default)]
    pub url: Option<String>,
    /// Program and arguments to run.
    #[serde(default)]
    pub command: Option<Vec<String>>,
    /// Time limit.
    #[serde(default = "Deep::default_timeout")]
    pub timeout: Span,
    /// What the answer must look like.
    #[serde(default)]
    pub expect: Expect,
    /// What a failure leads to.
    #[serde(default)]
    pub action: DeepAction,
}

impl Deep {
    const fn default_timeout() -> Span {
        Span::secs(5)
    }
}

/// Section `probe`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Probe {
    /// Scheme, host and port of the service.
    pub url: String,
    /// Bearer token for deep probes that need one.
    pub token: Option<Secret>,
    /// Path that answers as long as the event loop turns.
    pub liveness_path: String,
    /// What it must answer: the control UI answers 200 to any path, so the status alone says nothing.
    pub liveness: Expect,
    /// Path that says whether the start is over; `null` for none.
    pub startup_path: Option<String>,
    /// Path that says whether it is ready for work; `null` for none.
    pub readiness_path: Option<String>,
    /// Total time limit of one attempt: connecting, sending, every byte of the answer.
    pub timeout: Span,
    /// Attempts before a failure counts.
    pub tries: u32,
    /// Pause between two attempts.
    pub interval: Span,
    /// Connected without one byte for this long without a break: hung.
    pub hang_after: Span,
    /// How late we ourselves may be woken before our measurement counts as inconclusive.
    pub max_sched_delay: Span,
    /// For how long after its start a live process may refuse connections.
    pub startup_grace: Span,
    /// Bytes of an answer that are read.
    pub body_cap: Size,
    /// The 95th percentile of the answer times over `slow_window` above which it is called slow.
    pub slow_p95: Span,
    /// See `slow_p95`.
    pub slow_window: Span,
    /// Memory of the process tree that people are told about.
    pub memory_warn: Size,
    /// Memory of the process tree at which it is restarted gracefully.
    pub memory_limit: Size,
    /// When rising memory is called a leak.
    pub leak: Leak,
    /// Free space below which the disk counts as full.
    pub disk_min_free: Size,
    /// Optional checks behind the service.
    pub deep: Vec<Deep>,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            url: Self::DEFAULT_URL.to_owned(),
            token: None,
            liveness_path: "/healthz".to_owned(),
            liveness: Expect {
                json: Some(json!({"ok": true, "status": "live"})),
                ..Expect::default()
            },
            startup_path: Some("/startupz".to_owned()),
            readiness_path: Some("/readyz".to_owned()),
            timeout: Span::secs(5),
            tries: 3,
            interval: Span::secs(2),
            hang_after: Span::secs(45),
            max_sched_delay: Span::millis(200),
            startup_grace: Span::secs(300),
            body_cap: Size::bytes(64 << 10),
            slow_p95: Span::secs(5),
            slow_window: Span::mins(5),
            memory_warn: Size::mb(1536),
            memory_limit: Size::mb(2048),
            leak: Leak::default(),
            disk_min_free: Size::mb(100),
            deep: Vec::new(),
        }
    }
}

impl Probe {
    /// Where the OpenClaw gateway listens unless told otherwise.
    pub const DEFAULT_URL: &str = "http://127.0.0.1:18789";
}
