//! Every bound: how often, how soon again, how much money. All of them are looks at the list of attempts.

use super::{Case, Store};
use crate::history::{Attempt, DAY, History, MONTH, Outcome};
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::config::Policy;
use oc_core::report::{Action, Method};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// An unclean end this soon after our KILL is that KILL.
const KILL_TAKES: Duration = Duration::from_secs(60);

/// Restarts for these reasons never feed the ladder.
const fn feeds_ladder(class: Class) -> bool {
    !matches!(
        class,
        Class::MemoryHigh | Class::MemoryLeak | Class::SafeMode | Class::Slow | Class::DeepFailed
    )
}

/// Our restarts that did not make it healthy, within the window. (What an open incident reached by them stays reached:
/// `Incident::rung`.)
#[must_use]
pub fn restarts_without_success(policy: &Policy, history: &History, now: &Stamp) -> u32 {
    count(history.attempts.iter().filter(|a| {
        a.action == Action::Restart
            && a.outcome != Outcome::Healthy
            && feeds_ladder(a.class)
            && now.since(&a.at) < policy.backoff.window.get()
    }))
}

/// Unclean boots within the window of the KILL bound: those reported, and KILLs of ours that no report shows yet.
#[must_use]
pub fn kills_counted(policy: &Policy, history: &History, now: &Stamp) -> u32 {
    u32::try_from(unclean_boots(policy, history, now).count()).unwrap_or(u32::MAX)
}

fn unclean_boots<'h>(policy: &Policy, history: &'h History, now: &Stamp) -> impl Iterator<Item = &'h Stamp> {
    let window = policy.kill.window.get();
    let unseen = history
        .attempts
        .iter()
        .filter(|a| a.method == Some(Method::Kill))
        .filter(|a| {
            let shown = |end: &Stamp| {
                let after = end.since(&a.at);
                end.boot == a.at.boot && end.boot_ms >= a.at.boot_ms && after < KILL_TAKES
            };
            !history.unclean.iter().any(shown)
        });
    let now = now.clone();
    history
        .unclean
        .iter()
        .chain(unseen.map(|a| &a.at))
        .filter(move |at| now.since(at) < window)
}

fn count<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> u32 {
    u32::try_from(attempts.count()).unwrap_or(u32::MAX)
}

/// Time left of `span` since `from`.
fn left(now: &Stamp, from: &Stamp, span: Duration) -> Option<Duration> {
    span.checked_sub(now.since(from)).filter(|left| !left.is_zero())
}

