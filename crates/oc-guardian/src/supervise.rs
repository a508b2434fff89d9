//! Level 0: keeps one service running. A single loop waits for signals, commands, timers and the readiness answer; it
//! starts the service first and tells about it afterwards.

pub mod control;
pub mod heal;
pub mod process;
pub mod ready;
pub mod record;
pub mod rule;
pub mod signals;

pub use heal::{Healer, forget_run};
pub use ready::Question;
pub use rule::Rule;

use control::Control;
use oc_core::clock::{Deadline, Stamp};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::identity::{self, Identity, ProcessInfo};
use oc_core::journal::Kind;
use oc_core::proc::{self, Ended};
use oc_core::report::ServiceExit;
use oc_core::service::Verb;
use oc_core::service::embedded::{Command, Dir, EXITS_KEPT, Phase, Refusal, Status};
use oc_core::world::World;
use process::Process;
use record::Record;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Signal;
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signals::Signals;
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::time::Duration;

/// How often an adopted process is looked at where the kernel does not report its end.
const ADOPTED_LOOK: Duration = Duration::from_millis(250);
/// After a KILL without effect (uninterruptible sleep) it is repeated this often.
const KILL_AGAIN: Duration = Duration::from_secs(5);

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

/// The process was told to end, or to restart in place.
#[derive(Debug)]
struct Ending {
    /// KILL then.
    kill: Deadline,
    /// What belonged to it when it was told: children with a session of their own are not found later.
    tree: Vec<ProcessInfo>,
    /// It may go on as the same process with a new start inside.
    in_place: bool,
}

/// The state of level 0.
#[derive(Debug)]
pub struct Supervisor<'a> {
    world: &'a World,
    plan: Plan,
    signals: Signals,
    control: Control,
    record: Record<'a>,
    process: Option<Process>,
    ending: Option<Ending>,
    wanted: bool,
    leaving: bool,
    next_start: Option<(Deadline, String)>,
    exits: Vec<ServiceExit>,
    failed_starts: u32,
    starts: u64,
    heard: u64,
    done: u64,
    refused: Option<Refusal>,
    last_end: Option<Ended>,
}

