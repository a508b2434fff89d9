//! Level 0: keeps one service running. A single loop waits for signals, commands, timers and the readiness answer; it
//! starts the service first and tells about it afterwards.

pub mod commands;
pub mod control;
pub mod heal;
pub mod life;
pub mod mended;
pub mod process;
pub mod ready;
pub mod record;
pub mod remains;
pub mod rule;
pub mod signals;

use control::Control;
use heal::Healer;
use life::Ending;
use mended::Watched;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::identity::{self, Identity};
use oc_core::proc::{self, Ended};
use oc_core::report::ServiceExit;
use oc_core::service::embedded::{Dir, Phase, Refusal, Status};
use oc_core::world::World;
use process::Process;
use ready::Question;
use record::Record;
use remains::Remains;
use rule::Rule;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signals::Signals;
use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

/// How often an adopted process is looked at where the kernel does not report its end.
const ADOPTED_LOOK: Duration = Duration::from_millis(250);
/// How often it is looked at whether init has collected it.
const COLLECTED_LOOK: Duration = Duration::from_millis(10);

/// What is kept running, and how.
#[derive(Debug)]
pub struct Plan {
    /// The service: program and arguments.
    pub command: Vec<String>,
    /// When it is started again.
    pub rule: Rule,
    /// How it is asked whether it is ready; `None` when there is nothing to ask.
    pub question: Option<Arc<Question>>,
    /// Between TERM and KILL.
    pub stop_timeout: Duration,
    /// The signal that makes it restart after finishing its work.
    pub restart_signal: Option<Signal>,
    /// Who starts healing passes.
    pub healer: Option<Healer>,
}

/// The state of level 0.
#[derive(Debug)]
pub struct Supervisor<'a> {
    world: &'a World,
    plan: Plan,
    me: Identity,
    signals: Signals,
    /// `None` when it could not be made: then only signals are heard.
    control: Option<Control>,
    record: Record<'a>,
    /// The service's process marks itself here, see [`proc::Cmd::spawn_service`].
    mark: Option<File>,
    /// The service's process; `None` while there is none.
    process: Option<Process>,
    /// Set while that process was told to end or to restart.
    ending: Option<Ending>,
    /// What the process before left behind, which the next start waits for.
    remains: Option<Remains>,
    /// Whether the service is to run.
    wanted: bool,
    /// TERM or INT was seen: we end when the service has ended.
    leaving: bool,
    /// The next start and its time for readers, while in backoff.
    next_start: Option<(oc_core::clock::Deadline, String)>,
    /// The service's configuration, as the last start found it.
    config: Watched,
    /// Recent ends, oldest first.
    exits: Vec<ServiceExit>,
    failed_starts: u32,
    starts: u64,
    /// Highest number of a command that was heard, and of one that is done.
    heard: u64,
    done: u64,
    refused: Option<Refusal>,
    last_end: Option<Ended>,
}

impl<'a> Supervisor<'a> {
    /// Prepares everything; nothing is started yet. The caller holds the supervisor's lock. What cannot be made of our own
    /// files (a full disk) is told and done without.
    ///
    /// # Errors
    /// 74 when signals cannot be watched.
    pub fn new(world: &'a World, plan: Plan) -> Result<Self> {
        let handled = [SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2];
        let signals = Signals::watch(&handled)?;
        proc::become_subreaper();
        let dir = Dir::of(&world.paths);
        Ok(Self {
            control: told(Control::open(&dir)),
            mark: told(dir.open_mark()),
            record: Record::new(world),
            me: identity::own(),
            world,
            plan,
            signals,
            process: None,
            ending: None,
            remains: None,
            wanted: true,
            leaving: false,
            next_start: None,
            config: Watched::new(world.paths.service_config()),
            exits: Vec::new(),
            failed_starts: 0,
            starts: 0,
            heard: 0,
            done: 0,
            refused: None,
            last_end: None,
        })
    }

