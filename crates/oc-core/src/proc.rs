//! The one place that starts processes. Every subprocess has a deadline, its own process group, capped output, an empty
//! stdin unless bytes are given, and a kill ladder (TERM, grace, KILL, whole tree).

mod mark;
mod signals;
mod tree;
mod wait;

pub use mark::marked;
pub use signals::{StopSignals, stop_signals};
pub use tree::{end_tree, group_exists, kill_service_tree, signal_group};
pub use wait::{become_subreaper, exit_notice, reap, wait_exit};

use crate::clock::Deadline;
use crate::exit::Exit;
use crate::fault::{Fault, Result};
use mark::birth_mark;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use wait::{Sink, exit_fd, wait_readable};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Code(i32),
    /// Killed by this signal.
    Signal(i32),
    /// We ended it because its time was up.
    Deadline,
}

impl Ended {
    /// What a wrapper exits with: the child's own code, 128+n for a signal, 124 for a deadline.
    #[must_use]
    pub fn exit(self) -> Exit {
        match self {
            Self::Code(code) => Exit::Child(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
            Self::Signal(n) => Exit::Signal(u8::try_from(n).unwrap_or(127)),
            Self::Deadline => Exit::Deadline,
        }
    }

    /// True for exit status 0 only.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl From<ExitStatus> for Ended {
    fn from(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Code(255),
        }
    }
}

/// What a finished process left.
#[derive(Debug, Clone)]
pub struct Output {
    /// How it ended.
    pub ended: Ended,
    /// The first bytes of stdout, up to the cap.
    pub stdout: Vec<u8>,
    /// The first bytes of stderr, up to the cap.
    pub stderr: Vec<u8>,
    /// True when it wrote more than the cap; the rest was read and thrown away.
    pub truncated: bool,
    /// How long it ran.
    pub took: Duration,
}

impl Output {
    /// stdout as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn stdout_text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// stderr as text; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn stderr_text(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A command to run. The name is looked up on PATH.
#[derive(Debug)]
pub struct Cmd {
    command: Command,
    program: OsString,
    timeout: Duration,
    grace: Duration,
    cap: usize,
    stdin: Option<Vec<u8>>,
}

impl Cmd {
    /// Default: 10 s, 2 s between TERM and KILL, 1 MiB of output each.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let program = program.as_ref().to_owned();
        #[expect(clippy::disallowed_methods, reason = "the one place that starts processes")]
        let command = Command::new(&program);
        Self {
            command,
            program,
            timeout: Duration::from_secs(10),
            grace: Duration::from_secs(2),
            cap: 1 << 20,
            stdin: None,
        }
    }

    /// Adds arguments.
    pub fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(&mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(key, value);
        self
    }

    /// Removes a variable of the environment.
    pub fn env_remove(&mut self, key: impl AsRef<OsStr>) -> &mut Self {
        self.command.env_remove(key);
        self
    }

    /// Starts from an empty environment.
    pub fn env_clear(&mut self) -> &mut Self {
        self.command.env_clear();
        self
    }

    /// Sets the working directory.
    pub fn cwd(&mut self, dir: impl AsRef<Path>) -> &mut Self {
        self.command.current_dir(dir);
        self
    }

    /// Bytes for its stdin; without them stdin is /dev/null, so that nothing can wait for an answer.
    pub fn stdin(&mut self, bytes: impl Into<Vec<u8>>) -> &mut Self {
        self.stdin = Some(bytes.into());
        self
    }

    /// The longest it may run before the kill ladder begins.
    pub fn timeout(&mut self, limit: Duration) -> &mut Self {
        self.timeout = limit;
        self
    }

    /// Time between TERM and KILL.
    pub fn grace(&mut self, time: Duration) -> &mut Self {
        self.grace = time;
        self
    }

    /// The most bytes kept of each output stream.
    pub fn cap(&mut self, bytes: usize) -> &mut Self {
        self.cap = bytes;
        self
    }

