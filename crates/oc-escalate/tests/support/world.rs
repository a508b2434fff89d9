//! A small world in which decisions have effects: a gateway that breaks in a given way and that a given remedy mends, people who
//! stop it or declare maintenance, clocks that are set, machines that sleep, disks that are full.

use super::{Disk, Scene, killed, report, service, serving};
use oc_core::class::{Class, Health};
use oc_core::clock::Stamp;
use oc_core::config::Span;
use oc_core::report::{Action, Decision, Method, Report, ServiceExit, ServiceState};
use oc_escalate::history::History;
use oc_escalate::policy::{Maintenance, RungResult, Settlement, Stopped};
use std::time::Duration;

/// What mends a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cure {
    Itself { after_ms: u64 },
    Restart,
    Doctor,
    Agent,
    Nothing,
}

#[derive(Debug, Clone)]
pub struct Fault {
    pub class: Class,
    pub cure: Cure,
    /// Time of good service before it breaks (again).
    pub after_ms: u64,
}

/// One thing that was done, for judging bounds.
#[derive(Debug, Clone)]
pub struct Done {
    pub at: Stamp,
    pub action: Action,
    pub method: Option<Method>,
    pub unclean_before: usize,
    pub class: Class,
}

/// What one pass saw, decided and came to.
#[derive(Debug)]
pub struct Pass {
    pub seen: Report,
    pub decision: Decision,
    /// `None`: the pass ended at the decision, or died.
    pub settlement: Option<Settlement>,
    pub died: bool,
}

/// Where a pass dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dies {
    /// The decision is on record and nothing was done yet.
    BeforeActing,
    AfterActing,
}

pub struct World {
    pub scene: Scene,
    pub done: Vec<Done>,
    pub humans: u64,
    pub notices: Vec<&'static str>,
    pub session_starts: bool,
    /// Milliseconds since the beginning, on a clock that nobody sets and that never sleeps.
    pub time_ms: u64,
    /// How long a start takes.
    pub boot_ms: u64,
    /// Our probe sees that the disk is full, when it is.
    pub full_is_seen: bool,
    /// The next passes die.
    pub dies: Vec<Dies>,
    /// Changes whenever the past is lost: with the history, or when the wall clock is set, which is all that two boots share.
    pub epoch: u32,
    pid: i32,
    boots: u32,
    clock_was_set: bool,
    /// The wall clock was set back; until then it shows times that it has shown before.
    behind_until: u64,
    faults: Vec<Fault>,
    broken_since: Option<u64>,
    good_since: u64,
    booting_until: Option<u64>,
    exits: Vec<ServiceExit>,
}

pub const BOOT_MS: u64 = 8_000;

impl World {
    pub fn new(faults: Vec<Fault>) -> Self {
        Self {
            scene: Scene::new(),
            done: Vec::new(),
            humans: 0,
            notices: Vec::new(),
            session_starts: true,
            time_ms: 0,
            boot_ms: BOOT_MS,
            full_is_seen: true,
            dies: Vec::new(),
            epoch: 0,
            pid: 100,
            boots: 0,
            clock_was_set: false,
            behind_until: 0,
            faults: faults.into_iter().rev().collect(),
            broken_since: None,
            good_since: 0,
            booting_until: None,
            exits: Vec::new(),
        }
    }

    /// It serves as it must, as far as it is wanted to.
    pub fn healthy(&self) -> bool {
        self.broken_since.is_none() && self.booting_until.is_none() && self.scene.stopped.is_none()
    }

    /// The fault that it has now.
    pub fn fault(&self) -> Option<&Fault> {
        self.faults.last().filter(|_| self.broken_since.is_some())
    }

    /// Nothing is wrong, and nothing will be.
    pub fn idle(&self) -> bool {
        self.healthy() && self.faults.is_empty()
    }

    pub fn broken_since(&self) -> Option<u64> {
        self.broken_since
    }

    pub fn booting(&self) -> bool {
        self.booting_until.is_some()
    }

    /// Breaks when what is broken already is mended.
    pub fn breaks(&mut self, fault: Fault) {
        if self.faults.is_empty() {
            self.good_since = self.time_ms;
        }
        self.faults.insert(0, fault);
    }

