//! The files through which `oc-guardian supervise` (level 0 without launchd or systemd) is watched and told: a status file
//! that readers never lock, a FIFO for commands, and a flock'd file that says whether a supervisor is there at all.

use crate::clock::Stamp;
use crate::exit::Exit;
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::identity::Identity;
use crate::paths::Paths;
use crate::report::{ManagerKind, ServiceExit, ServiceState, ServiceView};
use crate::service::Verb;
use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// How many ends of the process the status remembers.
pub const EXITS_KEPT: usize = 20;

/// The directory of one supervisor.
#[derive(Debug, Clone)]
pub struct Dir(PathBuf);

/// What the supervisor is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The process runs and has not answered yet.
    Starting,
    /// The process runs and has answered.
    Up,
    /// Waiting before the next start.
    Backoff,
    /// The process was told to end.
    Stopping,
    /// Not running, and not wanted.
    Down,
}

/// What the supervisor publishes. Rewritten at every change, never fsynced: it describes processes, which do not survive
/// a power cut either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The supervisor itself.
    pub supervisor: Identity,
    /// The service's process.
    pub child: Option<Identity>,
    /// What it is doing.
    pub phase: Phase,
    /// Whether the service is wanted: false after a deliberate stop.
    pub wanted: bool,
    /// Ends in a row of processes that were never ready.
    pub never_ready_in_a_row: u32,
    /// Recent ends, oldest first, at most [`EXITS_KEPT`].
    pub exits: Vec<ServiceExit>,
    /// Starts so far.
    pub starts: u64,
    /// When the next start is due, while in backoff.
    pub next_start_at: Option<String>,
    /// Highest number of a command that was carried out or refused; see [`Dir::send`].
    pub acknowledged: u64,
    /// The last command that was refused, and why.
    #[serde(default)]
    pub refused: Option<Refusal>,
    /// When this was written.
    pub stamp: Stamp,
}

impl Status {
    /// Ended on purpose; after a reboot that no longer counts.
    fn refuses_to_run(&self) -> bool {
        !self.wanted && self.stamp.boot == crate::clock::boot_id()
    }
}

/// A command that was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Its number.
    pub number: u64,
    /// Why, as a sentence.
    pub reason: String,
}

/// How to start the supervisor again; written by `supervise` itself, so that a killed supervisor can be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// Arguments of oc-guardian, program first (an absolute path).
    pub argv: Vec<String>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Variables that name the instance (never secrets).
    pub env: std::collections::BTreeMap<String, String>,
}

/// One line through the FIFO.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What to do.
    pub verb: Verb,
    /// Grows from command to command; comes back as [`Status::acknowledged`].
    pub number: u64,
    /// Only while this is the service's process: what was decided about one is not done to its successor.
    #[serde(default)]
    pub only: Option<Identity>,
}

impl Command {
    /// A command with the next number: the boot clock, which all senders of this machine share.
    #[must_use]
    pub fn new(verb: Verb, only: Option<Identity>) -> Self {
        let number = u64::try_from(crate::clock::awake_clock().as_nanos()).unwrap_or(u64::MAX);
        Self { verb, number, only }
    }
}

impl Dir {
    /// The supervisor's directory inside the state directory.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// That of an instance.
    #[must_use]
    pub fn of(paths: &Paths) -> Self {
        Self(paths.supervise())
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Held by the supervisor for as long as it lives.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.0.join("lock")
    }

    /// The FIFO.
    #[must_use]
    pub fn control_path(&self) -> PathBuf {
        self.0.join("control")
    }

