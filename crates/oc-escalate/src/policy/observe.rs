//! What a report changes in the history. Idempotent: observing the same report again changes nothing.

use super::{Case, Context, classes, gates};
use crate::history::{Condition, Event, History, Incident, Outcome, Served};
use oc_core::class::Class;
use oc_core::clock::{Stamp, rfc3339};
use oc_core::config::Policy;
use oc_core::report::{Action, Report};
use std::time::Duration;

/// Two reports of one exit may differ by this much in its time.
const SAME_EXIT: Duration = Duration::from_millis(500);

/// The events to record for this report; empty when it shows nothing new, as on every healthy pass.
#[must_use]
pub fn observe(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>) -> Vec<Event> {
    let mut events = Vec::new();
    let late = late(policy, history, ctx);
    let slept = late
        .as_ref()
        .is_some_and(|e| matches!(e, Event::Late { sleep: true, .. }));
    events.extend(late);
    unclean(policy, history, report, ctx, &mut events);
    conditions(history, report, ctx, slept, &mut events);
    served(policy, history, report, ctx, &mut events);
    incident(policy, history, report, ctx, slept, &mut events);
    events
}

/// Names an incident: readable, in order of time, and different even when the wall clock was set back.
pub(super) fn incident_id(now: &Stamp) -> String {
    let mut id: String = rfc3339(now.wall_ms)
        .chars()
        .take(19)
        .filter(|c| *c != '-' && *c != ':')
        .collect();
    id.push_str(&format!("-{:04x}", now.boot_ms & 0xffff));
    id
}

/// A late pass is taken for a sleep once; passes that are late again and again have a slow scheduler, and taking each
/// for a sleep would mean never to heal.
fn late(policy: &Policy, history: &History, ctx: &Context<'_>) -> Option<Event> {
    let previous = ctx.previous?;
    if history.late.as_ref() == Some(ctx.now) {
        return None;
    }
    let slept = ctx.now.slept_since(previous) > policy.hold.wake_slept.get();
    let allowed = ctx.interval.saturating_mul(policy.hold.wake_intervals.max(1));
    let late = ctx.began.since(previous) > allowed;
    let again = history.late.as_ref() == Some(previous);
    (slept || late).then(|| Event::Late {
        at: ctx.now.clone(),
        sleep: slept || !again,
    })
}

fn unclean(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>, events: &mut Vec<Event>) {
    let Some(service) = &report.service else { return };
    for exit in service.exits.iter().filter(|e| e.unclean()) {
        let known = |at: &Stamp| at.since(&exit.at).max(exit.at.since(at)) < SAME_EXIT;
        if ctx.now.since(&exit.at) < policy.kill.window.get() && !history.unclean.iter().any(known) {
            events.push(Event::Unclean { at: exit.at.clone() });
        }
    }
}

fn conditions(history: &History, report: &Report, ctx: &Context<'_>, slept: bool, events: &mut Vec<Event>) {
    if report.class.is_none() && history.conditions.is_empty() {
        return;
    }
    let unknown = report.class == Some(Class::Inconclusive);
    let mut now: Vec<Condition> = Vec::new();
    for &class in report.class.iter().chain(&report.conditions) {
        if now.iter().any(|c| c.class == class) {
            continue;
        }
        now.push(match history.condition(class).filter(|c| goes_on(c, report)) {
            Some(before) if !slept || class == Class::ProcessGone => before.clone(),
            _ => Condition {
                class,
                since: began(class, report, ctx),
                identity: report.identity.clone(),
                config_hash: report.config_hash.clone(),
            },
        });
    }
    if unknown {
        // What could not be measured neither ends nor confirms what was seen before.
        let kept: Vec<_> = history
            .conditions
            .iter()
            .filter(|c| !now.iter().any(|n| n.class == c.class))
            .cloned()
            .collect();
        now.extend(kept);
    }
    if now != history.conditions {
        events.push(Event::Conditions { now });
    }
}

/// The manager knows when a process ended; we may have come later.
fn began(class: Class, report: &Report, ctx: &Context<'_>) -> Stamp {
    match report.last_exit() {
        Some(exit) if class == Class::ProcessGone && exit.at.boot == ctx.now.boot => exit.at.clone(),
        _ => ctx.now.clone(),
    }
}

