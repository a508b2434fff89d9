//! Restart, doctor, agent, human: which rung an incident has reached, and whether its action is allowed now.

use super::classes::{Climb, Plan};
use super::{Answer, Case, budget};
use crate::history::Attempt;
use oc_core::class::Class;
use oc_core::report::{Action, Method};
use std::time::Duration;

/// The rung that the failures so far have led to. It never sinks within an incident.
pub(super) fn rung(case: &Case<'_>, climb: &Climb) -> Action {
    let ladder = &case.policy.ladder;
    let incident = case.history.incident.as_ref();
    let restarts = budget::restarts_without_success(case.policy, case.history, case.ctx.now);
    let reached = incident.map_or(Action::None, |i| i.rung);
    let doctors = incident.map_or(0, |i| i.doctors);
    let mut rung = climb.first.max(reached.min(Action::Agent));
    if restarts >= ladder.restarts_before_doctor {
        rung = rung.max(Action::Doctor);
    }
    if rung >= Action::Doctor && doctors >= ladder.doctors_before_agent {
        rung = rung.max(Action::Agent);
    }
    if rung == Action::Agent && (!climb.agent || budget::agent(case).is_some()) {
        rung = Action::Human;
    }
    rung
}

/// The answer for a class, with every bound applied.
pub(super) fn answer(case: &Case<'_>, class: Class, plan: Plan) -> Answer {
    match plan {
        Plan::Wait { reason, left } => Answer::hold(Some(class), reason, left),
        Plan::Human { reason, command } => Answer::human(Some(class), reason, command),
        Plan::Once { reason } => once(case, class, reason),
        Plan::Climb(climb) => match rung(case, &climb) {
            Action::Restart => restart(case, class, &climb),
            Action::Doctor => act(
                case,
                class,
                (Action::Doctor, climb.method),
                &climb.what,
                match climb.method {
                    Some(_) => "the doctor repairs, then it is started",
                    None => "the doctor repairs",
                },
            ),
            Action::Agent => act(
                case,
                class,
                (Action::Agent, climb.method),
                &climb.what,
                "neither restarts nor the doctor helped, so the AI is asked for a plan",
            ),
            _ => human(case, class, &climb),
        },
    }
}

fn restart(case: &Case<'_>, class: Class, climb: &Climb) -> Answer {
    if let Some((why, left)) = budget::backoff(case) {
        return held(class, &climb.what, why, left);
    }
    let how = match climb.method {
        Some(Method::Kill) => "it is killed and started",
        Some(Method::Graceful) => "it is restarted gently",
        Some(Method::Register) => "it is registered and started",
        Some(Method::EndStale) => "that one is ended, then the service is started",
        Some(Method::Start) | None => "it is started",
    };
    act(case, class, (Action::Restart, climb.method), &climb.what, how)
}

/// Applies the bounds that hold on every rung.
fn act(case: &Case<'_>, class: Class, (action, method): (Action, Option<Method>), what: &str, how: &str) -> Answer {
    let kill = if method == Some(Method::Kill) {
        budget::kill(case)
    } else {
        None
    };
    if let Some((why, left)) = kill.or_else(|| budget::actions(case)) {
        return held(class, what, why, left);
    }
    Answer {
        action,
        method,
        ..Answer::hold(Some(class), format!("{what}: {how}."), None)
    }
}

fn held(class: Class, what: &str, why: &str, left: Duration) -> Answer {
    let secs = left.as_millis().div_ceil(1000);
    Answer::hold(Some(class), format!("{what}. Waiting {secs} s: {why}."), Some(left))
}

/// The ladder's end: people are told, and one try in a while goes on for ever.
fn human(case: &Case<'_>, class: Class, climb: &Climb) -> Answer {
    let Some(wait) = budget::half_open(case) else {
        let how = "nothing helped so far; this is the occasional further try";
        return act(case, class, (further(case, climb), climb.method), &climb.what, how);
    };
    let no_agent = if climb.agent { budget::agent(case) } else { None };
    let why = no_agent.map_or_else(String::new, |why| format!(" Note: {why}."));
    Answer {
        wait: Some(wait),
        ..Answer::human(
            Some(class),
            format!(
                "{}, and nothing that we may try helped: a person is needed.{why}",
                climb.what
            ),
            "oc-doctor check",
        )
    }
}

/// Restart and doctor by turns: what the incident has become since may call for the other one.
fn further(case: &Case<'_>, climb: &Climb) -> Action {
    let incident = case.history.incident.as_ref();
    let ours = |a: &&Attempt| incident.is_some_and(|i| i.id == a.incident);
    match case.history.last_attempt().filter(ours) {
        Some(last) if last.action == Action::Restart => Action::Doctor,
        _ => climb.first,
    }
}

/// One graceful restart outside the ladder.
fn once(case: &Case<'_>, class: Class, what: &'static str) -> Answer {
    if let Some(left) = budget::once(case, class) {
        return held(class, what, "it was restarted for that already", left);
    }
    act(
        case,
        class,
        (Action::Restart, Some(Method::Graceful)),
        what,
        "it is restarted gently, once",
    )
}
