//! When nothing is decided at all: history that cannot be trusted, a person's will, and the time after a sleep.

use super::{Answer, Case, Store};
use oc_core::class::Class;
use std::time::Duration;

/// The answer that stands before every rule about the service, if one does.
pub(super) fn gate(case: &Case<'_>) -> Option<Answer> {
    if case.ctx.store == Store::Unreadable {
        return Some(Answer::human(
            case.report.class,
            "Our own history cannot be read, so nothing is known of what was tried before; nothing is done until a \
             person looks.",
            "oc-escalate reset",
        ));
    }
    if let Some(stopped) = case.ctx.stopped {
        return Some(Answer::hold(
            Some(Class::StoppedOnPurpose),
            format!(
                "It was stopped on purpose ({}); it stays so until a person starts it.",
                stopped.reason
            ),
            None,
        ));
    }
    if let Some(left) = maintenance_left(case) {
        let reason = case.ctx.maintenance.map_or("", |m| m.reason.as_str());
        return Some(Answer::hold(
            Some(Class::Maintenance),
            format!("Maintenance is declared ({reason}); nothing is done meanwhile."),
            Some(left),
        ));
    }
    let class = class(case)?;
    if let Some(left) = waking(case, class) {
        return Some(Answer::hold(
            Some(Class::Inconclusive),
            "The machine or this watchdog just woke from a sleep; what is measured now says nothing yet.",
            Some(left),
        ));
    }
    None
}

/// The class to decide about: the report's own. A state that should have passed by now hides no longer what is below it.
pub(super) fn class(case: &Case<'_>) -> Option<Class> {
    let report = case.report;
    let hold = &case.policy.hold;
    let mut class = report.class;
    while let Some(passing) = class {
        let limit = match passing {
            Class::Upgrading => hold.upgrading,
            Class::Draining => hold.draining,
            Class::Starting => hold.starting,
            _ => break,
        };
        if case.age(passing) < limit.get() {
            break;
        }
        let below = report.conditions.iter().copied().filter(|c| *c > passing).min();
        class = below.or((!report.serving()).then_some(Class::Refused));
    }
    class
}

/// What is left of a declared maintenance.
pub(super) fn maintenance_left(case: &Case<'_>) -> Option<Duration> {
    let maintenance = case.ctx.maintenance?;
    maintenance
        .lasts
        .unwrap_or(case.policy.hold.maintenance)
        .get()
        .checked_sub(case.ctx.now.since(&maintenance.since))
        .filter(|left| !left.is_zero())
}

/// What is left of the time after a sleep in which nothing is concluded. That a process is gone is no measurement that
/// sleep could spoil.
pub(super) fn waking(case: &Case<'_>, class: Class) -> Option<Duration> {
    if class == Class::ProcessGone {
        return None;
    }
    let woke = case.history.woke.as_ref()?;
    case.policy
        .hold
        .wake
        .get()
        .checked_sub(case.ctx.now.since(woke))
        .filter(|left| !left.is_zero())
}
