//! What the tools say to each other: the envelope and the bodies of probe and decision. docs/scripting.md is the
//! contract; `schemas/` holds it in JSON Schema; readers ignore fields they do not know.

use crate::class::{Class, Health};
use crate::clock::Stamp;
use crate::identity::Identity;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What every `--json` answer begins with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope<B> {
    /// Name and version of the body, such as `oc.probe/1`.
    pub schema: String,
    /// The tool that answers.
    pub tool: String,
    /// The suite's version.
    pub version: String,
    /// Which instance the answer is about.
    pub instance: String,
    /// Id of the pass this answer belongs to; null outside one.
    pub run: Option<String>,
    /// RFC 3339, UTC.
    pub at: String,
    /// The answer in one word.
    pub verdict: String,
    /// The code the process exits with.
    pub exit: u8,
    /// The tool's own fields.
    #[serde(flatten)]
    pub body: B,
}

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// As expected.
    Ok,
    /// Worth a person's attention; never a reason to restart.
    Warn,
    /// Not as expected.
    Fail,
    /// Not measured: not applicable, not asked for, or it could not be.
    Skip,
}

/// One check with what was expected beside what was seen, so that the report explains itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Stable name: service, process, liveness, readiness, memory, config, port, disk, or a deep probe's own.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// Whether a failure of this check means that the service is down.
    pub critical: bool,
    /// What a healthy service would show.
    pub expected: String,
    /// What was seen.
    pub actual: String,
    /// How long the check took.
    pub took_ms: u64,
}

/// A process that holds the service's port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who it is.
    pub identity: Identity,
    /// Its command line, cleaned for display.
    pub command: String,
    /// Whose it is.
    pub uid: Option<u32>,
    /// True only when it is proven to be our own service (its identity is the service's, or a stale one of ours).
    pub ours: bool,
}

/// Who starts the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManagerKind {
    /// macOS launchd, domain `gui/UID`.
    Launchd,
    /// `systemctl --user`.
    Systemd,
    /// Our own `oc-guardian supervise`.
    Embedded,
}

/// What the service manager says about the service, in one vocabulary for all managers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceState {
    /// A process runs.
    Running,
    /// It is being started, or waits for its next start (level 0 backoff).
    Starting,
    /// It is being stopped.
    Stopping,
    /// Known to the manager, not running, nobody wants it to.
    Stopped,
    /// Known to the manager, not running, and the manager will not start it again by itself.
    Failed,
    /// Not loaded: not known to the manager, or stopped there (`launchctl bootout`, `systemctl stop`).
    Unregistered,
    /// A person masked or disabled it.
    Masked,
    /// The manager could not be asked.
    Unknown,
}

/// One end of the service's process, newest last in lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceExit {
    /// When.
    pub at: Stamp,
    /// Exit status, when it exited by itself.
    pub status: Option<i32>,
    /// Signal, when it was killed.
    pub signal: Option<i32>,
    /// Whether it had been ready once.
    pub was_ready: bool,
    /// How long it ran.
    pub ran_ms: u64,
}

impl ServiceExit {
    /// OpenClaw counts a boot as unclean unless it ended by itself with 0 (or was told to stop).
    #[must_use]
    pub fn unclean(&self) -> bool {
        self.status != Some(0)
    }
}

/// What the manager knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceView {
    /// Which manager was asked.
    pub manager: ManagerKind,
    /// Its answer.
    pub state: ServiceState,
    /// The process it started, when one runs.
    pub identity: Option<Identity>,
    /// Recent ends of the process, oldest first, as far as the manager remembers (the embedded one: the last 20).
    #[serde(default)]
    pub exits: Vec<ServiceExit>,
    /// Ends in a row of processes that were never ready.
    #[serde(default)]
    pub never_ready_in_a_row: u32,
    /// When the manager itself will start it next, if it is waiting.
    pub next_start_at: Option<String>,
}

impl ServiceView {
    /// Nothing is known yet.
    #[must_use]
    pub const fn unknown(manager: ManagerKind) -> Self {
        Self {
            manager,
            state: ServiceState::Unknown,
            identity: None,
            exits: Vec::new(),
            never_ready_in_a_row: 0,
            next_start_at: None,
        }
    }

    /// The newest end of the process.
    #[must_use]
    pub fn last_exit(&self) -> Option<&ServiceExit> {
        self.exits.last()
    }
}

/// What oc-probe saw. Its class is the first, by precedence, of all conditions that hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The URL that was asked.
    pub target: String,
    /// Null when healthy.
    pub class: Option<Class>,
    /// Every condition that holds, by precedence; the first is `class`.
    #[serde(default)]
    pub conditions: Vec<Class>,
    /// One sentence for a person: what is wrong (or that nothing is).
    pub summary: String,
    /// The service's process.
    pub identity: Option<Identity>,
    /// The individual checks.
    pub checks: Vec<Check>,
    /// How long the service says it has been up: the serving epoch (a restart in place resets it, the pid stays).
    pub uptime_ms: Option<u64>,
    /// Memory of the whole process tree.
    pub rss_bytes: Option<u64>,
    /// How long the liveness answer took.
    pub latency_ms: Option<u64>,
    /// For how long, without a break and while we ourselves were being scheduled, connections brought no byte.
    #[serde(default)]
    pub stalled_ms: u64,
    /// What the service manager says; null when it was not asked (a healthy pass asks none).
    pub service: Option<ServiceView>,
    /// Who holds the port, when that was looked up.
    pub holder: Option<Holder>,
    /// Content hash of the service's configuration on disk.
    pub config_hash: Option<String>,
    /// What is known about that file, for the caller to hand to the next probe, so that an unchanged file is not read
    /// again; the probe itself writes nothing.
    #[serde(default)]
    pub config_seen: Option<Value>,
    /// True when this identity has served at some time before, so that "refused" can only be a drain or a fault.
    #[serde(default)]
    pub served_before: bool,
    /// When the measurement ended.
    pub stamp: Stamp,
}