    /// Dies, and is started again at once by its supervisor.
    pub fn crashes(&mut self) {
        if self.scene.stopped.is_none() && self.fault().is_none_or(|fault| has_process(fault.class)) {
            self.exits.push(killed(&self.scene.now));
            self.starts();
        }
    }

    pub fn person_stops(&mut self) {
        self.booting_until = None;
        self.scene.stopped = Some(Stopped {
            since: self.scene.now.clone(),
            reason: "a person".to_owned(),
        });
    }

    pub fn person_starts(&mut self) {
        if self.scene.stopped.take().is_some() {
            self.starts();
        }
    }

    pub fn person_maintains(&mut self, lasts: Duration) {
        self.scene.maintenance = Some(Maintenance {
            since: self.scene.now.clone(),
            lasts: Some(Span::secs(lasts.as_secs())),
            reason: "a person".to_owned(),
        });
    }

    /// Takes away whatever is wrong with the service.
    pub fn person_mends(&mut self) {
        if self.broken_since.is_some() {
            self.mended();
            self.starts();
        }
    }

    pub fn clock_steps(&mut self, by_ms: i64) {
        self.scene.now.wall_ms += by_ms;
        self.clock_was_set = true;
        self.epoch += u32::from(self.boots > 0);
        if by_ms < 0 {
            self.behind_until = self.behind_until.max(self.time_ms) + by_ms.unsigned_abs();
        }
    }

    /// What an earlier boot did seems to have been just now: only the wall clock is known of it. Waits are then longer.
    pub fn blurred(&self) -> bool {
        self.boots > 0 && self.time_ms < self.behind_until
    }

    pub fn sleeps(&mut self, by: Duration) {
        let awake_ms = self.scene.now.awake_ms;
        self.forward(by);
        self.scene.now.awake_ms = awake_ms;
    }

    pub fn reboots(&mut self, by: Duration) {
        self.forward(by);
        self.boots += 1;
        self.scene.now.boot = format!("boot {}", self.boots);
        self.scene.now.boot_ms = 20_000;
        self.scene.now.awake_ms = 20_000;
        // What one pass hands to the next is worth nothing now.
        self.scene.previous = None;
        self.epoch += u32::from(std::mem::take(&mut self.clock_was_set));
        if self.scene.stopped.is_none() {
            self.starts();
        }
    }

    pub fn history_is_lost(&mut self) {
        self.scene.history = History::default();
        self.scene.disk = Disk::Lost {
            at: self.scene.now.clone(),
        };
        self.epoch += 1;
    }

    /// Moves time and the gateway.
    pub fn forward(&mut self, by: Duration) {
        self.scene.now = self.scene.now.plus(by);
        self.time_ms += u64::try_from(by.as_millis()).unwrap();
        if self.scene.stopped.is_some() || self.booting_until.is_some_and(|until| until > self.time_ms) {
            return;
        }
        if self.booting_until.take().is_some() {
            self.boot_ms = BOOT_MS;
            if self.broken_since.is_none() {
                self.good_since = self.time_ms;
            }
        }
        let Some(fault) = self.faults.last() else { return };
        match self.broken_since {
            None if self.time_ms - self.good_since >= fault.after_ms => {
                if !has_process(fault.class) {
                    self.exits.push(killed(&self.scene.now));
                }
                self.broken_since = Some(self.time_ms);
            }
            Some(since) => {
                if let Cure::Itself { after_ms } = fault.cure
                    && self.time_ms - since >= after_ms
                {
                    if !has_process(fault.class) {
                        self.pid += 1;
                    }
                    self.mended();
                }
            }
            None => {}
        }
    }

    fn starts(&mut self) {
        if self.fault().is_some_and(|fault| fault.cure == Cure::Restart) {
            self.mended();
        }
        self.pid += 1;
        self.booting_until = Some(self.time_ms + self.boot_ms);
    }

    fn mended(&mut self) {
        self.faults.pop();
        self.broken_since = None;
        self.good_since = self.time_ms;
    }

