//! The life of the service's process: its start, its readiness, its end, and what follows from it.

use super::Supervisor;
use super::process::Process;
use super::ready::Watch;
use super::remains::{self, Remains};
use oc_core::clock::{Deadline, Stamp, boot_id};
use oc_core::identity::{self, Identity, ProcessInfo};
use oc_core::intent::Intent;
use oc_core::journal::Kind;
use oc_core::proc::{self, Ended};
use oc_core::report::ServiceExit;
use oc_core::service::embedded::{Dir, EXITS_KEPT, Phase};
use rustix::process::Signal;
use std::time::Duration;

/// After a KILL without effect (uninterruptible sleep) it is repeated this often.
const KILL_AGAIN: Duration = Duration::from_secs(5);
/// The least wait after a start that failed, whatever the configuration says.
const SPAWN_PAUSE: Duration = Duration::from_millis(100);

/// Init collects a dead process that is not our child within this time.
const COLLECT: Duration = Duration::from_secs(2);

/// The process was told to end, or to restart in place.
#[derive(Debug)]
pub struct Ending {
    /// KILL then.
    pub(super) kill: Deadline,
    /// What belonged to it when it was told: children with a session of their own are not found later.
    tree: Vec<ProcessInfo>,
    /// It may go on as the same process with a new start inside.
    in_place: bool,
    /// KILL was sent.
    killed: bool,
}

