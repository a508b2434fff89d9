//! `decide(policy, history, report, context) -> Decision`: total and pure.
//!
//! | file | what it knows |
//! |---|---|
//! | observe | what a report changes in the history: conditions, incidents, the process that serves |
//! | gates | when nothing is decided at all: a person's will, sleep, unreadable history |
//! | classes | one row for each failure class: what it calls for |
//! | ladder | restart, doctor, agent, human: which rung an incident has reached |
//! | budget | every bound: backoff, KILLs, restarts, sessions, money |
//! | notices | what a person is told without anything being done |
//! | settle | whether the pass ended well |

mod budget;
mod classes;
mod gates;
mod ladder;
mod notices;
mod observe;
mod settle;

pub use budget::{kills_counted, restarts_without_success};
pub use notices::{Notice, Severity, UNLOADED, notices};
pub use observe::observe;
pub use settle::{Settlement, Verdict, settle};

use crate::history::{Attempt, Event, History, MemoryLimits, Outcome};
use oc_core::class::Class;
use oc_core::clock::{Stamp, rfc3339};
use oc_core::config::{Policy, Span};
use oc_core::report::{Action, Decision, Method, Report};
use serde_json::Map;
use std::borrow::Cow;
use std::time::Duration;

/// What a decision depends on beside policy, history and report.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The present.
    pub now: &'a Stamp,
    /// When the previous pass was over; null on the first.
    pub previous: Option<&'a Stamp>,
    /// When this pass began. A pass may take longer than any interval (a silent service, a slow start): that is no sleep.
    pub began: &'a Stamp,
    /// Time between passes as scheduled here.
    pub interval: Duration,
    /// A person stopped the service on purpose.
    pub stopped: Option<&'a Stopped>,
    /// A person declared maintenance.
    pub maintenance: Option<&'a Maintenance>,
    /// Whether the history can be trusted and written.
    pub store: Store<'a>,
    /// A person consented to the agent (`agent.enabled`).
    pub consent: bool,
    /// 0 to 1000, drawn by the caller: how much of the backoff's jitter to add.
    pub jitter_permille: u16,
    /// Whether `oc-doctor preflight` would let the service start, where that is known.
    pub preflight_ok: Option<bool>,
    /// How the rung that this pass tried ended, for [`settle`].
    pub rung: RungResult,
    /// What memory is measured against.
    pub memory: MemoryLimits,
    /// The service's name in its manager, for the commands given to a person.
    pub label: &'a str,
}

impl<'a> Context<'a> {
    /// A context in which nothing is special: no person's will, a sound history, no consent.
    #[must_use]
    pub fn plain(now: &'a Stamp, interval: Duration) -> Self {
        Self {
            now,
            previous: None,
            began: now,
            interval,
            stopped: None,
            maintenance: None,
            store: Store::Sound,
            consent: false,
            jitter_permille: 0,
            preflight_ok: None,
            rung: RungResult::Done,
            memory: MemoryLimits::default(),
            label: "openclaw-gateway",
        }
    }
}

/// A deliberate stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// Since when.
    pub since: Stamp,
    /// By whom and why, for people.
    pub reason: String,
}

/// Declared maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Maintenance {
    /// Since when.
    pub since: Stamp,
    /// For how long; null = the policy's default.
    pub lasts: Option<Span>,
    /// Why, for people.
    pub reason: String,
}

/// The state of the history's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store<'a> {
    /// Read, and can be written.
    Sound,
    /// Read, but nothing can be written (disk full). `last_action`: the newest restart or doctor run that could not be
    /// recorded, as far as the caller knows (the age of a file in a place that survives).
    Unwritable {
        /// When.
        last_action: Option<&'a Stamp>,
    },
    /// Broken, or of a newer version: what happened is not known.
    Unreadable,
}

/// How the tool of a rung ended. The truth is always the probe's; this only tells apart what spends nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum RungResult {
    /// It ran, or nothing was tried.
    #[default]
    Done,
    /// It failed, or it is missing. The attempt counts, unless the probe shows that the service is healthy all the same.
    Failed,
    /// The agent could not start a session: why.
    NoSession(String),
}

/// Everything one decision looks at.
struct Case<'a> {
    policy: &'a Policy,
    history: &'a History,
    report: &'a Report,
    ctx: &'a Context<'a>,
}

impl Case<'_> {
    /// How long a condition has held.
    fn age(&self, class: Class) -> Duration {
        self.history
            .condition(class)
            .map_or(Duration::ZERO, |c| self.ctx.now.since(&c.since))
    }

    /// True when a start of the service would fail on its configuration.
    fn broken_config(&self) -> bool {
        self.ctx.preflight_ok == Some(false)
            || [Class::ConfigMissing, Class::ConfigInvalid]
                .iter()
                .any(|class| self.report.has(*class))
    }
}

