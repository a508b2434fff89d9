//! What the stand-in gateway is told to do wrong: a control file in its state directory, re-read at every request and tick.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The control file's name, in OpenClaw's state directory.
pub const CONTROL_FILE: &str = "stand-in.json";
/// Faults as JSON in the environment; the control file's keys win.
pub const CONTROL_ENV: &str = "STAND_IN_FAULTS";

/// Everything that can be wrong with the stand-in. The default is a gateway in good health that starts at once.
///
/// Times are looked up again while they run: a test holds a phase with a long time and ends it with 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Only the process with this pid obeys; others are healthy. Makes a fault end with the process that has it.
    pub only_pid: Option<u32>,
    /// Only the first N boots on this state directory obey.
    pub only_boots: Option<u64>,

    /// Time before the port is bound: connections are refused.
    pub boot_ms: u64,
    /// Time after the port is bound in which `/startupz` and `/readyz` say starting.
    pub starting_ms: u64,
    /// Exits (uncleanly, with `exit_code`) this long after its start, ready or not. A blocked loop does not exit.
    pub exit_after_ms: Option<u64>,
    /// The exit code of `exit_after_ms`.
    pub exit_code: u8,
    /// How often a held port is tried; the real gateway: 20.
    pub bind_tries: u32,
    /// Time between two tries; the real gateway: 500.
    pub bind_interval_ms: u64,

    /// Does not react to SIGTERM.
    pub ignore_sigterm: bool,
    /// After SIGTERM or SIGUSR2: answers "draining" this long; the idle real gateway: some 40.
    pub drain_ms: u64,
    /// After that: refuses connections this long before it exits or boots again.
    pub drain_refused_ms: u64,
    /// A live edit that takes `gateway.mode` away ends the process with 78, as when a service manager restarts it. In the
    /// foreground the real gateway restarts in place and goes on without it.
    pub reload_exits: bool,

    /// Blocks the event loop this long from now on; 0 = for ever. Connections are accepted by the kernel and get no byte;
    /// SIGTERM and SIGUSR2 wait until it is over.
    pub block_ms: Option<u64>,
    /// Every answer is this late.
    pub latency_ms: u64,
    /// What requests get instead of the truth.
    pub hostile: Option<Hostile>,
    /// The paths `hostile` is about; empty = all.
    pub hostile_paths: Vec<String>,
    /// `/readyz` is 503 with these names in `failing`.
    pub not_ready: Vec<String>,
    /// `/readyz` stays 200 with these names in `suppressed`.
    pub suppressed: Vec<String>,
    /// `/readyz` reports a degraded event loop.
    pub loop_degraded: bool,

    /// Grows by this much a second; the memory is really touched.
    pub leak_mb_per_s: u32,
    /// Holds this much at once.
    pub hold_mb: u32,
    /// `leak_mb_per_s` and `hold_mb` happen in a forked worker, not in the gateway itself.
    pub in_worker: bool,
    /// Keeps this many threads spinning.
    pub busy_threads: u32,
    /// Has a child in a session of its own, which a kill of the process group misses.
    pub own_session_child: bool,
}

/// Answers no client should trust.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hostile {
    /// Accepts, reads, never answers.
    Stall,
    /// The true answer, one byte a second.
    Trickle,
    /// The true answer's head, then half of its body, then silence.
    Half,
    /// This status with a short text.
    Status(u16),
    /// 200 with this JSON body.
    Body(String),
    /// 200 with no body at all.
    Empty,
    /// 200 with an HTML page.
    Html,
    /// 200 with bytes that are no UTF-8.
    NonUtf8,
    /// Closes the connection with a reset.
    Reset,
    /// Closes the connection without a byte.
    Close,
    /// 302 to the same path.
    RedirectLoop,
    /// A body that never ends.
    Endless,
    /// Header lines without end.
    HugeHeaders,
    /// Bytes that are not HTTP.
    Garbage,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            only_pid: None,
            only_boots: None,
            boot_ms: 0,
            starting_ms: 0,
            exit_after_ms: None,
            exit_code: 1,
            bind_tries: 20,
            bind_interval_ms: 500,
            ignore_sigterm: false,
            drain_ms: 40,
            drain_refused_ms: 20,
            reload_exits: false,
            block_ms: None,
            latency_ms: 0,
            hostile: None,
            hostile_paths: Vec::new(),
            not_ready: Vec::new(),
            suppressed: Vec::new(),
            loop_degraded: false,
            leak_mb_per_s: 0,
            hold_mb: 0,
            in_worker: false,
            busy_threads: 0,
            own_session_child: false,
        }
    }
}

impl Faults {
    /// The control file of a state directory.
    #[must_use]
    pub fn file(state_dir: &Path) -> PathBuf {
        state_dir.join(CONTROL_FILE)
    }

    /// Changes the control file in one step: a reader sees the old faults or the new ones.
    ///
    /// # Panics
    /// When the file is broken or cannot be written.
    pub fn change(state_dir: &Path, change: impl FnOnce(&mut Self)) {
        let file = Self::file(state_dir);
        let mut faults: Self = std::fs::read(&file).map_or_else(
            |_| Self::default(),
            |text| serde_json::from_slice(&text).expect("a control file we wrote ourselves"),
        );
        change(&mut faults);
        let text = serde_json::to_vec_pretty(&faults).expect("faults are plain data");
        let new = tempfile::NamedTempFile::new_in(state_dir).expect("a file in the state directory");
        std::fs::write(new.path(), text).expect("the control file is written");
        new.persist(&file).expect("the control file is put in place");
    }
}
