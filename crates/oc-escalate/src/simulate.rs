//! Runs the policy over a trace, as fast as it can: `oc-escalate simulate --trace FILE`.
//!
//! A trace is JSON lines; each line is what the probe sees at one time, or at many:
//!
//! ```json
//! {"pid": 100, "repeat": 2880}
//! {"class": "process_gone", "exits": [{"signal": 9, "was_ready": true}], "repeat": 3, "every_s": 10}
//! {"at_ms": 90000, "class": "hung", "pid": 101, "slept_s": 3600}
//! ```
//!
//! | field | meaning, default |
//! |---|---|
//! | `at_ms` | time since the trace's begin; else the line before plus `after_s` |
//! | `after_s` | seconds after the line before; `every_s` |
//! | `repeat` | how many passes see this; 1 |
//! | `every_s` | seconds between them; that of the line before (30 at first) |
//! | `class`, `conditions` | as in a report; null = healthy |
//! | `serving` | whether the liveness check is ok; yes for a healthy or degraded class |
//! | `pid` | the process; null = none. Another pid is another process |
//! | `uptime_s` | of the service at the first of these passes |
//! | `rss_mb` | its memory |
//! | `exits` | ends of the process seen at the first of these passes: `status`, `signal`, `was_ready` |
//! | `slept_s` | the machine slept so long before the first of these passes |
//! | `stopped`, `maintenance` | a person's will during these passes |

use crate::history::History;
use crate::policy::{self, Context, Maintenance, Settlement, Stopped};
use oc_core::class::{Class, Health};
use oc_core::clock::Stamp;
use oc_core::config::{Policy, Span};
use oc_core::fault::{Fault, Result};
use oc_core::identity::Identity;
use oc_core::report::{
    Action, Check, CheckStatus, Decision, ManagerKind, Report, ServiceExit, ServiceState, ServiceView,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// 2026-01-01T00:00:00Z: when every simulation begins.
const BEGIN_WALL_MS: i64 = 1_767_225_600_000;
/// The machine was up for an hour by then.
const BEGIN_BOOT_MS: u64 = 3_600_000;

/// One line of a trace; see the module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the table above documents them")]
pub struct Line {
    pub at_ms: Option<u64>,
    pub after_s: Option<u64>,
    pub repeat: Option<u64>,
    pub every_s: Option<u64>,
    pub class: Option<Class>,
    pub conditions: Vec<Class>,
    pub serving: Option<bool>,
    pub pid: Option<i32>,
    pub uptime_s: Option<u64>,
    pub rss_mb: Option<u64>,
    pub exits: Vec<Exit>,
    pub slept_s: u64,
    pub stopped: bool,
    pub maintenance: bool,
}

/// An end of the process in a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Exit {
    /// Exit status.
    pub status: Option<i32>,
    /// Signal that killed it.
    pub signal: Option<i32>,
    /// Whether it had been ready.
    pub was_ready: bool,
}

/// One simulated pass.
#[derive(Debug)]
pub struct Pass<'a> {
    /// When.
    pub now: &'a Stamp,
    /// What was seen.
    pub report: &'a Report,
    /// What was decided.
    pub decision: &'a Decision,
    /// How it ended; null for a healthy pass, which ends at the decision.
    pub settlement: Option<&'a Settlement>,
}

/// What a simulation came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Passes run.
    pub passes: u64,
    /// Restarts decided.
    pub restarts: u64,
    /// Doctor runs decided.
    pub doctors: u64,
    /// Agent sessions decided.
    pub agents: u64,
    /// Passes that asked for a human.
    pub humans: u64,
    /// Passes that held.
    pub holds: u64,
    /// Incidents closed.
    pub closed: u64,
    /// Notices given.
    pub notices: u64,
}

impl Summary {
    /// Everything that touches the service or costs money.
    #[must_use]
    pub const fn actions(&self) -> u64 {
        self.restarts + self.doctors + self.agents
    }
}

/// The settings of a simulation.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// The policy.
    pub policy: Policy,
    /// Whether the agent may be asked.
    pub consent: bool,
}

/// Reads one line of a trace.
///
/// # Errors
/// 65, naming the line, when it is no such object.
pub fn parse_line(number: usize, text: &str) -> Result<Line> {
    serde_json::from_str(text).map_err(|e| Fault::data(format_args!("line {number} of the trace: {e}")))
}

/// The stamp `ms` after the begin of a simulation.
#[must_use]
pub fn stamp_at(ms: u64) -> Stamp {
    Stamp {
        wall_ms: BEGIN_WALL_MS,
        boot_ms: BEGIN_BOOT_MS,
        awake_ms: BEGIN_BOOT_MS,
        boot: "simulated".to_owned(),
    }
    .plus(Duration::from_millis(ms))
}