impl Report {
    /// A report in which nothing was measured.
    #[must_use]
    pub fn empty(stamp: Stamp) -> Self {
        Self {
            target: String::new(),
            class: None,
            conditions: Vec::new(),
            summary: String::new(),
            identity: None,
            checks: Vec::new(),
            uptime_ms: None,
            rss_bytes: None,
            latency_ms: None,
            stalled_ms: 0,
            service: None,
            holder: None,
            config_hash: None,
            config_seen: None,
            served_before: false,
            stamp,
        }
    }

    /// The Nagios state. A broken configuration beside a service that answers is a degradation, not an outage: the
    /// running process does not read it before its next start.
    #[must_use]
    pub fn health(&self) -> Health {
        match self.class {
            None => Health::Healthy,
            Some(Class::ConfigMissing | Class::ConfigInvalid | Class::NewerConfig | Class::DiskFull)
                if self.serving() =>
            {
                Health::Degraded
            }
            Some(class) => class.health(),
        }
    }

    /// True when the service itself answered as it should: the check `liveness` is ok.
    #[must_use]
    pub fn serving(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.name == "liveness" && check.status == CheckStatus::Ok)
    }

    /// True when this condition holds, whether or not it gives the report its class.
    #[must_use]
    pub fn has(&self, class: Class) -> bool {
        self.class == Some(class) || self.conditions.contains(&class)
    }

    /// The newest end of the service's process that the manager remembers.
    #[must_use]
    pub fn last_exit(&self) -> Option<&ServiceExit> {
        self.service.as_ref()?.last_exit()
    }
}

/// What may be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// 0: nothing to do.
    None,
    /// 1: wait (backoff, grace, maintenance, starting, draining).
    Hold,
    /// 2: restart or start it, by `method`.
    Restart,
    /// 3: repair configuration and surroundings, then start it.
    Doctor,
    /// 4: ask the AI for a plan.
    Agent,
    /// 5: a human is needed.
    Human,
}

impl Action {
    /// The exit code of `oc-escalate decide`.
    #[must_use]
    pub const fn exit(self) -> crate::exit::Exit {
        use crate::exit::Exit;
        match self {
            Self::None => Exit::Good,
            Self::Hold => Exit::Answer(1),
            Self::Restart => Exit::Answer(2),
            Self::Doctor => Exit::Answer(3),
            Self::Agent => Exit::Answer(4),
            Self::Human => Exit::Answer(5),
        }
    }

    /// The verdict word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Hold => "hold",
            Self::Restart => "restart",
            Self::Doctor => "doctor",
            Self::Agent => "agent",
            Self::Human => "human",
        }
    }
}

/// How `oc-guardian apply` carries an action out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// There is no process: start it through its manager.
    Start,
    /// Clear a latch (start limit, disabled), register, start, verify a pid.
    Register,
    /// Let it finish its work: the service's own restart signal, else the manager's stop; waits for the drain.
    Graceful,
    /// KILL through the manager, whole tree, then start: it cannot act on anything gentler.
    Kill,
    /// End the verified stale process of ours that holds the port (the decision's identity), then start.
    EndStale,
}

impl Method {
    /// The name in JSON, config and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Register => "register",
            Self::Graceful => "graceful",
            Self::Kill => "kill",
            Self::EndStale => "end_stale",
        }
    }
}

/// What `oc-escalate decide` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// How, for actions that (re)start the service.
    pub method: Option<Method>,
    /// True when the attempt was written to the history before this answer was given.
    pub recorded: bool,
    /// Why, as a sentence.
    pub reason: String,
    /// The class the decision is about.
    pub class: Option<Class>,
    /// The incident it belongs to.
    pub incident: Option<String>,
    /// Which attempt of this incident it is, from 1.
    pub attempt: Option<u32>,
    /// Earliest time of the next action, RFC 3339.
    pub next_allowed_at: Option<String>,
    /// What is left of each bound: `{"restarts_6h":{"used":1,"limit":null}, ...}`.
    #[serde(default)]
    pub budget: Map<String, Value>,
    /// The process the decision was made about; the action is refused when it is no longer that one.
    pub identity: Option<Identity>,
    /// For a human: the exact next command.
    pub command: Option<String>,
}

/// Reads a report or decision with its envelope.
///
/// # Errors
/// 65 when the bytes are no such object.
pub fn parse<B: serde::de::DeserializeOwned>(bytes: &[u8], what: &str) -> crate::fault::Result<Envelope<B>> {
    serde_json::from_slice(bytes)
        .map_err(|e| crate::fault::Fault::data(format_args!("cannot understand the {what}: {e}")))
}
