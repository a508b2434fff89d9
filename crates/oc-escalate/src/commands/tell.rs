//! What the journal says about a change of the history.

use crate::history::{Event as Change, Outcome};
use crate::policy::{Notice, Severity};
use oc_core::journal::{Event, Kind};
use oc_core::report::Report;
use oc_core::world::World;

/// The journal's event for a change of the history; `None` for bookkeeping that nobody needs to read.
pub(super) fn change(world: &World, change: &Change, report: &Report) -> Option<Event> {
    let event = match change {
        Change::Opened { incident } => world
            .event(Kind::IncidentOpened, format!("{}: {}", incident.class, report.summary))
            .incident(Some(&incident.id))
            .with("class", incident.class)
            .with("identity", &incident.identity),
        Change::Attempted { attempt } => {
            let method = attempt.method.map(|m| format!(" ({})", m.name())).unwrap_or_default();
            world
                .event(
                    Kind::Attempt,
                    format!(
                        "attempt {}: {}{method} for {}",
                        attempt.number,
                        attempt.action.name(),
                        attempt.class
                    ),
                )
                .incident(Some(&attempt.incident))
                .with("action", attempt.action)
                .with("method", attempt.method)
                .with("class", attempt.class)
                .with("attempt", attempt.number)
        }
        Change::Ended { outcome, why } => {
            let word = match outcome {
                Outcome::Healthy => "it serves again",
                Outcome::Failed => "it did not help",
                Outcome::Abandoned => "its pass died",
                Outcome::NotStarted => "it could not start",
                Outcome::Pending => return None,
            };
            let why = why.as_ref().map(|w| format!(": {w}")).unwrap_or_default();
            world
                .event(Kind::Outcome, format!("the last attempt: {word}{why}"))
                .with("outcome", outcome)
        }
        Change::Closed {
            incident,
            opened,
            serving_since,
            by_us,
            at,
        } => {
            let lasted = serving_since.as_ref().unwrap_or(at).since(opened);
            let how = match (serving_since, by_us) {
                (None, _) => "stopped on purpose",
                (Some(_), true) => "healed",
                (Some(_), false) => "came back by itself",
            };
            world
                .event(Kind::IncidentClosed, format!("{how} after {}", short(lasted)))
                .incident(Some(incident))
                .with("by_us", by_us)
                .with("opened", opened)
                .with("serving_since", serving_since)
                .with("took_ms", u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX))
        }
        Change::Served {
            by,
            recovered_by_itself,
        } => world
            .event(
                Kind::Ready,
                if *recovered_by_itself {
                    "another process serves"
                } else {
                    "it serves"
                },
            )
            .with("identity", &by.identity)
            .with("since", &by.since),
        Change::UnloadedByPerson { holds: true, .. } => world.event(
            Kind::Intent,
            "a person took the service out of its manager again; it is left alone",
        ),
        Change::Late { sleep: true, .. } => world
            .event(Kind::Warning, "awake again after a sleep")
            .with("key", "woke"),
        _ => return None,
    };
    Some(event)
}

/// The journal's event for a notice.
pub(super) fn notice(world: &World, notice: &Notice, incident: Option<&str>) -> Event {
    let severity = match notice.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    };
    world
        .event(Kind::Warning, &notice.text)
        .incident(incident)
        .with("key", notice.key)
        .with("severity", severity)
}

/// A duration for people: tenths below a minute, whole seconds above.
pub(super) fn short(time: std::time::Duration) -> String {
    if time.as_secs() < 60 {
        return format!("{:.1} s", time.as_secs_f64());
    }
    humantime::format_duration(std::time::Duration::from_secs(time.as_secs())).to_string()
}
