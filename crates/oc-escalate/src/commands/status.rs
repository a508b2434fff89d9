//! `status`: what the next decision would be made from. Reads only, waits for nothing.

use super::tell::short;
use crate::carry::Carry;
use crate::history::{History, Outcome};
use crate::state;
use oc_core::clock::{Stamp, rfc3339};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::lock;
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// `oc-escalate status`.
///
/// # Errors
/// 74, 77, 78.
pub fn status(common: &Common) -> Result<Answer> {
    let world = World::open("oc-escalate", common, false)?;
    let now = Stamp::now();
    let intent = world.intent()?;
    let (history, trouble) = match state::peek(&world) {
        Ok(state) => (state.history, None),
        Err(fault) => (History::default(), Some(fault.what)),
    };
    let holder = lock::holder(&world.paths.healing_lock());
    let last_pass = Carry::load(&world.paths.carry()).previous;
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        // Writing into a String cannot fail.
        let _written = writeln!(text, "{name:<12} {value}");
    };
    line(
        "incident",
        history.incident.as_ref().map_or("none".into(), |i| {
            format!(
                "{} ({}), open for {}, {} attempts",
                i.id,
                i.class,
                short(now.since(&i.opened)),
                i.attempts
            )
        }),
    );
    for attempt in history.attempts.iter().rev().take(5) {
        line(
            "attempt",
            format!(
                "{} ago: {} for {}: {}",
                short(now.since(&attempt.at)),
                attempt.action.name(),
                attempt.class,
                outcome(attempt.outcome)
            ),
        );
    }
    line(
        "serving",
        history
            .served
            .as_ref()
            .map_or("never seen".into(), |s| match &s.identity {
                Some(identity) => format!("pid {}, seen since {}", identity.pid, rfc3339(s.since.wall_ms)),
                None => format!("seen since {}", rfc3339(s.since.wall_ms)),
            }),
    );
    if let Some(stopped) = &intent.stopped {
        line(
            "stopped",
            format!("on purpose by {}, {} ago", stopped.by, short(now.since(&stopped.since))),
        );
    }
    if let Some(m) = intent.maintenance_now(&now) {
        let left = std::time::Duration::from_secs(m.for_s).saturating_sub(now.since(&m.since));
        line(
            "maintenance",
            format!(
                "for another {} ({})",
                short(left),
                m.reason.as_deref().unwrap_or("no reason given")
            ),
        );
    }
    line(
        "last pass",
        last_pass
            .as_ref()
            .map_or("none".into(), |p| format!("{} ago", short(now.since(p)))),
    );
    line(
        "healing",
        holder.as_ref().map_or("none under way".into(), |h| {
            format!("{} for {}", h.command, short(now.since(&h.since)))
        }),
    );
    if let Some(trouble) = &trouble {
        line("history", trouble.clone());
    }
    let body = json!({
        "incident": history.incident,
        "attempts": history.attempts,
        "served": history.served,
        "conditions": history.conditions,
        "stopped": intent.stopped,
        "maintenance": intent.maintenance_now(&now),
        "last_pass": last_pass.map(|p| rfc3339(p.wall_ms)),
        "holder": holder,
        "trouble": trouble,
    });
    let verdict = if body["incident"] == Value::Null {
        "quiet"
    } else {
        "incident"
    };
    Ok(Answer::new("oc.escalation/1", Exit::Good, verdict, &body)?.text(text))
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pending => "not judged yet",
        Outcome::Healthy => "healed",
        Outcome::Failed => "did not help",
        Outcome::Abandoned => "its pass died",
        Outcome::NotStarted => "could not start",
    }
}