/// A condition of the surroundings outlives a process; one of a configuration ends with that configuration; all others
/// belong to one process.
fn goes_on(before: &Condition, report: &Report) -> bool {
    match before.class {
        Class::ConfigMissing | Class::ConfigInvalid | Class::NewerConfig => before.config_hash == report.config_hash,
        Class::StoppedOnPurpose
        | Class::Maintenance
        | Class::Upgrading
        | Class::Inconclusive
        | Class::StateDb
        | Class::DiskFull
        | Class::ForeignListener
        | Class::Auth
        | Class::CrashLoop => true,
        _ => before.identity == report.identity,
    }
}

fn served(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>, events: &mut Vec<Event>) {
    if !report.serving() && report.class.is_some() {
        return;
    }
    let tolerance = policy.healthy.uptime_tolerance.get();
    let before = history.served.as_ref();
    if before.is_some_and(|s| s.still(report, ctx.now, tolerance)) {
        return;
    }
    // A first sight or a reboot is no recovery, and with an incident open it is counted there.
    let recovered_by_itself = history.incident.is_none() && before.is_some_and(|s| s.since.boot == ctx.now.boot);
    events.push(Event::Served {
        by: here(report, ctx),
        recovered_by_itself,
    });
}

fn here(report: &Report, ctx: &Context<'_>) -> Served {
    Served {
        identity: report.identity.clone(),
        since: ctx.now.clone(),
    }
}

fn incident(
    policy: &Policy,
    history: &History,
    report: &Report,
    ctx: &Context<'_>,
    slept: bool,
    events: &mut Vec<Event>,
) {
    person(policy, history, report, ctx, events);
    let case = Case {
        policy,
        history,
        report,
        ctx,
    };
    if ctx.stopped.is_some() {
        if let Some(open) = &history.incident {
            events.push(Event::Closed {
                at: ctx.now.clone(),
                incident: open.id.clone(),
                opened: open.opened.clone(),
                serving_since: None,
                by_us: false,
            });
        }
        return;
    }
    let gated = report
        .class
        .is_some_and(|c| (slept && c != Class::ProcessGone) || gates::waking(&case, c).is_some())
        || gates::maintenance_left(&case).is_some();
    match (classes::standing(report, history.incident.as_ref()), &history.incident) {
        (classes::Standing::Good, Some(open)) => {
            let tolerance = policy.healthy.uptime_tolerance.get();
            if !open.good.as_ref().is_some_and(|g| g.still(report, ctx.now, tolerance)) {
                events.push(Event::Good { by: here(report, ctx) });
            }
        }
        (classes::Standing::Bad(_), Some(open)) if !gated => {
            if open.good.is_some() {
                events.push(Event::Relapsed { at: ctx.now.clone() });
            }
            // A report of the very instant of the attempt is the one that led to it.
            if history.pending().is_some_and(|a| a.at != *ctx.now) {
                events.push(Event::Ended {
                    outcome: Outcome::Failed,
                    why: None,
                });
            }
        }
        (classes::Standing::Bad(class), None) if !gated => events.push(Event::Opened {
            incident: Incident {
                id: incident_id(ctx.now),
                opened: ctx.now.clone(),
                class,
                identity: report.identity.clone(),
                attempts: 0,
                doctors: 0,
                agents: 0,
                rung: Action::None,
                no_agent: None,
                acted: None,
                good: None,
            },
        }),
        _ => {}
    }
}

/// Unloaded, put back by us, seen in place, and unloaded again at once: that was a person.
fn person(policy: &Policy, history: &History, report: &Report, ctx: &Context<'_>, events: &mut Vec<Event>) {
    let unloaded = report.class == Some(Class::Unregistered);
    if unloaded && history.unloaded_by_person.is_none() {
        let again = history.attempts.iter().rev().any(|a| {
            a.method == Some(oc_core::report::Method::Register)
                && a.class == Class::Unregistered
                && ctx.now.since(&a.at) < policy.unloaded_by_person.get()
                && history
                    .condition(Class::Unregistered)
                    .map_or(a.at != *ctx.now, |c| !c.since.since(&a.at).is_zero())
        });
        if again {
            events.push(Event::UnloadedByPerson {
                at: ctx.now.clone(),
                holds: true,
            });
        }
    } else if history.unloaded_by_person.is_some() && !unloaded && (report.serving() || report.class.is_none()) {
        events.push(Event::UnloadedByPerson {
            at: ctx.now.clone(),
            holds: false,
        });
    }
}