    /// Runs until TERM or INT; returns what to exit with.
    pub fn run(mut self) -> Exit {
        self.begin();
        while !(self.leaving && self.process.is_none()) {
            self.tell();
            self.wait();
            for signal in self.signals.take() {
                self.on_signal(signal);
            }
            self.on_adopted_end();
            for command in self.control.as_mut().map(Control::take).unwrap_or_default() {
                self.on_command(command);
            }
            self.on_ready();
            self.on_time();
        }
        self.tell();
        match self.last_end {
            // Ended by the very TERM it was sent: that is how a program without a handler ends cleanly.
            None | Some(Ended::Code(0)) => Exit::Good,
            Some(Ended::Signal(signal)) if signal == SIGTERM => Exit::Good,
            Some(ended) => ended.exit(),
        }
    }

    fn phase(&self) -> Phase {
        match (&self.process, &self.ending) {
            (Some(_), Some(_)) => Phase::Stopping,
            (Some(process), None) if process.ready => Phase::Up,
            (Some(_), None) => Phase::Starting,
            (None, _) if self.wanted => Phase::Backoff,
            (None, _) => Phase::Down,
        }
    }

    fn tell(&mut self) {
        let phase = self.phase();
        // A command counts as carried out when what it began is over.
        if phase != Phase::Stopping {
            self.done = self.heard;
        }
        self.record.flush(Status {
            supervisor: self.me.clone(),
            child: self.process.as_ref().map(|p| p.identity.clone()),
            phase,
            wanted: self.wanted,
            never_ready_in_a_row: self.failed_starts,
            exits: self.exits.clone(),
            starts: self.starts,
            next_start_at: self.next_start.as_ref().map(|(_, at)| at.clone()),
            acknowledged: self.done,
            refused: self.refused.clone(),
            stamp: oc_core::clock::Stamp::now(),
        });
    }

    /// Sleeps until something happens or the next timer is due.
    fn wait(&self) {
        let mut wait = Duration::from_secs(3600);
        let mut at_most = |limit: Duration| wait = wait.min(limit);
        if let Some((next, _)) = &self.next_start {
            at_most(next.left().min(mended::LOOK));
        }
        if let Some(ending) = &self.ending {
            at_most(ending.kill.left());
        }
        if let Some(due) = self.plan.healer.as_ref().and_then(Healer::due_in) {
            at_most(due);
        }
        let notice = self.process.as_ref().and_then(|p| p.notice.as_ref());
        match self.process.as_ref().filter(|p| p.adopted && p.notice.is_none()) {
            Some(process) if process.dead.is_some() => at_most(COLLECTED_LOOK),
            Some(_) => at_most(ADOPTED_LOOK),
            None => {}
        }
        let control = self.control.as_ref().map(Control::as_fd);
        let mut fds: Vec<PollFd<'_>> = [Some(self.signals.as_fd()), control, notice.map(OwnedFd::as_fd)]
            .into_iter()
            .flatten()
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN))
            .collect();
        // Rounded up to the next millisecond, so that a timer is over when we wake for it.
        let millis = i64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(i64::MAX);
        let spec = Timespec {
            tv_sec: millis / 1000,
            tv_nsec: (millis % 1000) * 1_000_000,
        };
        // Interrupted or not: everything is looked at after each wait.
        if let Err(error) = rustix::event::poll(&mut fds, Some(&spec))
            && error != rustix::io::Errno::INTR
        {
            oc_core::out::talk(format_args!("cannot wait: {error}"));
            oc_core::clock::pause(Duration::from_millis(100));
        }
    }

    fn on_time(&mut self) {
        if self.ending.as_ref().is_some_and(|e| e.kill.passed()) {
            self.kill();
        }
        let due = |at: &oc_core::clock::Deadline| at.passed() || self.config.changed();
        if self.next_start.as_ref().is_some_and(|(at, _)| due(at)) {
            self.start_if_wanted();
        }
        if let Some(healer) = &mut self.plan.healer {
            healer.tick();
        }
    }
}

fn told<T>(made: Result<T>) -> Option<T> {
    made.inspect_err(|fault| oc_core::out::talk(format_args!("going on without: {fault}")))
        .ok()
}