/// Why an action has to wait, and for how long.
pub(super) type Wait = (&'static str, Duration);

/// The backoff between our own restarts.
pub(super) fn backoff(case: &Case<'_>) -> Option<Wait> {
    let policy = &case.policy.backoff;
    let without = restarts_without_success(case.policy, case.history, case.ctx.now);
    let last = case
        .history
        .attempts
        .iter()
        .rev()
        .find(|a| a.action == Action::Restart && feeds_ladder(a.class))?;
    let step = usize::try_from(without).unwrap_or(usize::MAX).checked_sub(1)?;
    let step = policy.steps.get(step).or(policy.steps.last())?.get();
    let jitter = step
        .saturating_mul(u32::from(policy.jitter_percent))
        .saturating_mul(u32::from(case.ctx.jitter_permille.min(1000)))
        / 100_000;
    let left = left(case.ctx.now, &last.at, step.saturating_add(jitter))?;
    Some(("the wait after a restart that did not help", left))
}

/// KILLs: never while OpenClaw's own crash-loop breaker would be tripped by one more unclean boot.
pub(super) fn kill(case: &Case<'_>) -> Option<Wait> {
    let policy = &case.policy.kill;
    let now = case.ctx.now;
    let mut ages: Vec<_> = unclean_boots(case.policy, case.history, now)
        .map(|at| now.since(at))
        .collect();
    let limit = usize::try_from(policy.unclean_limit).unwrap_or(usize::MAX);
    if ages.len() < limit {
        return None;
    }
    ages.sort_unstable();
    let freed_by = ages.get(limit.saturating_sub(1)).copied().unwrap_or_default();
    Some((
        "one more unclean boot now would trip the service's own crash-loop breaker",
        policy.window.get().saturating_sub(freed_by),
    ))
}

/// Restarts and doctor runs whatever their success, and what is allowed while nothing can be written down.
pub(super) fn actions(case: &Case<'_>) -> Option<Wait> {
    let policy = &case.policy.restarts;
    let now = case.ctx.now;
    let acts = || {
        case.history
            .attempts
            .iter()
            .filter(|a| a.outcome != Outcome::NotStarted)
    };
    if let Store::Unwritable { last_action } = case.ctx.store {
        let newest = acts().map(|a| &a.at).chain(last_action);
        let longest = newest
            .filter_map(|at| left(now, at, case.policy.unwritable_spacing.get()))
            .max();
        if let Some(left) = longest {
            return Some(("nothing can be written down, so little is done", left));
        }
    }
    let mut ages: Vec<_> = acts()
        .filter(|a| matches!(a.action, Action::Restart | Action::Doctor))
        .map(|a| now.since(&a.at))
        .filter(|age| *age < policy.window.get())
        .collect();
    let limit = usize::try_from(policy.limit).unwrap_or(usize::MAX);
    if ages.len() < limit {
        return None;
    }
    ages.sort_unstable();
    let freed_by = ages.get(limit.saturating_sub(1)).copied().unwrap_or_default();
    Some((
        "it was restarted very often already, and each time it broke again",
        policy.window.get().saturating_sub(freed_by),
    ))
}

/// One restart outside the ladder for this class (memory in both its forms is one reason).
pub(super) fn once(case: &Case<'_>, class: Class) -> Option<Duration> {
    let memory = |c: Class| matches!(c, Class::MemoryHigh | Class::MemoryLeak);
    let same = |c: Class| c == class || (memory(c) && memory(class));
    let last = case.history.attempts.iter().rev().find(|a| same(a.class))?;
    left(case.ctx.now, &last.at, case.policy.memory.restart_spacing.get())
}

/// The next try after the ladder ended at a human.
pub(super) fn half_open(case: &Case<'_>) -> Option<Duration> {
    let last = case.history.last_attempt().map(|a| &a.at);
    let last = last.or(case.history.incident.as_ref().map(|i| &i.opened))?;
    left(case.ctx.now, last, case.policy.ladder.half_open.get())
}

/// Why no agent session may start; `None` when one may.
pub(super) fn agent(case: &Case<'_>) -> Option<String> {
    let policy = &case.policy.agent;
    let now = case.ctx.now;
    let incident = case.history.incident.as_ref();
    if !case.ctx.consent {
        return Some("the AI has no consent; it is given by the setting agent.enabled".to_owned());
    }
    if case.ctx.store != Store::Sound {
        return Some("the AI is not asked while nothing can be written down".to_owned());
    }
    if incident.is_some_and(|i| i.agents >= policy.per_incident) {
        return Some("the AI was asked already in this incident".to_owned());
    }
    if let Some(why) = incident.and_then(|i| i.no_agent.as_deref()) {
        return Some(format!("the AI could not be asked: {why}"));
    }
    if sessions(case.history).any(|a| now.since(&a.at) < policy.cooldown.get()) {
        return Some("the AI was asked a moment ago".to_owned());
    }
    if count(sessions(case.history).filter(|a| now.since(&a.at) < DAY)) >= policy.per_day {
        return Some("the AI was asked often enough today (policy.agent.per_day)".to_owned());
    }
    if spent(case.history, now).saturating_add(policy.session_cents) > policy.month_cents {
        return Some("the AI's budget of this month is spent (policy.agent.month_cents)".to_owned());
    }
    None
}

fn sessions(history: &History) -> impl Iterator<Item = &Attempt> {
    history
        .attempts
        .iter()
        .filter(|a| a.action == Action::Agent && a.outcome != Outcome::NotStarted)
}

fn spent(history: &History, now: &Stamp) -> u32 {
    sessions(history)
        .filter(|a| now.since(&a.at) < MONTH)
        .fold(0, |sum, a| sum.saturating_add(a.cents))
}

/// What is used of each bound, for people and scripts.
pub(super) fn shown(case: &Case<'_>) -> Map<String, Value> {
    let (policy, history, now) = (case.policy, case.history, case.ctx.now);
    let incident = history.incident.as_ref();
    let acts = history.attempts.iter().filter(|a| {
        matches!(a.action, Action::Restart | Action::Doctor) && now.since(&a.at) < policy.restarts.window.get()
    });
    let bound = |used: u32, limit: u32| json!({"used": used, "limit": limit});
    [
        (
            "restarts_without_success",
            bound(
                restarts_without_success(policy, history, now),
                policy.ladder.restarts_before_doctor,
            ),
        ),
        (
            "doctors_in_incident",
            bound(incident.map_or(0, |i| i.doctors), policy.ladder.doctors_before_agent),
        ),
        ("actions_in_window", bound(count(acts), policy.restarts.limit)),
        (
            "unclean_boots",
            bound(kills_counted(policy, history, now), policy.kill.unclean_limit),
        ),
        (
            "agent_in_incident",
            bound(incident.map_or(0, |i| i.agents), policy.agent.per_incident),
        ),
        (
            "agent_in_day",
            bound(
                count(sessions(history).filter(|a| now.since(&a.at) < DAY)),
                policy.agent.per_day,
            ),
        ),
        (
            "agent_month_cents",
            bound(spent(history, now), policy.agent.month_cents),
        ),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}