    /// Runs it to its end, or to its deadline, and collects what it wrote. A process that leaves a background child on
    /// its pipes does not hold us: its own end is what counts.
    ///
    /// # Errors
    /// 127 not found, 126 not executable, 74 otherwise; 128+n when we were told to stop meanwhile (the child is ended).
    pub fn run(&mut self) -> Result<Output> {
        let stop = stop_signals();
        let deadline = Deadline::after(self.timeout);
        self.command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        self.command.stdin(if self.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let mut child = self.command.spawn().map_err(|e| spawn_fault(&self.program, &e))?;
        if let (Some(bytes), Some(mut pipe)) = (self.stdin.take(), child.stdin.take()) {
            // A child that does not read its stdin must not block us: the pipe is fed by a thread that dies with it.
            std::thread::spawn(move || drop(pipe.write_all(&bytes)));
        }
        let mut out = Sink::new(child.stdout.take().map(OwnedFd::from), self.cap);
        let mut err = Sink::new(child.stderr.take().map(OwnedFd::from), self.cap);
        let exit_fd = exit_fd(&child);
        let mut ended = None;
        while ended.is_none() {
            wait_readable(&mut out, &mut err, exit_fd.as_ref(), deadline.left());
            out.drain();
            err.drain();
            if let Ok(Some(status)) = child.try_wait() {
                ended = Some(Ended::from(status));
            } else if let Some(signal) = stop.pending() {
                end_tree(&mut child, self.grace);
                return Err(Fault::new(
                    Exit::Signal(signal),
                    format_args!("stopped by signal {signal}"),
                ));
            } else if deadline.passed() {
                end_tree(&mut child, self.grace);
                ended = Some(Ended::Deadline);
            }
        }
        out.drain();
        err.drain();
        Ok(Output {
            ended: ended.unwrap_or(Ended::Deadline),
            truncated: out.truncated || err.truncated,
            stdout: out.bytes,
            stderr: err.bytes,
            took: deadline.elapsed(),
        })
    }

    /// Starts it in its own process group with our stdout and stderr and leaves the waiting to the caller.
    ///
    /// # Errors
    /// 127 not found, 126 not executable, 74 otherwise.
    pub fn spawn(&mut self) -> Result<Child> {
        self.command.stdin(Stdio::null()).process_group(0);
        self.command.spawn().map_err(|e| spawn_fault(&self.program, &e))
    }

    /// Starts a service as the leader of its own session, with our stdout and stderr: signals of our terminal do not reach
    /// it, and its session names what belongs to it. Returns its pid; it is collected by [`reap`].
    ///
    /// The child writes its own birth mark (pid and start) before it becomes the service: we may be killed before we can record whom we
    /// started, and nobody may then start a second one.
    ///
    /// # Errors
    /// As [`Cmd::spawn`].
    pub fn spawn_service(&mut self, mark: Option<&std::fs::File>) -> Result<i32> {
        let mark = mark.and_then(|file| file.try_clone().ok());
        #[expect(unsafe_code, reason = "only the child can record itself before it runs")]
        // SAFETY: getpid, clock_gettime and pwrite are async-signal-safe; the buffer lies on the stack.
        unsafe {
            self.command.pre_exec(move || {
                // A full disk does not keep the service down.
                if let Some(mark) = &mark {
                    let _unmarked = rustix::io::pwrite(mark, &birth_mark(), 0);
                }
                Ok(())
            });
        }
        self.command.stdin(Stdio::null());
        let child = self.spawn_in_own_session()?;
        i32::try_from(child.id()).map_err(Fault::internal)
    }

    /// As [`Cmd::spawn`], with both outputs appended to `log`.
    ///
    /// # Errors
    /// As [`Cmd::spawn`], and 74 when the log cannot be shared.
    pub fn spawn_logged(&mut self, log: &std::fs::File) -> Result<Child> {
        let copy = || {
            log.try_clone()
                .map_err(|e| Fault::new(Exit::Io, format_args!("cannot share the log: {e}")))
        };
        self.command.stdout(copy()?).stderr(copy()?);
        self.spawn()
    }

    /// Starts something that outlives us: own session, no inherited descriptors of ours, outputs to `log`. What is
    /// started so is not ended with the run that started it, and does not hold its lock (our descriptors are CLOEXEC).
    ///
    /// # Errors
    /// As [`Cmd::spawn_logged`].
    pub fn spawn_detached(&mut self, log: &std::fs::File) -> Result<Child> {
        let copy = || {
            log.try_clone()
                .map_err(|e| Fault::new(Exit::Io, format_args!("cannot share the log: {e}")))
        };
        self.command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
        self.spawn_in_own_session()
    }

    fn spawn_in_own_session(&mut self) -> Result<Child> {
        #[expect(unsafe_code, reason = "std offers no stable setsid")]
        // SAFETY: setsid is async-signal-safe and touches no memory of this process.
        unsafe {
            self.command
                .pre_exec(|| rustix::process::setsid().map(drop).map_err(io::Error::from));
        }
        self.command.spawn().map_err(|e| spawn_fault(&self.program, &e))
    }

    /// Replaces this process by the command. Returns only on failure.
    pub fn exec(&mut self) -> Fault {
        let error = self.command.exec();
        spawn_fault(&self.program, &error)
    }
}

fn spawn_fault(program: &OsStr, error: &io::Error) -> Fault {
    let name = Path::new(program).display();
    match error.kind() {
        io::ErrorKind::NotFound => {
            Fault::new(Exit::NotFound, format_args!("cannot run {name}: not found")).hint(format_args!(
                "is its directory on PATH? ({})",
                std::env::var("PATH").unwrap_or_default()
            ))
        }
        io::ErrorKind::PermissionDenied => {
            Fault::new(Exit::CannotExec, format_args!("cannot run {name}: not executable"))
        }
        _ => Fault::new(Exit::Io, format_args!("cannot run {name}: {error}")),
    }
}

/// The absolute path of a program on PATH, for messages and for pinning into service definitions.
#[must_use]
pub fn which(program: &str) -> Option<std::path::PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |p: &Path| {
        p.metadata()
            .is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return std::path::absolute(program).ok().filter(|p| runs(p));
    }
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|dir| dir.join(program))
        .find(|p| runs(p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::pause;
    use crate::identity::{Identity, descendants};
    use rustix::process::Signal;

    fn sh(script: &str) -> Cmd {
        let mut cmd = Cmd::new("/bin/sh");
        cmd.args(["-c", script]);
        cmd
    }

    #[test]
    fn output_and_code_come_back() {
        let out = sh("echo hi; echo no >&2; exit 3").run().unwrap();
        assert_eq!(
            (out.ended, out.stdout_text().as_str(), out.stderr_text().as_str()),
            (Ended::Code(3), "hi\n", "no\n")
        );
    }

    #[test]
    fn output_is_capped_and_the_writer_is_not_blocked() {
        let out = sh("head -c 3000000 /dev/zero").cap(1000).run().unwrap();
        assert_eq!(
            (out.ended, out.stdout.len(), out.truncated),
            (Ended::Code(0), 1000, true)
        );
    }

    #[test]
    fn a_deadline_ends_the_whole_group_even_when_term_is_ignored() {
        let mut cmd = sh("trap '' TERM; sleep 600 & echo $!; wait; sleep 600");
        let out = cmd
            .timeout(Duration::from_millis(300))
            .grace(Duration::from_millis(100))
            .run()
            .unwrap();
        assert_eq!(out.ended, Ended::Deadline);
        let background: i32 = out.stdout_text().trim().parse().unwrap();
        let gone = Deadline::after(Duration::from_secs(5));
        while Identity::of(background).is_some_and(|i| i.alive()) && !gone.passed() {
            pause(Duration::from_millis(5));
        }
        assert!(
            !Identity::of(background).is_some_and(|i| i.alive()),
            "the background child outlived the ladder"
        );
    }

    #[test]
    fn a_background_child_on_the_pipe_does_not_hold_us() {
        let out = sh("sleep 5 & echo $!").run().unwrap();
        assert!(out.took < Duration::from_secs(4), "{:?}", out.took);
        let left: i32 = out.stdout_text().trim().parse().unwrap();
        Identity::of(left).unwrap().signal(Signal::KILL).unwrap();
    }

    #[test]
    fn missing_and_unexecutable_programs_are_told_apart() {
        assert_eq!(Cmd::new("/no/such/program").run().unwrap_err().exit, Exit::NotFound);
        assert_eq!(Cmd::new("/etc/passwd").run().unwrap_err().exit, Exit::CannotExec);
    }

    #[test]
    fn stdin_is_empty_unless_given() {
        assert_eq!(sh("cat").run().unwrap().stdout, b"");
        assert_eq!(sh("cat").stdin("words").run().unwrap().stdout, b"words");
    }

    #[test]
    fn a_service_tree_is_killed_with_children_in_their_own_session() {
        let dir = tempfile::tempdir().unwrap();
        let log = crate::fsx::open_append(&dir.path().join("log")).unwrap();
        let mut child = sh("setsid sleep 600 & sleep 600 & wait").spawn_detached(&log).unwrap();
        let root = Identity::of(i32::try_from(child.id()).unwrap()).unwrap();
        let deadline = Deadline::after(Duration::from_secs(5));
        while descendants(root.pid).len() < 2 && !deadline.passed() {
            pause(Duration::from_millis(5));
        }
        let tree = descendants(root.pid);
        assert_eq!(tree.len(), 2);
        kill_service_tree(&root).unwrap();
        child.wait().unwrap();
        let deadline = Deadline::after(Duration::from_secs(5));
        while tree.iter().any(|p| p.identity.alive()) && !deadline.passed() {
            pause(Duration::from_millis(5));
        }
        assert!(tree.iter().all(|p| !p.identity.alive()));
    }
}