/// An answer before it is dressed as a [`Decision`].
struct Answer {
    action: Action,
    method: Option<Method>,
    class: Option<Class>,
    reason: Cow<'static, str>,
    /// Time until the next action is allowed.
    wait: Option<Duration>,
    command: Option<String>,
}

impl Answer {
    fn hold(class: Option<Class>, reason: impl Into<Cow<'static, str>>, wait: Option<Duration>) -> Self {
        Self {
            action: Action::Hold,
            method: None,
            class,
            reason: reason.into(),
            wait,
            command: None,
        }
    }

    fn human(class: Option<Class>, reason: impl Into<Cow<'static, str>>, command: impl Into<String>) -> Self {
        Self {
            action: Action::Human,
            command: Some(command.into()),
            ..Self::hold(class, reason, None)
        }
    }
}

/// What may be done next. The report need not have been observed yet; if it was, the answer is the same.
#[must_use]
pub fn decide(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>) -> Decision {
    let history = observed(policy, history, report, ctx);
    let case = Case {
        policy,
        history: &history,
        report,
        ctx,
    };
    let answer = answer(&case);
    dress(&case, answer)
}

/// The rung that the incident's failures have led to, whether or not it is allowed just now; `None` when nothing calls
/// for the ladder.
#[must_use]
pub fn rung(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>) -> Option<Action> {
    let history = observed(policy, history, report, ctx);
    let case = Case {
        policy,
        history: &history,
        report,
        ctx,
    };
    if gates::gate(&case).is_some() {
        return None;
    }
    match classes::plan(&case, gates::class(&case)?) {
        classes::Plan::Climb(climb) => Some(ladder::rung(&case, &climb)),
        classes::Plan::Human { .. } => Some(Action::Human),
        _ => None,
    }
}

/// The event to record, durably, before the decision is carried out; `None` for a decision that does nothing.
#[must_use]
pub fn attempt(policy: &Policy, decision: &Decision, ctx: &Context<'_>) -> Option<Event> {
    if !matches!(decision.action, Action::Restart | Action::Doctor | Action::Agent) {
        return None;
    }
    Some(Event::Attempted {
        attempt: Attempt {
            incident: decision.incident.clone()?,
            number: decision.attempt?,
            at: ctx.now.clone(),
            action: decision.action,
            method: decision.method,
            class: decision.class?,
            identity: decision.identity.clone(),
            outcome: Outcome::Pending,
            cents: if decision.action == Action::Agent {
                policy.agent.session_cents
            } else {
                0
            },
        },
    })
}

/// The history after the report was observed; borrowed when nothing changed, as on every healthy pass.
fn observed<'h>(policy: &Policy, history: &'h History, report: &Report, ctx: &Context<'_>) -> Cow<'h, History> {
    if ctx.store == Store::Unreadable {
        return Cow::Borrowed(history);
    }
    let events = observe(policy, history, report, ctx);
    if events.is_empty() {
        return Cow::Borrowed(history);
    }
    let mut seen = history.clone();
    for event in events {
        seen.record(policy, event);
    }
    Cow::Owned(seen)
}

fn answer(case: &Case<'_>) -> Answer {
    if let Some(answer) = gates::gate(case) {
        return answer;
    }
    match gates::class(case) {
        None => well(case),
        Some(class) => ladder::answer(case, class, classes::plan(case, class)),
    }
}

/// The service is well; is anything left to finish or to tell?
fn well(case: &Case<'_>) -> Answer {
    if case.history.incident.is_some() {
        return Answer::hold(
            None,
            "It serves again; the incident is closed when it stays so.",
            Some(case.policy.healthy.stable.get()),
        );
    }
    if notices::due(case) {
        return Answer::hold(None, "It is healthy, and there is something to tell.", None);
    }
    Answer {
        action: Action::None,
        ..Answer::hold(None, "It is healthy; there is nothing to do.", None)
    }
}

fn dress(case: &Case<'_>, answer: Answer) -> Decision {
    let incident = case.history.incident.as_ref();
    let acts = matches!(answer.action, Action::Restart | Action::Doctor | Action::Agent);
    let identity = match answer.method {
        Some(Method::EndStale) => case.report.holder.as_ref().map(|h| h.identity.clone()),
        _ if acts => case.report.identity.clone(),
        _ => None,
    };
    Decision {
        action: answer.action,
        method: answer.method,
        recorded: false,
        reason: answer.reason.into_owned(),
        class: answer.class,
        incident: incident
            .map(|i| i.id.clone())
            .or_else(|| acts.then(|| observe::incident_id(case.ctx.now))),
        attempt: acts.then(|| incident.map_or(0, |i| i.attempts).saturating_add(1)),
        next_allowed_at: answer.wait.map(|wait| {
            let ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
            rfc3339(case.ctx.now.wall_ms.saturating_add(ms))
        }),
        budget: if answer.action == Action::None {
            Map::new()
        } else {
            budget::shown(case)
        },
        identity,
        command: answer.command,
    }
}
