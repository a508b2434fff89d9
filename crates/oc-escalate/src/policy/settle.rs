//! How the pass ended: healthy, still failing, or at the end of the ladder. The truth is the probe, never an exit code.

use super::classes::{Standing, standing};
use super::{Case, Context, Notice, RungResult, Store, answer, gates, notices, observe};
use crate::history::{Attempt, Event, History, Incident, Outcome, Served};
use oc_core::config::Policy;
use oc_core::exit::Exit;
use oc_core::report::{Action, Report};
use serde::Serialize;

/// The answer of `oc-escalate settle`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// 0: healthy, incident closed or none (or left alone by a person's will).
    Healthy,
    /// 1: still failing, the ladder goes on at the next pass.
    Failing,
    /// 2: the ladder is exhausted, a human is needed.
    Exhausted,
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub const fn exit(self) -> Exit {
        match self {
            Self::Healthy => Exit::Good,
            Self::Failing => Exit::Answer(1),
            Self::Exhausted => Exit::Answer(2),
        }
    }
}

/// What `settle` found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settlement {
    /// The answer. (The envelope carries it.)
    #[serde(skip)]
    pub verdict: Verdict,
    /// Why, as a sentence.
    pub reason: String,
    /// The incident this is about: the open one, or the one just closed.
    pub incident: Option<String>,
    /// True when that incident was closed now.
    pub closed: bool,
    /// For a human: the exact next command.
    pub command: Option<String>,
    /// What people are to be told now.
    pub notices: Vec<Notice>,
    /// What to record, in this order.
    #[serde(skip)]
    pub events: Vec<Event>,
}

/// Judges the pass by its last probe.
#[must_use]
pub fn settle(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>) -> Settlement {
    let mut after = history.clone();
    let mut events = Vec::new();
    let mut note = |after: &mut History, event: Event| {
        after.record(policy, event.clone());
        events.push(event);
    };
    if ctx.store != Store::Unreadable {
        if let Some(event) = rung_result(history, ctx) {
            note(&mut after, event);
        }
        for event in observe(policy, &after, report, ctx) {
            note(&mut after, event);
        }
    }
    let open = after.incident.clone().or_else(|| history.incident.clone());
    let mut closed = after.incident.is_none() && open.is_some();
    if let Some(incident) = after.incident.clone()
        && let Some(good) = recovered(policy, &incident, report, ctx)
    {
        closed = true;
        for event in close(policy, &after, &incident, good, report, ctx) {
            note(&mut after, event);
        }
    }
    let notices = notices(policy, &after, report, ctx);
    for notice in &notices {
        note(
            &mut after,
            Event::Told {
                key: notice.key.to_owned(),
                at: ctx.now.clone(),
            },
        );
    }
    let case = Case {
        policy,
        history: &after,
        report,
        ctx,
    };
    let next = answer(&case);
    let verdict = if next.action == Action::Human || at_the_end(&case) || unkept(&case) {
        Verdict::Exhausted
    } else if ctx.stopped.is_some() || gates::maintenance_left(&case).is_some() {
        Verdict::Healthy
    } else if after.incident.is_none() && report.serving() {
        // Without an incident it may still be starting, draining or not measurable: none of these is healthy.
        Verdict::Healthy
    } else {
        Verdict::Failing
    };
    Settlement {
        verdict,
        reason: if unkept(&case) {
            format!("Our own history cannot be written, so little is done: {}", next.reason)
        } else {
            next.reason.into_owned()
        },
        incident: open.map(|i| i.id),
        closed,
        command: next
            .command
            .or_else(|| unkept(&case).then(|| "oc-doctor check".to_owned())),
        notices,
        events,
    }
}

/// What the tool's own end says, where that matters: a session that could not start spends nothing.
fn rung_result(history: &History, ctx: &Context<'_>) -> Option<Event> {
    history.pending()?;
    match &ctx.rung {
        RungResult::Done | RungResult::Failed => None,
        RungResult::NoSession(why) => Some(Event::Ended {
            outcome: Outcome::NotStarted,
            why: Some(why.clone()),
        }),
    }
}

/// The good probes' begin, once they suffice.
fn recovered<'i>(policy: &Policy, incident: &'i Incident, report: &Report, ctx: &Context<'_>) -> Option<&'i Served> {
    if standing(report, Some(incident)) != Standing::Good {
        return None;
    }
    let good = incident.good.as_ref()?;
    let healthy = &policy.healthy;
    let needed = match (is_new(policy, incident, report, ctx), &incident.acted) {
        (true, _) => healthy.stable.get(),
        (false, None) => healthy.stable_same_process.get(),
        // It was to be replaced and was not; yet it serves. Not before its drain must be over is that a recovery.
        (false, Some(acted)) => {
            let due = policy.hold.draining.get().saturating_sub(good.since.since(&acted.at));
            due.max(healthy.stable_same_process.get())
        }
    };
    (ctx.now.since(&good.since) >= needed).then_some(good)
}

/// True when what serves now is not what served (or failed to) before: another process, or the same one restarted in
/// place since our action.
fn is_new(policy: &Policy, incident: &Incident, report: &Report, ctx: &Context<'_>) -> bool {
    let (before, since) = match &incident.acted {
        Some(acted) => (&acted.identity, &acted.at),
        None => (&incident.identity, &incident.opened),
    };
    let before = Served {
        identity: before.clone(),
        since: since.clone(),
    };
    let unknown = report.identity.is_none() || before.identity.is_none();
    unknown || !before.still(report, ctx.now, policy.healthy.uptime_tolerance.get())
}

fn close(
    policy: &Policy,
    history: &History,
    incident: &Incident,
    good: &Served,
    report: &Report,
    ctx: &Context<'_>,
) -> Vec<Event> {
    let own = history.last_attempt().filter(|a| a.incident == incident.id);
    // A repair may help the process that runs already (room on the disk, a file that it reads again); a restart may not.
    let helped = |a: &Attempt| a.action == Action::Doctor || is_new(policy, incident, report, ctx);
    let by_us = own.is_some_and(|a| a.outcome == Outcome::Pending && helped(a));
    let mut events = Vec::new();
    if own.is_some_and(|a| a.outcome == Outcome::Pending) {
        events.push(Event::Ended {
            outcome: if by_us { Outcome::Healthy } else { Outcome::Failed },
            why: None,
        });
    }
    events.push(Event::Closed {
        at: ctx.now.clone(),
        incident: incident.id.clone(),
        opened: incident.opened.clone(),
        serving_since: Some(good.since.clone()),
        by_us,
    });
    events
}

/// True when it does not serve and nothing of that can be written down: every pass is then the first one, the ladder is never
/// climbed, and nobody but this pass can tell.
fn unkept(case: &Case<'_>) -> bool {
    let bad = matches!(standing(case.report, None), Standing::Bad(_));
    let left_alone = case.ctx.stopped.is_some() || gates::maintenance_left(case).is_some();
    matches!(case.ctx.store, Store::Unwritable { .. }) && bad && !left_alone
}

/// True when the ladder is climbed to its end, even if a further try is allowed just now.
fn at_the_end(case: &Case<'_>) -> bool {
    super::rung(case.policy, case.history, case.report, case.ctx) == Some(Action::Human)
}
