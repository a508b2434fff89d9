//! One loaded job and its process.

use crate::plist::{Definition, scaled};
use oc_testkit::launchd::Knobs;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs::File;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Instant;

/// "No such program" looks like this from outside.
const EX_CONFIG: i32 = 78;

/// How a process ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Code(i32),
    Signal(i32),
}

/// A loaded job.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) definition: Definition,
    pub(crate) runs: u64,
    pub(crate) last: Option<End>,
    pub(crate) pended: Option<String>,
    /// Unloaded as soon as the process has ended.
    pub(crate) draining: bool,
    child: Option<Child>,
    started: Option<Instant>,
    due: Option<Instant>,
    kill_at: Option<Instant>,
}

impl Job {
    pub(crate) fn loaded(definition: Definition, knobs: &Knobs) -> Self {
        let mut job = Self {
            definition,
            runs: 0,
            last: None,
            pended: None,
            draining: false,
            child: None,
            started: None,
            due: None,
            kill_at: None,
        };
        if job.definition.run_at_load {
            job.unasked("speculative", Instant::now(), knobs);
        } else {
            job.next_interval(Instant::now(), knobs);
        }
        job
    }

    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    pub(crate) fn state(&self) -> &'static str {
        match (&self.child, self.draining) {
            (_, true) => "SIGTERMed",
            (Some(_), false) => "running",
            (None, false) if self.due.is_some() && self.restarts() => "spawn scheduled",
            (None, false) => "not running",
        }
    }

    fn restarts(&self) -> bool {
        self.definition.keep_alive.always || self.definition.keep_alive.successful_exit.is_some()
    }

    /// Looks after it; true when it is to be forgotten.
    pub(crate) fn tick(&mut self, knobs: &Knobs) -> bool {
        let now = Instant::now();
        let ended = match self.child.as_mut().map(Child::try_wait) {
            Some(Ok(Some(status))) => Some(End::from(status)),
            Some(Err(_)) => Some(End::Code(255)),
            _ => None,
        };
        if let Some(end) = ended {
            self.ended(end, now, knobs);
        } else if self.kill_at.is_some_and(|at| at <= now) {
            self.kill_at = None;
            self.signal(Signal::KILL);
        }
        if self.draining {
            return self.child.is_none();
        }
        if self.child.is_none() && self.due.is_some_and(|at| at <= now) {
            self.spawn(now, knobs);
        }
        false
    }

    fn ended(&mut self, end: End, now: Instant, knobs: &Knobs) {
        if let Some(leader) = self.pid().and_then(pid)
            && !self.definition.abandon
        {
            // What is left of its group goes with it; there may be nothing.
            _ = kill_process_group(leader, Signal::KILL);
        }
        (self.child, self.last) = (None, Some(end));
        if self.draining {
            return;
        }
        let keep = &self.definition.keep_alive;
        let success = matches!(end, End::Code(0));
        if keep.always || keep.successful_exit == Some(success) {
            let throttle = scaled(self.definition.throttle, knobs.second_ms);
            let at = self.started.map_or(now, |started| now.max(started + throttle));
            self.unasked("inefficient", at, knobs);
        } else {
            self.next_interval(now, knobs);
        }
    }

    fn next_interval(&mut self, now: Instant, knobs: &Knobs) {
        self.due = self
            .definition
            .interval
            .map(|seconds| now + scaled(seconds, knobs.second_ms));
    }

    /// A start that nobody asked for.
    fn unasked(&mut self, reason: &str, at: Instant, knobs: &Knobs) {
        if knobs.pend.is_some() {
            self.pended = Some(knobs.pend.clone().unwrap_or_else(|| reason.to_owned()));
            self.due = None;
        } else {
            self.due = Some(at);
            if at <= Instant::now() {
                self.spawn(at, knobs);
            }
        }
    }

    /// A start that somebody asked for.
    pub(crate) fn start(&mut self, knobs: &Knobs) {
        if self.child.is_none() {
            self.spawn(Instant::now(), knobs);
        }
    }

    fn spawn(&mut self, now: Instant, knobs: &Knobs) {
        (self.due, self.pended) = (None, None);
        self.runs += 1;
        self.started = Some(now);
        match self.command().and_then(|mut command| command.spawn()) {
            Ok(child) => self.child = Some(child),
            Err(_) => self.ended(End::Code(EX_CONFIG), now, knobs),
        }
    }

    fn command(&self) -> std::io::Result<Command> {
        let Definition {
            argv, env, label, cwd, ..
        } = &self.definition;
        let (program, args) = argv.split_first().ok_or(std::io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", "/usr/bin:/bin:/usr/sbin:/sbin");
        for name in ["HOME", "USER", "LOGNAME", "SHELL", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("XPC_SERVICE_NAME", label).env("XPC_FLAGS", "0x0").envs(env);
        command.current_dir(cwd.as_deref().unwrap_or("/")).stdin(Stdio::null());
        command.stdout(output(self.definition.stdout.as_deref())?);
        command.stderr(output(self.definition.stderr.as_deref())?);
        // SAFETY: setsid is async-signal-safe and touches no memory of ours.
        #[expect(unsafe_code, reason = "std offers no stable setsid")]
        unsafe {
            command.pre_exec(|| rustix::process::setsid().map(drop).map_err(Into::into));
        }
        Ok(command)
    }

    /// Only its process, as launchd does; false when there is none.
    pub(crate) fn signal(&self, signal: Signal) -> bool {
        self.pid()
            .and_then(pid)
            .is_some_and(|pid| kill_process(pid, signal).is_ok())
    }

    /// TERM, and KILL when ExitTimeOut has passed; it is forgotten when it has ended.
    pub(crate) fn drain(&mut self, knobs: &Knobs) {
        self.draining = true;
        self.signal(Signal::TERM);
        let limit = self.definition.exit_timeout;
        self.kill_at = (limit > 0).then(|| Instant::now() + scaled(limit, knobs.second_ms));
    }

    /// Ends its process at once.
    pub(crate) fn end(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = child.kill();
            self.last = child.wait().ok().map(End::from);
        }
    }

    /// Ends its process at once and starts the next one.
    pub(crate) fn replace(&mut self, knobs: &Knobs) {
        self.end();
        self.spawn(Instant::now(), knobs);
    }
}

impl From<ExitStatus> for End {
    fn from(status: ExitStatus) -> Self {
        status
            .code()
            .map_or_else(|| Self::Signal(status.signal().unwrap_or(0)), Self::Code)
    }
}

fn pid(number: u32) -> Option<Pid> {
    i32::try_from(number).ok().and_then(Pid::from_raw)
}

fn output(path: Option<&str>) -> std::io::Result<Stdio> {
    match path {
        Some(path) => File::options().append(true).create(true).open(path).map(Stdio::from),
        None => Ok(Stdio::null()),
    }
}