impl<'a> Supervisor<'a> {
    /// Prepares everything; nothing is started yet. The caller holds the supervisor's lock.
    ///
    /// # Errors
    /// 74 or 77 when the control FIFO or the signals cannot be set up.
    pub fn new(world: &'a World, plan: Plan) -> Result<Self> {
        let handled = [SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2];
        let signals = Signals::watch(&handled)?;
        proc::become_subreaper();
        Ok(Self {
            control: Control::open(&Dir::of(&world.paths))?,
            record: Record::new(world),
            world,
            plan,
            signals,
            process: None,
            ending: None,
            wanted: true,
            leaving: false,
            next_start: None,
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
        while !self.over() {
            self.tell();
            self.wait();
            for signal in self.signals.take() {
                self.on_signal(signal);
            }
            self.on_adopted_end();
            for command in self.control.take() {
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

    /// Takes over what a supervisor that died left: its account, and its process if that still lives. Never a second one.
    fn begin(&mut self) {
        self.wanted = !self.stopped_on_purpose();
        let left = Dir::of(&self.world.paths).status();
        let Some(left) = left.filter(|s| s.stamp.boot == oc_core::clock::boot_id()) else {
            return self.start_if_wanted();
        };
        self.exits = left.exits;
        self.failed_starts = left.never_ready_in_a_row;
        self.starts = left.starts;
        self.heard = left.acknowledged;
        match left.child.filter(Identity::alive) {
            Some(child) => {
                let text = format!("took over pid {} from a supervisor that died", child.pid);
                self.record.event(Kind::Guardian, text);
                let mut process = Process::adopt(child, left.phase == Phase::Up);
                if !process.ready {
                    process.ask(self.plan.question.as_ref(), self.signals.waker(), false);
                }
                self.process = Some(process);
                if !self.wanted {
                    self.end_gently();
                }
            }
            None => self.start_if_wanted(),
        }
    }

    fn over(&self) -> bool {
        self.leaving && self.process.is_none()
    }

    // ---- what is told -------------------------------------------------------------------------------------------

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
        let status = Status {
            supervisor: identity::own(),
            child: self.process.as_ref().map(|p| p.identity.clone()),
            phase,
            wanted: self.wanted,
            never_ready_in_a_row: self.failed_starts,
            exits: self.exits.clone(),
            starts: self.starts,
            next_start_at: self.next_start.as_ref().map(|(_, at)| at.clone()),
            acknowledged: self.done,
            refused: self.refused.clone(),
            stamp: Stamp::now(),
        };
        self.record.flush(status);
    }

    // ---- what happens -------------------------------------------------------------------------------------------

    fn wait(&mut self) {
        let mut wait = Duration::from_secs(3600);
        let mut at_most = |limit: Duration| wait = wait.min(limit);
        if let Some((next, _)) = &self.next_start {
            at_most(next.left());
        }
        if let Some(ending) = &self.ending {
            at_most(ending.kill.left());
        }
        if let Some(due) = self.plan.healer.as_ref().and_then(Healer::due_in) {
            at_most(due);
        }
        let notice = self.process.as_ref().and_then(|p| p.notice.as_ref());
        if self.process.as_ref().is_some_and(|p| p.adopted) && notice.is_none() {
            at_most(ADOPTED_LOOK);
        }
        let mut fds = vec![
            PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            PollFd::from_borrowed_fd(self.control.as_fd(), PollFlags::IN),
        ];
        if let Some(notice) = notice {
            fds.push(PollFd::from_borrowed_fd(notice.as_fd(), PollFlags::IN));
        }
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

    fn on_signal(&mut self, signal: i32) {
        match signal {
            SIGCHLD => self.on_child(),
            // INT again: the person at the terminal does not want to wait for the drain.
            SIGINT if self.leaving => self.kill(),
            SIGTERM | SIGINT | SIGQUIT => {
                self.leaving = true;
                self.stop();
            }
            SIGHUP => self.forward(Signal::HUP),
            SIGUSR2 => self.forward(Signal::USR2),
            _ => oc_core::out::talk("USR1 is not passed on: it makes Node open a debugger"),
        }
    }

    fn forward(&self, signal: Signal) {
        if let Some(process) = &self.process
            && let Err(error) = process.identity.signal(signal)
        {
            oc_core::out::talk(format_args!("cannot pass on signal {}: {error}", signal.as_raw()));
        }
    }

    fn on_child(&mut self) {
        // While the dead process is not collected its pid, hence its group and session, cannot belong to a stranger: what it
        // left in its group goes before a new one needs the same port.
        if let Some(process) = self.process.as_ref().filter(|p| !p.adopted && !p.identity.alive()) {
            proc::signal_group(process.identity.pid, Signal::KILL);
            if self.ending.is_some() {
                end_all(&identity::session_members(process.identity.pid));
            }
        }
        while let Some((pid, ended)) = proc::reap() {
            if self
                .process
                .as_ref()
                .is_some_and(|p| !p.adopted && p.identity.pid == pid)
            {
                self.on_exit(Some(ended));
            } else if let Some(healer) = &mut self.plan.healer {
                healer.ended(pid);
            }
        }
    }

    fn on_adopted_end(&mut self) {
        if self.process.as_ref().is_some_and(|p| p.adopted && !p.identity.alive()) {
            self.on_exit(None);
        }
    }

    fn on_exit(&mut self, ended: Option<Ended>) {
        let Some(process) = self.process.take() else { return };
        let ending = self.ending.take();
        let at = Stamp::now();
        let (status, signal) = match ended {
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(signal)) => (None, Some(signal)),
            _ => (None, None),
        };
        let exit = ServiceExit {
            ran_ms: u64::try_from(at.since(&process.began).as_millis()).unwrap_or(u64::MAX),
            at,
            status,
            signal,
            was_ready: process.ready,
        };
        self.last_end = ended;
        self.exits.push(exit.clone());
        if self.exits.len() > EXITS_KEPT {
            self.exits.remove(0);
        }
        if let Some(ending) = &ending {
            // After a deliberate end nothing of the tree stays behind, not even what has a session of its own.
            end_all(&ending.tree);
        } else if self.plan.rule.failed_start(&exit) {
            self.failed_starts = self.failed_starts.saturating_add(1);
        } else {
            self.failed_starts = 0;
        }
        if self.wanted {
            let pause = match ending {
                Some(_) => Duration::ZERO,
                None => self.plan.rule.pause(self.failed_starts, &self.exits),
            };
            self.start_after(pause);
        }
        // Everything from here on may take its time.
        self.note_exit(&process, &exit, ending.is_some());
        if ending.is_none()
            && let Some(healer) = &mut self.plan.healer
        {
            healer.poke();
        }
    }

    fn note_exit(&mut self, process: &Process, exit: &ServiceExit, told: bool) {
        let how = match (exit.status, exit.signal) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        let next = match (&self.process, &self.next_start) {
            (Some(new), _) => format!("; pid {} started", new.identity.pid),
            (None, Some((wait, _))) => {
                format!("; next start in {:.1} s", wait.left().as_secs_f64())
            }
            (None, None) => String::new(),
        };
        let why = if told { ", as it was told to" } else { "" };
        let text = format!("the service (pid {}) {how}{why}{next}", process.identity.pid);
        let failed = self.failed_starts;
        let event = self.record.event(Kind::Exited, text);
        *event = event
            .clone()
            .with("pid", process.identity.pid)
            .with("status", exit.status)
            .with("signal", exit.signal)
            .with("was_ready", exit.was_ready)
            .with("ran_ms", exit.ran_ms)
            .with("told", told)
            .with("never_ready_in_a_row", failed);
    }

    fn on_ready(&mut self) {
        let Some(process) = &mut self.process else { return };
        if !process.watch.as_ref().is_some_and(ready::Watch::ready) {
            return;
        }
        process.watch = None;
        process.ready = true;
        self.failed_starts = 0;
        let took = Stamp::now().since(&process.began);
        let pid = process.identity.pid;
        let in_place = self.ending.take_if(|e| e.in_place).is_some();
        let text = if in_place {
            format!("the service (pid {pid}) restarted in place and is ready")
        } else {
            format!("the service (pid {pid}) is ready after {} ms", took.as_millis())
        };
        let event = self.record.event(Kind::Ready, text);
        *event = event
            .clone()
            .with("pid", pid)
            .with("in_place", in_place)
            .with("took_ms", u64::try_from(took.as_millis()).ok().filter(|_| !in_place));
    }

    fn on_time(&mut self) {
        if self.ending.as_ref().is_some_and(|e| e.kill.passed()) {
            self.kill();
        }
        if self.next_start.as_ref().is_some_and(|(at, _)| at.passed()) {
            self.start_if_wanted();
        }
        if let Some(healer) = &mut self.plan.healer {
            healer.tick();
        }
    }

    // ---- what people and the chain want -------------------------------------------------------------------------

    fn on_command(&mut self, command: Command) {
        let current = self.process.as_ref().map(|p| &p.identity);
        let refusal = if self.leaving {
            Some("the supervisor is ending".to_owned())
        } else if command.only.is_some() && command.only.as_ref() != current {
            Some(match current {
                Some(other) => format!(
                    "the service is now pid {}, another process than the one meant",
                    other.pid
                ),
                None => "the process meant is gone".to_owned(),
            })
        } else if command.verb != Verb::Stop && self.stopped_on_purpose() {
            Some("the service was stopped on purpose".to_owned())
        } else {
            None
        };
        self.heard = self.heard.max(command.number);
        if let Some(reason) = refusal {
            oc_core::out::talk(format_args!("refused: {reason}"));
            self.refused = Some(Refusal {
                number: command.number,
                reason,
            });
            return;
        }
        match command.verb {
            Verb::Stop => self.stop(),
            Verb::Start => {
                self.wanted = true;
                self.start_if_wanted();
            }
            Verb::Restart => self.restart(),
            Verb::Kill => {
                self.wanted = true;
                self.kill();
                self.start_if_wanted();
            }
        }
    }

    fn stop(&mut self) {
        self.wanted = false;
        self.next_start = None;
        self.end_gently();
    }

    fn restart(&mut self) {
        self.wanted = true;
        let Some(process) = &mut self.process else {
            return self.start_if_wanted();
        };
        if self.ending.is_some() {
            return;
        }
        match self.plan.restart_signal.filter(|_| process.ready) {
            Some(signal) if process.identity.signal(signal).is_ok() => {
                process.ask(self.plan.question.as_ref(), self.signals.waker(), true);
                self.ending = Some(self.ending_now(true));
            }
            _ => self.end_gently(),
        }
    }

    /// TERM, and KILL when its time is up.
    fn end_gently(&mut self) {
        if let Some(process) = &self.process
            && self.ending.as_ref().is_none_or(|e| e.in_place)
        {
            self.ending = Some(self.ending_now(false));
            if let Err(error) = process.identity.signal(Signal::TERM)
                && error != rustix::io::Errno::SRCH
            {
                oc_core::out::talk(format_args!("cannot end pid {}: {error}", process.identity.pid));
            }
        }
    }

    fn ending_now(&self, in_place: bool) -> Ending {
        let tree = self.process.as_ref().map(|p| identity::descendants(p.identity.pid));
        Ending {
            kill: Deadline::after(self.plan.stop_timeout),
            tree: tree.unwrap_or_default(),
            in_place,
        }
    }

    /// KILLs the whole tree; its end is then reported like any other.
    fn kill(&mut self) {
        let Some(process) = &self.process else { return };
        let mut ending = self.ending_now(false);
        ending.kill = Deadline::after(KILL_AGAIN);
        if let Some(before) = self.ending.take() {
            ending.tree.extend(before.tree);
        }
        let pid = process.identity.pid;
        let text = match proc::kill_service_tree(&process.identity) {
            Ok(count) => format!("ended the service (pid {pid}) with KILL, {count} processes"),
            Err(error) => format!("cannot KILL the service (pid {pid}): {error}"),
        };
        self.ending = Some(ending);
        self.record.event(Kind::Guardian, text);
    }

    fn start_after(&mut self, pause: Duration) {
        if pause.is_zero() {
            return self.start_if_wanted();
        }
        self.next_start = Some((Deadline::after(pause), Stamp::now().plus(pause).rfc3339()));
    }

    fn start_if_wanted(&mut self) {
        self.next_start = None;
        if self.process.is_some() || !self.wanted || self.leaving {
            return;
        }
        // `stop` writes the will down before it tells us: if it died in between, the will still holds.
        if self.stopped_on_purpose() {
            self.wanted = false;
            return;
        }
        match Process::start(&self.plan.command) {
            Ok(mut process) => {
                process.ask(self.plan.question.as_ref(), self.signals.waker(), false);
                self.starts += 1;
                let pid = process.identity.pid;
                self.process = Some(process);
                let event = self
                    .record
                    .event(Kind::Started, format!("the service started as pid {pid}"));
                *event = event.clone().with("pid", pid);
            }
            Err(fault) => {
                self.failed_starts = self.failed_starts.saturating_add(1);
                let pause = self.plan.rule.pause(self.failed_starts, &[]);
                self.start_after(pause.max(Duration::from_millis(100)));
                self.record
                    .event(Kind::Warning, format!("the service cannot be started: {fault}"));
            }
        }
    }

    /// An intent that cannot be read does not keep the service down: starting it is the safe side here.
    fn stopped_on_purpose(&self) -> bool {
        self.world.intent().is_ok_and(|intent| intent.stopped.is_some())
    }
}

fn end_all(processes: &[ProcessInfo]) {
    for process in processes {
        // Gone by itself is as good.
        let _gone = process.identity.signal(Signal::KILL);
    }
}