impl Supervisor<'_> {
    /// Takes over what a supervisor that died left: its account, and its process if that still lives. Never a second one.
    pub(super) fn begin(&mut self) {
        self.wanted = !self.stopped_on_purpose();
        if !self.wanted {
            let text = "the service was stopped on purpose and stays so; `oc-guardian start` starts it";
            self.record.event(Kind::Guardian, text);
        }
        let dir = Dir::of(&self.world.paths);
        let mut up = None;
        if let Some(left) = dir.status().filter(|s| s.stamp.boot == boot_id()) {
            self.exits = left.exits;
            self.failed_starts = left.never_ready_in_a_row;
            self.starts = left.starts;
            self.heard = left.acknowledged;
            up = left.child.filter(|_| left.phase == Phase::Up);
        }
        if let Some(child) = dir.orphan() {
            let ready = up.as_ref() == Some(&child);
            self.adopt(child, ready);
        }
        self.start_if_wanted();
    }

    fn adopt(&mut self, child: Identity, ready: bool) {
        if child.alive() {
            let text = format!("took over pid {} from a supervisor that died", child.pid);
            self.record.event(Kind::Guardian, text);
        }
        let mut process = Process::adopt(child, ready);
        if !ready {
            process.ask(self.plan.question.as_ref(), self.signals.waker(), false);
        }
        self.process = Some(process);
        if !self.wanted {
            self.end_gently();
        }
    }

    // ---- start --------------------------------------------------------------------------------------------------

    fn start_after(&mut self, pause: Duration) {
        if pause.is_zero() {
            return self.start_if_wanted();
        }
        self.next_start = Some((Deadline::after(pause), Stamp::now().plus(pause).rfc3339()));
    }

    /// Starts the service if it is to run and does not.
    pub(super) fn start_if_wanted(&mut self) {
        let due = self.next_start.take();
        if self.process.is_some() || !self.wanted || self.leaving {
            return;
        }
        // `stop` writes the will down before it tells us: if it died in between, the will still holds.
        if self.stopped_on_purpose() {
            self.wanted = false;
            return;
        }
        if self.remains.as_ref().is_some_and(|remains| !remains.gone()) {
            let due = due.map_or_else(|| Stamp::now().rfc3339(), |(_, due)| due);
            self.next_start = Some((Deadline::after(remains::LOOK), due));
            return;
        }
        self.remains = None;
        self.config.note();
        match Process::start(&self.plan.command, self.mark.as_ref()) {
            Ok(mut process) => {
                process.ask(self.plan.question.as_ref(), self.signals.waker(), false);
                self.starts += 1;
                self.record.started(process.identity.pid);
                self.process = Some(process);
            }
            Err(fault) => {
                self.failed_starts = self.failed_starts.saturating_add(1);
                let pause = self.plan.rule.pause(self.failed_starts, &[]).max(SPAWN_PAUSE);
                self.record
                    .event(Kind::Warning, format!("the service cannot be started: {fault}"));
                self.start_after(pause);
            }
        }
    }

    pub(super) fn on_ready(&mut self) {
        let Some(process) = &mut self.process else { return };
        if !process.watch.as_ref().is_some_and(Watch::ready) {
            return;
        }
        process.watch = None;
        process.ready = true;
        self.failed_starts = 0;
        let took = Stamp::now().since(&process.began);
        let in_place = self.ending.take_if(|e| e.in_place).is_some();
        self.record.ready(process.identity.pid, (!in_place).then_some(took));
    }

    /// A will that cannot be read does not keep the service down: starting it is the safe side here.
    pub(super) fn stopped_on_purpose(&self) -> bool {
        Intent::peek(&self.world.paths.intent()).is_ok_and(|intent| intent.stopped.is_some())
    }

    // ---- end ----------------------------------------------------------------------------------------------------

    pub(super) fn on_child(&mut self) {
        // While the dead process is not collected its pid, hence its group and session, cannot belong to a stranger: what it
        // left in its group goes before a new one needs the same port.
        if let Some(process) = self.process.as_ref().filter(|p| !p.adopted && !p.identity.alive()) {
            proc::signal_group(process.identity.pid, Signal::KILL);
            if self.ending.is_some() {
                end_all(&identity::session_members(process.identity.pid));
            }
        }
        let mut own = None;
        while let Some((pid, ended)) = proc::reap() {
            if self
                .process
                .as_ref()
                .is_some_and(|p| !p.adopted && p.identity.pid == pid)
            {
                own = Some(ended);
            } else if let Some(healer) = &mut self.plan.healer {
                healer.ended(pid);
            }
        }
        // Not before what it left is collected as well.
        if own.is_some() {
            self.on_exit(own);
        }
    }

    pub(super) fn on_adopted_end(&mut self) {
        let Some(process) = self.process.as_mut().filter(|p| p.adopted && !p.identity.alive()) else {
            return;
        };
        // Until init has collected it, it looks alive to the locks of its successor, which would exit because of that.
        let patience = process.dead.get_or_insert_with(|| Deadline::after(COLLECT));
        if process.identity.info().is_some() && !patience.passed() {
            process.notice = None;
            return;
        }
        self.on_exit(None);
    }

    fn on_exit(&mut self, ended: Option<Ended>) {
        let Some(process) = self.process.take() else { return };
        let exit = exit_of(&process, ended);
        self.last_end = ended;
        self.exits.push(exit.clone());
        if self.exits.len() > EXITS_KEPT {
            self.exits.remove(0);
        }
        let mut pause = Duration::ZERO;
        let ending = self.ending.take();
        let told = ending.is_some();
        if let Some(ending) = &ending {
            // After a deliberate end nothing of the tree stays behind, not even what has a session of its own.
            end_all(&ending.tree);
        } else {
            self.failed_starts = match self.plan.rule.failed_start(&exit) {
                true => self.failed_starts.saturating_add(1),
                false => 0,
            };
            pause = self.plan.rule.pause(self.failed_starts, &self.exits);
            if let Some(healer) = &mut self.plan.healer {
                healer.poke();
            }
        }
        let next = Some(pause).filter(|pause| self.wanted && !pause.is_zero());
        self.record
            .exited(process.identity.pid, &exit, told, self.failed_starts, next);
        let tree = ending.map_or_else(Vec::new, |ending| ending.tree);
        self.remains = Some(Remains::of(process.identity.pid, tree));
        if self.wanted {
            self.start_after(pause);
        }
    }

    /// TERM, and KILL when its time is up.
    pub(super) fn end_gently(&mut self) {
        if let Some(process) = &self.process
            && self.ending.as_ref().is_none_or(|e| e.in_place)
        {
            if let Err(error) = process.identity.signal(Signal::TERM)
                && error != rustix::io::Errno::SRCH
            {
                oc_core::out::talk(format_args!("cannot end pid {}: {error}", process.identity.pid));
            }
            self.ending = self.ending_now(false);
        }
    }

    pub(super) fn ending_now(&self, in_place: bool) -> Option<Ending> {
        let process = self.process.as_ref()?;
        Some(Ending {
            kill: Deadline::after(self.plan.stop_timeout),
            tree: identity::descendants(process.identity.pid),
            in_place,
            killed: false,
        })
    }

    /// KILLs the whole tree; its end is then reported like any other.
    pub(super) fn kill(&mut self) {
        let (Some(process), Some(mut ending)) = (&self.process, self.ending_now(false)) else {
            return;
        };
        ending.kill = Deadline::after(KILL_AGAIN);
        ending.killed = true;
        let before = self.ending.take();
        let again = before.as_ref().is_some_and(|e| e.killed);
        ending.tree.extend(before.into_iter().flat_map(|e| e.tree));
        let pid = process.identity.pid;
        let text = match proc::kill_service_tree(&process.identity) {
            Ok(count) => format!("ended the service (pid {pid}) with KILL, {count} processes"),
            Err(error) => format!("cannot KILL the service (pid {pid}): {error}"),
        };
        self.ending = Some(ending);
        // Told once: a process in an uninterruptible wait may take hours.
        if !again {
            self.record.event(Kind::Guardian, text);
        }
    }
}

fn exit_of(process: &Process, ended: Option<Ended>) -> ServiceExit {
    let at = Stamp::now();
    let (status, signal) = match ended {
        Some(Ended::Code(code)) => (Some(code), None),
        Some(Ended::Signal(signal)) => (None, Some(signal)),
        _ => (None, None),
    };
    ServiceExit {
        ran_ms: u64::try_from(at.since(&process.began).as_millis()).unwrap_or(u64::MAX),
        at,
        status,
        signal,
        was_ready: process.ready,
    }
}

fn end_all(processes: &[ProcessInfo]) {
    for process in processes {
        // Gone by itself is as good.
        let _gone = process.identity.signal(Signal::KILL);
    }
}