    fn see(&self) -> Report {
        let now = &self.scene.now;
        let class = match (&self.scene.stopped, &self.booting_until, &self.broken_since) {
            (Some(_), ..) => Some(Class::StoppedOnPurpose),
            (None, Some(_), _) => Some(Class::Starting),
            (None, None, Some(_)) => self.faults.last().map(|f| f.class),
            _ => None,
        };
        let pid = class.is_none_or(has_process).then_some(self.pid);
        let mut seen = report(class, pid, now);
        if class.is_some() {
            seen.service = Some(service(
                ServiceState::Failed,
                self.exits.iter().rev().take(20).rev().cloned().collect(),
            ));
        }
        let serves = class.is_none_or(|class| class.health() == Health::Degraded);
        if self.full_is_seen && matches!(self.scene.disk, Disk::Full) {
            seen.conditions.push(Class::DiskFull);
        }
        if !seen.conditions.is_empty() && self.maintained() {
            seen.conditions.push(Class::Maintenance);
        }
        seen.conditions.sort_unstable();
        seen.class = seen.conditions.first().copied();
        if serves { serving(seen) } else { seen }
    }

    /// A person's maintenance is in force.
    pub fn maintained(&self) -> bool {
        let maintenance = self.scene.maintenance.as_ref();
        maintenance.is_some_and(|m| {
            m.lasts
                .is_some_and(|lasts| self.scene.now.since(&m.since) < lasts.get())
        })
    }

    fn apply(&mut self, decision: &Decision) -> RungResult {
        if !matches!(decision.action, Action::Restart | Action::Doctor | Action::Agent) {
            return RungResult::Done;
        }
        if decision.action == Action::Agent && !self.session_starts {
            return RungResult::NoSession("not signed in".to_owned());
        }
        let now = self.scene.now.clone();
        let window = self.scene.policy.kill.window.get();
        self.done.push(Done {
            unclean_before: self.exits.iter().filter(|e| now.since(&e.at) < window).count(),
            at: now.clone(),
            action: decision.action,
            method: decision.method,
            class: decision.class.unwrap(),
        });
        let cures = match self.faults.last().map(|f| f.cure) {
            Some(Cure::Doctor) => decision.action >= Action::Doctor,
            Some(Cure::Agent) => decision.action == Action::Agent,
            _ => false,
        };
        if self.broken_since.is_some() && cures {
            self.mended();
        }
        if decision.method.is_some() {
            if decision.method == Some(Method::Kill) {
                self.exits.push(killed(&now));
            }
            self.starts();
        }
        RungResult::Done
    }

    /// One pass, so long after the one before.
    pub fn pass(&mut self, every: Duration) -> Pass {
        self.forward(every);
        self.pass_now()
    }

    /// One pass of the chain: probe, decide, act, wait, probe, settle.
    pub fn pass_now(&mut self) -> Pass {
        let seen = self.see();
        let decision = self.scene.decide(&seen);
        if decision.action == Action::Human {
            self.humans += 1;
        }
        let mut pass = Pass {
            seen,
            decision,
            settlement: None,
            died: false,
        };
        if pass.decision.action == Action::None {
            return pass;
        }
        let dies = self.dies.pop();
        pass.died = dies.is_some();
        if dies == Some(Dies::BeforeActing) {
            return pass;
        }
        let rung = self.apply(&pass.decision);
        if pass.died {
            return pass;
        }
        if !matches!(pass.decision.action, Action::Hold | Action::Human) {
            // `oc-probe --wait` waits for 60 s at most.
            self.forward(Duration::from_millis(self.boot_ms.min(58_000) + 2_000));
        }
        let after = self.see();
        let settlement = self.scene.settle_after(&after, rung);
        self.notices.extend(settlement.notices.iter().map(|n| n.key));
        pass.settlement = Some(settlement);
        pass
    }

    pub fn run(&mut self, time: Duration, every: Duration) {
        let end = self.scene.now.plus(time);
        while !end.since(&self.scene.now).is_zero() {
            self.pass(every);
        }
    }
}

/// Whether a live process shows this fault.
fn has_process(class: Class) -> bool {
    !matches!(
        class,
        Class::ProcessGone
            | Class::ExitConfig
            | Class::ConfigMissing
            | Class::ConfigInvalid
            | Class::CrashLoop
            | Class::StartLimit
            | Class::Unregistered
            | Class::StoppedOnPurpose
    )
}