/// Runs the policy over the lines and shows every pass to `each`.
pub fn run<'l>(setup: &Setup, lines: impl IntoIterator<Item = &'l Line>, mut each: impl FnMut(&Pass<'_>)) -> Summary {
    let mut history = History::default();
    let mut summary = Summary::default();
    let mut clock = Clock::new();
    let mut every_s = setup.policy.interval.get().as_secs().max(1);
    let mut exits: Vec<ServiceExit> = Vec::new();
    let stopped = Stopped {
        since: clock.now.clone(),
        reason: "trace".to_owned(),
    };
    for line in lines {
        every_s = line.every_s.unwrap_or(every_s);
        match line.at_ms {
            Some(ms) => clock.set(ms),
            None if summary.passes > 0 => clock.forward(line.after_s.unwrap_or(every_s) * 1000),
            None => clock.forward(line.after_s.unwrap_or(0) * 1000),
        }
        clock.sleep(line.slept_s * 1000);
        let maintenance = Maintenance {
            since: clock.now.clone(),
            lasts: Some(Span::secs(every_s.saturating_mul(line.repeat.unwrap_or(1)) + 1)),
            reason: "trace".to_owned(),
        };
        exits.extend(line.exits.iter().map(|e| ServiceExit {
            at: clock.now.clone(),
            status: e.status,
            signal: e.signal,
            was_ready: e.was_ready,
            ran_ms: 0,
        }));
        exits.drain(..exits.len().saturating_sub(20));
        let mut report = report(line, &clock.now, &exits);
        for pass in 0..line.repeat.unwrap_or(1) {
            if pass > 0 {
                clock.forward(every_s * 1000);
                report.stamp.clone_from(&clock.now);
                report.uptime_ms = report.uptime_ms.map(|ms| ms + every_s * 1000);
            }
            let ctx = Context {
                previous: clock.previous.as_ref(),
                stopped: line.stopped.then_some(&stopped),
                maintenance: line.maintenance.then_some(&maintenance),
                consent: setup.consent,
                ..Context::plain(&clock.now, Duration::from_secs(every_s))
            };
            one(&setup.policy, &mut history, &report, &ctx, &mut summary, &mut each);
            clock.passed();
        }
    }
    summary
}

/// One pass as the chain runs it, with the same probe before and after.
fn one(
    policy: &Policy,
    history: &mut History,
    report: &Report,
    ctx: &Context<'_>,
    summary: &mut Summary,
    each: &mut impl FnMut(&Pass<'_>),
) {
    for event in policy::observe(policy, history, report, ctx) {
        history.record(policy, event);
    }
    let decision = policy::decide(policy, history, report, ctx);
    summary.passes += 1;
    match decision.action {
        Action::None => {}
        Action::Hold => summary.holds += 1,
        Action::Restart => summary.restarts += 1,
        Action::Doctor => summary.doctors += 1,
        Action::Agent => summary.agents += 1,
        Action::Human => summary.humans += 1,
    }
    if let Some(event) = policy::attempt(policy, &decision, ctx) {
        history.record(policy, event);
    }
    let settlement = (decision.action != Action::None).then(|| policy::settle(policy, history, report, ctx));
    each(&Pass {
        now: ctx.now,
        report,
        decision: &decision,
        settlement: settlement.as_ref(),
    });
    if let Some(settlement) = settlement {
        summary.closed += u64::from(settlement.closed);
        summary.notices += u64::try_from(settlement.notices.len()).unwrap_or(0);
        for event in settlement.events {
            history.record(policy, event);
        }
    }
}

/// What the probe would have reported for this line.
fn report(line: &Line, now: &Stamp, exits: &[ServiceExit]) -> Report {
    let identity = line.pid.map(|pid| Identity {
        pid,
        started: u64::try_from(pid).unwrap_or(0),
        boot: now.boot.clone(),
    });
    let serving = line.serving.unwrap_or_else(|| match line.class {
        None => true,
        Some(class) => class.health() == Health::Degraded,
    });
    Report {
        target: "trace".to_owned(),
        class: line.class,
        conditions: line.class.iter().chain(&line.conditions).copied().collect(),
        summary: line.class.map_or("healthy", Class::name).to_owned(),
        service: (!exits.is_empty() && line.class.is_some()).then(|| ServiceView {
            manager: ManagerKind::Embedded,
            state: if identity.is_some() {
                ServiceState::Running
            } else {
                ServiceState::Stopped
            },
            identity: identity.clone(),
            exits: exits.to_vec(),
            never_ready_in_a_row: 0,
            next_start_at: None,
        }),
        identity,
        checks: vec![Check {
            name: "liveness".to_owned(),
            status: if serving { CheckStatus::Ok } else { CheckStatus::Fail },
            critical: true,
            expected: String::new(),
            actual: String::new(),
            took_ms: 0,
        }],
        uptime_ms: line.uptime_s.map(|s| s * 1000),
        rss_bytes: line.rss_mb.map(|mb| mb * 1024 * 1024),
        latency_ms: Some(1),
        stalled_ms: 0,
        holder: None,
        config_hash: None,
        config_seen: None,
        served_before: true,
        stamp: now.clone(),
    }
}

/// The simulated clocks. Moved in place: a stamp owns its boot's name, and a year has a million passes.
struct Clock {
    now: Stamp,
    previous: Option<Stamp>,
}

impl Clock {
    fn new() -> Self {
        Self {
            now: stamp_at(0),
            previous: None,
        }
    }

    fn forward(&mut self, ms: u64) {
        self.now.wall_ms = self.now.wall_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX));
        self.now.boot_ms = self.now.boot_ms.saturating_add(ms);
        self.now.awake_ms = self.now.awake_ms.saturating_add(ms);
    }

    fn sleep(&mut self, ms: u64) {
        let awake_ms = self.now.awake_ms;
        self.forward(ms);
        self.now.awake_ms = awake_ms;
    }

    fn set(&mut self, ms: u64) {
        let since_begin = self.now.boot_ms - BEGIN_BOOT_MS;
        self.forward(ms.saturating_sub(since_begin));
    }

    fn passed(&mut self) {
        match &mut self.previous {
            Some(previous) => {
                previous.wall_ms = self.now.wall_ms;
                previous.boot_ms = self.now.boot_ms;
                previous.awake_ms = self.now.awake_ms;
            }
            none => *none = Some(self.now.clone()),
        }
    }
}
