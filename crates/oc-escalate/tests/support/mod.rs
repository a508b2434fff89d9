//! A scene for the policy: a history, a clock, and reports written in one line.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod guard;
pub mod trouble;
pub mod world;

use oc_core::class::{Class, Health};
use oc_core::clock::Stamp;
use oc_core::config::Policy;
use oc_core::identity::Identity;
use oc_core::report::{
    Action, Check, CheckStatus, Decision, Holder, ManagerKind, Report, ServiceExit, ServiceState, ServiceView,
};
use oc_escalate::history::{Event, History};
use oc_escalate::policy::{self, Context, Maintenance, RungResult, Settlement, Stopped, Store};
use oc_escalate::simulate::stamp_at;
use std::time::Duration;

pub const SEC: u64 = 1000;
pub const MIN: u64 = 60 * SEC;
pub const HOUR: u64 = 60 * MIN;

pub fn who(pid: i32) -> Identity {
    Identity {
        pid,
        started: u64::from(pid.unsigned_abs()) * 10,
        boot: "simulated".to_owned(),
    }
}

pub fn report(class: Option<Class>, pid: Option<i32>, at: &Stamp) -> Report {
    let serving = class.is_none_or(|c| c.health() == Health::Degraded);
    Report {
        target: "http://127.0.0.1:18789/healthz".to_owned(),
        class,
        conditions: class.into_iter().collect(),
        summary: class.map_or("healthy", Class::name).to_owned(),
        identity: pid.map(who),
        checks: vec![Check {
            name: "liveness".to_owned(),
            status: if serving { CheckStatus::Ok } else { CheckStatus::Fail },
            critical: true,
            expected: "200".to_owned(),
            actual: String::new(),
            took_ms: 1,
        }],
        uptime_ms: None,
        rss_bytes: None,
        latency_ms: None,
        stalled_ms: 0,
        service: None,
        holder: None,
        config_hash: None,
        config_seen: None,
        served_before: true,
        stamp: at.clone(),
    }
}

pub fn serving(mut report: Report) -> Report {
    report.checks[0].status = CheckStatus::Ok;
    report
}

pub fn service(state: ServiceState, exits: Vec<ServiceExit>) -> ServiceView {
    ServiceView {
        manager: ManagerKind::Systemd,
        state,
        identity: None,
        exits,
        never_ready_in_a_row: 0,
        next_start_at: None,
    }
}

pub fn killed(at: &Stamp) -> ServiceExit {
    ServiceExit {
        at: at.clone(),
        status: None,
        signal: Some(9),
        was_ready: true,
        ran_ms: 60_000,
    }
}

pub fn held_by(pid: i32, ours: bool) -> Holder {
    Holder {
        identity: who(pid),
        command: "python3 -m http.server 18789".to_owned(),
        uid: Some(1000),
        ours,
    }
}

/// A history that lives through passes at chosen times.
pub struct Scene {
    pub policy: Policy,
    pub history: History,
    pub now: Stamp,
    pub previous: Option<Stamp>,
    pub consent: bool,
    pub stopped: Option<Stopped>,
    pub maintenance: Option<Maintenance>,
    pub disk: Disk,
    /// Of the last action that could not be written down only the time is known: that of a file.
    pub unrecorded: Option<Stamp>,
}

/// What our own files are on.
#[derive(Debug, Clone, Default)]
pub enum Disk {
    #[default]
    Sound,
    /// Nothing can be written.
    Full,
    /// The history was lost at this time: it is in doubt for a while.
    Lost { at: Stamp },
}

impl Scene {
    pub fn new() -> Self {
        Self {
            policy: Policy::default(),
            history: History::default(),
            now: stamp_at(0),
            previous: None,
            consent: false,
            stopped: None,
            maintenance: None,
            disk: Disk::Sound,
            unrecorded: None,
        }
    }

    pub fn after(&mut self, ms: u64) -> &mut Self {
        self.now = self.now.plus(Duration::from_millis(ms));
        self
    }