    /// What the supervisor publishes.
    #[must_use]
    pub fn status_path(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// The mark that the service's process makes of itself, see [`crate::proc::Cmd::spawn_service`].
    ///
    /// # Errors
    /// 74 or 77.
    pub fn open_mark(&self) -> Result<File> {
        fsx::open_rw(&self.0.join("mark"))
    }

    /// The service's process of a supervisor that died, as published or, if it died before it could, as marked. It lives, or
    /// is dead and not collected by init yet: then it still looks alive to the locks of a successor.
    #[must_use]
    pub fn orphan(&self) -> Option<Identity> {
        let published = self.status().and_then(|s| s.child).filter(|c| c.info().is_some());
        if published.as_ref().is_some_and(Identity::alive) {
            return published;
        }
        let mark = fsx::read_capped(&self.0.join("mark"), 1024).ok().flatten();
        mark.and_then(|mark| crate::proc::marked(&mark)).or(published)
    }

    /// How to start it again.
    #[must_use]
    pub fn recipe_path(&self) -> PathBuf {
        self.0.join("recipe.json")
    }

    /// The last published status, whether or not its supervisor still lives.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        let bytes = fsx::read_capped(&self.status_path(), 1 << 20).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// The recorded recipe.
    #[must_use]
    pub fn recipe(&self) -> Option<Recipe> {
        let bytes = fsx::read_capped(&self.recipe_path(), 1 << 20).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// True while a supervisor holds the lock. The kernel's word, not a pid file's.
    #[must_use]
    pub fn supervised(&self) -> bool {
        File::open(self.lock_path()).is_ok_and(|file| fs2::FileExt::try_lock_shared(&file).is_err())
    }

    /// True when the supervisor that runs, or was the last to run since the machine started, does not want the service to run:
    /// it was told so, or got TERM itself.
    #[must_use]
    pub fn told_to_end(&self) -> bool {
        self.status().is_some_and(|status| status.refuses_to_run())
    }

    /// The service in the common vocabulary. No process is started and nothing is scanned.
    #[must_use]
    pub fn view(&self) -> ServiceView {
        let status = self.status();
        let supervised = self.supervised();
        let Some(status) = status else {
            let state = if supervised {
                ServiceState::Starting
            } else if self.recipe_path().exists() {
                ServiceState::Failed
            } else {
                ServiceState::Unregistered
            };
            return ServiceView {
                state,
                ..ServiceView::unknown(ManagerKind::Embedded)
            };
        };
        let refuses = status.refuses_to_run();
        let child = match supervised {
            true => status.child.filter(Identity::alive),
            false => self.orphan().filter(Identity::alive),
        };
        let state = match (supervised, status.phase) {
            // The supervisor is dead. Its child may have outlived it: then the service runs, unsupervised.
            (false, _) if child.is_some() => ServiceState::Running,
            // A lasting will is in intent.json.
            (false, _) if refuses => ServiceState::Stopped,
            (false, _) => ServiceState::Failed,
            (true, Phase::Up) if child.is_some() => ServiceState::Running,
            (true, Phase::Stopping) => ServiceState::Stopping,
            (true, Phase::Down) => ServiceState::Stopped,
            // Includes "Up, but the child is gone": the supervisor is about to notice.
            (true, _) => ServiceState::Starting,
        };
        ServiceView {
            manager: ManagerKind::Embedded,
            state,
            identity: child,
            exits: status.exits,
            never_ready_in_a_row: status.never_ready_in_a_row,
            next_start_at: status.next_start_at,
        }
    }

    /// Publishes the status. Readers see either the old or the new one.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn publish(&self, status: &Status) -> Result<()> {
        let bytes = serde_json::to_vec(status).map_err(Fault::internal)?;
        fsx::replace_quick(&self.status_path(), &bytes)
    }

    /// Records how to start the supervisor again.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn record(&self, recipe: &Recipe) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(recipe).map_err(Fault::internal)?;
        fsx::replace(&self.recipe_path(), &bytes)
    }

    /// Makes the FIFO anew (a stale one, or what somebody planted there, goes) and opens it for reading. The second
    /// descriptor is a writer that is never used: without one, the end of the first sender would look like an end of file
    /// for ever after. For the holder of the lock only.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn open_control(&self) -> Result<(OwnedFd, OwnedFd)> {
        let path = self.control_path();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Fault::io("replace", &path, e)),
            _ => {}
        }
        make_fifo(&path).map_err(|e| Fault::io("make the FIFO", &path, e))?;
        let open = |access: OFlags| {
            let flags = access | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            rustix::fs::open(&path, flags, Mode::empty()).map_err(|e| Fault::io("open", &path, e))
        };
        let reader = open(OFlags::RDONLY)?;
        Ok((reader, open(OFlags::WRONLY)?))
    }

    /// Tells the supervisor something and returns at once; [`Status::acknowledged`] shows when it was done.
    ///
    /// # Errors
    /// 69 when no supervisor reads, 74 when the FIFO cannot be written.
    pub fn send(&self, command: &Command) -> Result<()> {
        let path = self.control_path();
        let mut line = serde_json::to_vec(command).map_err(Fault::internal)?;
        line.push(b'\n');
        // NONBLOCK: without a reader the open fails at once instead of waiting for one.
        let fd = rustix::fs::open(
            &path,
            OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW,
            Mode::empty(),
        )
        .map_err(|e| match e {
            rustix::io::Errno::NXIO | rustix::io::Errno::NOENT => {
                Fault::new(Exit::Unavailable, "no supervisor is running for this instance")
                    .hint("start one with `oc-guardian supervise -- COMMAND`, or put it back with `oc-guardian ensure`")
            }
            other => Fault::io("open", &path, other),
        })?;
        // Shorter than PIPE_BUF, hence atomic: two senders never mix.
        rustix::io::write(&fd, &line)
            .map(drop)
            .map_err(|e| Fault::io("write to", &path, e))
    }
}

#[cfg(not(target_os = "macos"))]
fn make_fifo(path: &Path) -> std::io::Result<()> {
    rustix::fs::mkfifoat(rustix::fs::CWD, path, Mode::RUSR | Mode::WUSR).map_err(Into::into)
}

#[cfg(target_os = "macos")]
fn make_fifo(path: &Path) -> std::io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    let name = std::ffi::CString::new(path.as_os_str().as_bytes())?;
    #[expect(unsafe_code, reason = "rustix offers no mkfifo on macOS")]
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    if unsafe { libc::mkfifo(name.as_ptr(), 0o600) } == 0 {
        Ok(())
    } else {
        Err(std::io::Error::last_os_error())
    }
}
