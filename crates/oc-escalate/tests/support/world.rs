//! A small world in which decisions have effects: a gateway that breaks in a given way and that a given remedy mends.

use super::{Scene, killed, report, service};
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::report::{Action, Decision, Method, Report, ServiceExit, ServiceState};
use oc_escalate::policy::{self, Context, RungResult, Settlement};
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

pub struct World {
    pub scene: Scene,
    pub done: Vec<Done>,
    pub humans: u64,
    pub notices: Vec<&'static str>,
    pub session_starts: bool,
    pid: i32,
    faults: Vec<Fault>,
    broken_since: Option<Stamp>,
    good_since: Stamp,
    boot_until: Option<Stamp>,
    exits: Vec<ServiceExit>,
}

const BOOT: Duration = Duration::from_secs(8);

impl World {
    pub fn new(faults: Vec<Fault>) -> Self {
        let scene = Scene::new();
        Self {
            good_since: scene.now.clone(),
            scene,
            done: Vec::new(),
            humans: 0,
            notices: Vec::new(),
            session_starts: true,
            pid: 100,
            faults: faults.into_iter().rev().collect(),
            broken_since: None,
            boot_until: None,
            exits: Vec::new(),
        }
    }

    pub fn healthy(&self) -> bool {
        self.broken_since.is_none() && self.boot_until.is_none()
    }

    /// Moves time and the gateway.
    fn forward(&mut self, by: Duration) {
        self.scene.now = self.scene.now.plus(by);
        let now = self.scene.now.clone();
        if self
            .boot_until
            .as_ref()
            .is_some_and(|until| !until.since(&now).is_zero())
        {
            return;
        }
        if self.boot_until.take().is_some() && self.broken_since.is_none() {
            self.good_since = now.clone();
        }
        let Some(fault) = self.faults.last() else { return };
        match &self.broken_since {
            None if now.since(&self.good_since).as_millis() >= u128::from(fault.after_ms) => {
                if !has_process(fault.class) {
                    self.exits.push(killed(&now));
                }
                self.broken_since = Some(now);
            }
            Some(since) => {
                if let Cure::Itself { after_ms } = fault.cure
                    && now.since(since).as_millis() >= u128::from(after_ms)
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

    fn mended(&mut self) {
        self.faults.pop();
        self.broken_since = None;
        self.good_since = self.scene.now.clone();
    }

    fn see(&self) -> Report {
        let now = &self.scene.now;
        let class = match (&self.boot_until, &self.broken_since) {
            (Some(_), _) => Some(Class::Starting),
            (None, Some(_)) => self.faults.last().map(|f| f.class),
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
        seen
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
        if decision.method.is_some() {
            if decision.method == Some(Method::Kill) {
                self.exits.push(killed(&now));
            }
            self.pid += 1;
            self.boot_until = Some(now.plus(BOOT));
        }
        let cures = match self.faults.last().map(|f| f.cure) {
            Some(Cure::Restart) => true,
            Some(Cure::Doctor) => decision.action >= Action::Doctor,
            Some(Cure::Agent) => decision.action == Action::Agent,
            _ => false,
        };
        if self.broken_since.is_some() && cures {
            self.mended();
        }
        RungResult::Done
    }

    /// One pass of the chain: probe, decide, act, wait, probe, settle.
    pub fn pass(&mut self, every: Duration) -> (Decision, Option<Settlement>) {
        self.forward(every);
        let before = self.see();
        let decision = self.scene.decide(&before);
        if decision.action == Action::Human {
            self.humans += 1;
        }
        if decision.action == Action::None {
            return (decision, None);
        }
        let rung = self.apply(&decision);
        if !matches!(decision.action, Action::Hold | Action::Human) {
            self.forward(BOOT + Duration::from_secs(2));
        }
        let after = self.see();
        let ctx = Context {
            rung,
            ..self.scene.ctx()
        };
        let settlement = policy::settle(&self.scene.policy, &self.scene.history, &after, &ctx);
        for event in settlement.events.clone() {
            self.scene.history.record(&self.scene.policy, event);
        }
        self.notices.extend(settlement.notices.iter().map(|n| n.key));
        (decision, Some(settlement))
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
    )
}
