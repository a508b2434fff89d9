//! Who a process is: pid, start time and boot. A pid alone is reused; a pid file alone is a rumour.

use crate::clock::boot_id;
use serde::{Deserialize, Serialize};

#[cfg_attr(target_os = "macos", path = "identity_macos.rs")]
#[cfg_attr(not(target_os = "macos"), path = "identity_linux.rs")]
mod os;

pub use os::{children, command_line, descendants, listener_of, owner, read_boot_id, rss_bytes, session_members};

/// A process that cannot be confused with a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// Process id, always > 1: systemd's `MainPID=0` and pid 1 are never an identity.
    pub pid: i32,
    /// Start time in the kernel's own unit (Linux: clock ticks since boot; macOS: microseconds since 1970).
    pub started: u64,
    /// The boot in which the two above hold.
    pub boot: String,
}

/// What a process is doing, as far as healing cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessState {
    /// Running, sleeping: can be expected to act.
    Alive,
    /// Stopped by a signal or a debugger.
    Stopped,
    /// In an uninterruptible wait: KILL has no effect yet.
    Uninterruptible,
    /// Dead but not reaped. Counts as gone.
    Zombie,
}

/// One line of the process table.
#[derive(Debug, Clone)]
pub struct ProcessInfo {
    /// Who it is.
    pub identity: Identity,
    /// Its parent's pid.
    pub parent: i32,
    /// Its session (Linux) or process group (macOS), for finding a whole tree.
    pub session: i32,
    /// What it is doing.
    pub state: ProcessState,
}

impl Identity {
    /// The identity that a pid has at this moment; `None` when there is no such process (a zombie still counts as one).
    #[must_use]
    pub fn of(pid: i32) -> Option<Self> {
        Some(lookup(pid)?.identity)
    }

    /// True while this very process exists and is not a zombie.
    #[must_use]
    pub fn alive(&self) -> bool {
        self.info().is_some_and(|info| info.state != ProcessState::Zombie)
    }

    /// The process table's line for this very process; `None` when gone or when the pid now belongs to another.
    #[must_use]
    pub fn info(&self) -> Option<ProcessInfo> {
        if self.boot != boot_id() {
            return None;
        }
        lookup(self.pid).filter(|info| info.identity.started == self.started)
    }

    /// Milliseconds since this process started, by the kernel's account.
    #[must_use]
    pub fn age_ms(&self) -> Option<u64> {
        os::age_ms(self)
    }

    /// Sends a signal to this very process and to nobody else.
    ///
    /// On Linux through a pidfd that is opened first and verified after, so that a pid that is reused between the check
    /// and the signal is never hit. Elsewhere the identity is verified immediately before.
    ///
    /// # Errors
    /// `ESRCH` when the process is gone or the pid belongs to another; `EPERM` when it is not ours to signal.
    pub fn signal(&self, signal: rustix::process::Signal) -> Result<(), rustix::io::Errno> {
        os::signal(self, signal)
    }
}

/// Who we are. Unlike [`Identity::of`] this also answers for pid 1: in a container a supervisor may be just that.
#[must_use]
pub fn own() -> Identity {
    let pid = i32::try_from(std::process::id()).unwrap_or(0);
    os::lookup(pid).map_or_else(
        || Identity {
            pid,
            started: 0,
            boot: boot_id().to_owned(),
        },
        |info| info.identity,
    )
}

/// The process table's line of a pid; `None` when there is none. Pids below 2 are refused: they are never a service.
#[must_use]
pub fn lookup(pid: i32) -> Option<ProcessInfo> {
    if pid < 2 {
        return None;
    }
    os::lookup(pid)
}

/// Resident memory of a process and all its descendants, in bytes. The launcher of a forked worker stays flat while the
/// worker holds the real heap, so the tree counts, not the pid.
#[must_use]
pub fn tree_rss_bytes(root: &Identity) -> Option<u64> {
    root.info()?;
    let own = rss_bytes(root.pid)?;
    Some(
        descendants(root.pid)
            .iter()
            .filter_map(|p| rss_bytes(p.identity.pid))
            .fold(own, u64::saturating_add),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn invariant_10_a_process_is_its_pid_start_time_and_boot() {
        let mine = Identity::of(me()).unwrap();
        assert!(mine.alive());
        let earlier = Identity {
            started: mine.started.wrapping_sub(1),
            ..mine.clone()
        };
        assert!(!earlier.alive(), "a reused pid is a stranger");
        assert_eq!(
            earlier.signal(rustix::process::Signal::CONT),
            Err(rustix::io::Errno::SRCH)
        );
        let other_boot = Identity {
            boot: "another".into(),
            ..mine
        };
        assert!(!other_boot.alive(), "an identity of another boot is nobody");
    }

    #[test]
    fn pid_zero_and_one_are_never_a_service() {
        for pid in [i32::MIN, -1, 0, 1] {
            assert!(Identity::of(pid).is_none(), "{pid}");
        }
    }

    #[test]
    fn my_own_tree_uses_memory() {
        let mine = Identity::of(me()).unwrap();
        assert!(tree_rss_bytes(&mine).unwrap() > 100_000);
    }
}