    pub fn ctx(&self) -> Context<'_> {
        Context {
            previous: self.previous.as_ref(),
            consent: self.consent,
            stopped: self.stopped.as_ref(),
            maintenance: self.maintenance.as_ref(),
            store: self.store(),
            ..Context::plain(&self.now, Duration::from_secs(30))
        }
    }

    /// As the commands see it: a lost history is in doubt for as long as the policy waits at the end of the ladder.
    fn store(&self) -> Store<'_> {
        match &self.disk {
            Disk::Full => Store::Unwritable {
                last_action: self.unrecorded.as_ref(),
            },
            Disk::Lost { at } if self.now.since(at) < self.policy.ladder.half_open.get() => Store::Unreadable,
            Disk::Sound | Disk::Lost { .. } => Store::Sound,
        }
    }

    /// Takes what happened into the history, as far as it can be kept.
    pub fn record(&mut self, event: Event) {
        match (&self.disk, event) {
            (Disk::Full, Event::Attempted { attempt }) => {
                self.unrecorded = Some(Stamp {
                    boot: String::new(),
                    ..attempt.at
                });
            }
            (Disk::Full, _) => {}
            (Disk::Sound | Disk::Lost { .. }, event) => self.history.record(&self.policy, event),
        }
    }

    pub fn see(&self, class: impl Into<Option<Class>>, pid: impl Into<Option<i32>>) -> Report {
        report(class.into(), pid.into(), &self.now)
    }

    /// What would be decided, without any trace in the history.
    pub fn peek(&self, report: &Report) -> Decision {
        policy::decide(&self.policy, &self.history, report, &self.ctx())
    }

    /// The first half of a pass: observe, decide, write the attempt ahead.
    pub fn decide(&mut self, report: &Report) -> Decision {
        let preview = self.peek(report);
        if self.store() != Store::Unreadable {
            for event in policy::observe(&self.policy, &self.history, report, &self.ctx()) {
                self.record(event);
            }
        }
        let decision = self.peek(report);
        assert_eq!(preview, decision, "an observed report must be decided as before");
        assert!(
            self.store() != Store::Sound
                || policy::observe(&self.policy, &self.history, report, &self.ctx()).is_empty(),
            "observing is idempotent"
        );
        if let Some(event) = policy::attempt(&self.policy, &decision, &self.ctx()) {
            self.record(event);
        }
        self.previous = Some(self.now.clone());
        decision
    }

    /// The second half, with the last probe of the pass.
    pub fn settle(&mut self, report: &Report) -> Settlement {
        self.settle_after(report, RungResult::Done)
    }

    /// The same, when the tool of the pass's rung ended so.
    pub fn settle_after(&mut self, report: &Report, rung: RungResult) -> Settlement {
        let ctx = Context { rung, ..self.ctx() };
        let settlement = policy::settle(&self.policy, &self.history, report, &ctx);
        for event in settlement.events.clone() {
            self.record(event);
        }
        settlement
    }

    /// A pass that sees the same before and after.
    pub fn pass(&mut self, class: impl Into<Option<Class>>, pid: impl Into<Option<i32>>) -> (Decision, Settlement) {
        let report = self.see(class, pid);
        let decision = self.decide(&report);
        let settlement = self.settle(&report);
        (decision, settlement)
    }

    /// Passes every `every` ms for `time` ms; returns the actions other than waiting.
    pub fn passes(
        &mut self,
        time: u64,
        every: u64,
        class: impl Into<Option<Class>>,
        pid: impl Into<Option<i32>>,
    ) -> Vec<Action> {
        let (class, pid) = (class.into(), pid.into());
        let mut actions = Vec::new();
        for _ in 0..time / every {
            let (decision, _) = self.after(every).pass(class, pid);
            if !matches!(decision.action, Action::None | Action::Hold) {
                actions.push(decision.action);
            }
        }
        actions
    }
}
