//! Waiting for processes and for what they write, always with a limit.

use super::{Ended, stop_signals};
use crate::clock::{Deadline, pause};
use crate::identity::Identity;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::Child;
use std::time::Duration;

/// Waits at most `limit` for a child to end; true when it has (and can be reaped without waiting).
pub fn wait_exit(child: &mut Child, limit: Duration) -> bool {
    let deadline = Deadline::after(limit);
    let fd = exit_fd(child);
    loop {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return true;
        }
        if deadline.passed() || stop_signals().pending().is_some() {
            return false;
        }
        wait_readable(&mut Sink::none(), &mut Sink::none(), fd.as_ref(), deadline.left());
    }
}

/// A descriptor that becomes readable when the child ends (Linux pidfd); elsewhere we look every few milliseconds.
pub(super) fn exit_fd(child: &Child) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).ok()?)?;
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _pid = child.id();
        None
    }
}

/// A descriptor that becomes readable when a process that is not our child ends (Linux); elsewhere `None`: look at
/// [`Identity::alive`] from time to time.
#[must_use]
pub fn exit_notice(identity: &Identity) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        let pid = rustix::process::Pid::from_raw(identity.pid)?;
        let fd = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()?;
        identity.alive().then_some(fd)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _none = identity;
        None
    }
}

/// Collects one child that has ended, whoever it is: for a supervisor, which as pid 1 or subreaper also inherits the
/// orphans of others. Never waits; `None` when nobody has ended. Not to be mixed with [`Child::wait`] in one process.
#[must_use]
pub fn reap() -> Option<(i32, Ended)> {
    loop {
        match rustix::process::wait(rustix::process::WaitOptions::NOHANG) {
            Err(rustix::io::Errno::INTR) => {}
            Err(_) | Ok(None) => return None,
            Ok(Some((pid, status))) => {
                let ended = match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Ended::Code(code),
                    (None, Some(signal)) => Ended::Signal(signal),
                    // Stopped or continued: not asked for, hence not told.
                    (None, None) => continue,
                };
                return Some((pid.as_raw_nonzero().get(), ended));
            }
        }
    }
}

/// Makes orphaned descendants ours to collect, where the kernel can (Linux). As pid 1 they are ours anyway.
pub fn become_subreaper() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::set_child_subreaper(Some(rustix::process::getpid())) {
        crate::out::talk(format_args!("orphans will be left to init: {error}"));
    }
}

/// One captured stream: keeps the first bytes, reads and drops the rest so that the child never blocks on a full pipe.
pub(super) struct Sink {
    pipe: Option<std::fs::File>,
    pub(super) bytes: Vec<u8>,
    cap: usize,
    pub(super) truncated: bool,
}

impl Sink {
    pub(super) fn new(fd: Option<OwnedFd>, cap: usize) -> Self {
        let pipe = fd
            .filter(|fd| rustix::io::ioctl_fionbio(fd, true).is_ok())
            .map(std::fs::File::from);
        Self {
            pipe,
            bytes: Vec::new(),
            cap,
            truncated: false,
        }
    }

    fn none() -> Self {
        Self {
            pipe: None,
            bytes: Vec::new(),
            cap: 0,
            truncated: false,
        }
    }

    pub(super) fn drain(&mut self) {
        let mut buffer = [0_u8; 16 * 1024];
        // Bounded per call, so that a child that writes for ever cannot keep us from looking at the deadline.
        for _ in 0..64 {
            let Some(pipe) = &mut self.pipe else { return };
            match pipe.read(&mut buffer) {
                Ok(0) => self.pipe = None,
                Ok(n) => {
                    let room = self.cap.saturating_sub(self.bytes.len()).min(n);
                    self.bytes.extend_from_slice(&buffer[..room]);
                    self.truncated |= room < n;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}

pub(super) fn wait_readable(out: &mut Sink, err: &mut Sink, exit: Option<&OwnedFd>, left: Duration) {
    let slice = if exit.is_some() {
        Duration::from_millis(500)
    } else {
        Duration::from_millis(10)
    };
    let wait = left.min(slice);
    let mut fds = Vec::with_capacity(3);
    for pipe in [&out.pipe, &err.pipe].into_iter().flatten() {
        fds.push(PollFd::new(pipe, PollFlags::IN));
    }
    if let Some(fd) = exit {
        fds.push(PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN));
    }
    let spec = rustix::time::Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(0),
        tv_nsec: i64::from(wait.subsec_nanos()),
    };
    if poll(&mut fds, Some(&spec)).is_err() {
        // EINTR: a signal arrived; the caller looks at the flags. Anything else must not become a busy loop.
        pause(Duration::from_millis(1));
    }
}
