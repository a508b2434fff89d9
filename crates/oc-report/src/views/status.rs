//! `status`: one screen. Cheap however long the record is: the state files and the newest part of the journal.

use super::forecast;
use crate::now::Now;
use crate::text::{bytes, span, when};
use crate::words::Words;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::journal::{Event, Kind};
use oc_core::run::Answer;
use oc_core::story::Story;
use oc_core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// Of the journal this many events are looked at: a day of samples and some incidents.
const EVENTS: usize = 2000;
const HEALINGS: usize = 5;

/// See the module.
///
/// # Errors
/// 74 or 77 when the journal cannot be read.
pub(crate) fn status(world: &World) -> Result<Answer> {
    let now = Now::look(world);
    let events = world.journal.recent(EVENTS)?;
    let stories = oc_core::story::stories(&events);
    let trend = forecast::of_events(world, &events);
    let mut screen = Screen::default();
    service(&mut screen, &now);
    incident(&mut screen, &now);
    will(&mut screen, &now);
    screen.line("memory", &forecast::sentence(&trend, world));
    for story in stories.iter().rev().filter(|s| s.closed.is_some()).take(HEALINGS) {
        screen.line("healed", &healing(story, &now, Words::of(world.config.language)));
    }
    let guardian = seen(&events, &now);
    watchers(&mut screen, &now, guardian);
    if now.outbox > 0 {
        screen.line(
            "outbox",
            &format!("{} messages wait; see `oc-notify outbox`", now.outbox),
        );
    }
    let body = body(&now, &stories, guardian, &trend);
    Ok(Answer::new("oc.status/1", Exit::Good, now.health().name(), &body)?.text(screen.0))
}

#[derive(Default)]
struct Screen(String);

impl Screen {
    fn line(&mut self, name: &str, value: &str) {
        let value = oc_core::redact::clean(value).replace('\n', " ");
        self.0.push_str(&format!("{name:<12} {value}\n"));
    }
}

fn service(screen: &mut Screen, now: &Now) {
    let Some(report) = &now.report else {
        screen.line("service", "unknown: no pass has measured yet (`oc-heal` makes one)");
        return;
    };
    let age = span(now.at.since(&report.stamp));
    screen.line(
        "service",
        &format!("{} ({}), seen {age} ago", now.health().name(), report.summary),
    );
    let mut parts = Vec::new();
    parts.extend(report.identity.as_ref().map(|i| format!("pid {}", i.pid)));
    parts.extend(
        report
            .uptime_ms
            .map(|ms| format!("up {}", span(Duration::from_millis(ms)))),
    );
    parts.extend(report.latency_ms.map(|ms| format!("answers in {ms} ms")));
    parts.extend(report.rss_bytes.map(|b| format!("uses {}", bytes(b))));
    if !parts.is_empty() {
        screen.line("", &parts.join(", "));
    }
}

fn incident(screen: &mut Screen, now: &Now) {
    let Some(incident) = &now.history.incident else {
        screen.line("incident", "none");
        return;
    };
    let rung = if incident.rung.is_empty() {
        "none"
    } else {
        &incident.rung
    };
    let lasts = span(now.at.since(&incident.opened));
    let text = format!(
        "{} ({}), open for {lasts}, {} attempts, rung {rung}",
        incident.id, incident.class, incident.attempts
    );
    screen.line("incident", &text);
    for attempt in now.history.attempts.iter().rev().take(3) {
        screen.line(
            "attempt",
            &format!(
                "{} ago: {}, {}",
                span(now.at.since(&attempt.at)),
                attempt.action,
                attempt.outcome
            ),
        );
    }
    let Some(decision) = &now.decision else { return };
    screen.line("next", &decision.reason);
    if let Some(at) = &decision.next_allowed_at {
        screen.line("", &format!("not before {at}"));
    }
    if let Some(command) = &decision.command {
        screen.line("run", command);
    }
    for (name, left) in &decision.budget {
        screen.line("bound", &format!("{name}: {left}"));
    }
}

fn will(screen: &mut Screen, now: &Now) {
    if let Some(stopped) = &now.intent.stopped {
        screen.line(
            "stopped",
            &format!(
                "on purpose by {}, {} ago",
                stopped.by,
                span(now.at.since(&stopped.since))
            ),
        );
    }
    if let Some(m) = now.intent.maintenance_now(&now.at) {
        let left = Duration::from_secs(m.for_s).saturating_sub(now.at.since(&m.since));
        screen.line(
            "maintenance",
            &format!(
                "for another {} ({})",
                span(left),
                m.reason.as_deref().unwrap_or("no reason given")
            ),
        );
    }
}

fn healing(story: &Story, now: &Now, words: &Words) -> String {
    let end = story.end().map_or(0, |end| end.wall_ms);
    let class = story.class.map_or("unknown", |c| c.name());
    let how = words.level(story.level());
    format!("{} {class}, {how}, after {}", when(end), span(story.lasted(&now.at)))
}

/// How long ago the guardian last wrote something; it writes only when it does something.
fn seen(events: &[Event], now: &Now) -> Option<Duration> {
    events
        .iter()
        .rev()
        .find(|e| e.kind == Kind::Guardian)
        .map(|e| now.at.since(&e.stamp))
}

fn watchers(screen: &mut Screen, now: &Now, guardian: Option<Duration>) {
    let pass = now
        .last_pass
        .as_ref()
        .map_or("never".into(), |at| format!("{} ago", span(now.at.since(at))));
    screen.line("last pass", &pass);
    screen.line(
        "guardian",
        &guardian.map_or("has not had to act".into(), |ago| {
            format!("last acted {} ago", span(ago))
        }),
    );
    if let Some(holder) = &now.holder {
        screen.line(
            "healing",
            &format!("{} for {}", holder.command, span(now.at.since(&holder.since))),
        );
    }
}

fn body(now: &Now, stories: &[Story], guardian: Option<Duration>, trend: &crate::trend::Forecast) -> Value {
    let decision = now.decision.as_ref();
    let healings: Vec<Value> = stories
        .iter()
        .rev()
        .filter(|s| s.closed.is_some())
        .take(HEALINGS)
        .map(|s| {
            json!({"incident": s.id, "class": s.class, "level": s.level(), "at": s.end().map(|e| e.rfc3339()),
            "took_ms": crate::figures::ms(s.lasted(&now.at))})
        })
        .collect();
    json!({
        "service": now.report.as_ref().map(|r| json!({"health": r.health(), "class": r.class, "summary": r.summary,
            "seen_at": r.stamp.rfc3339(), "uptime_ms": r.uptime_ms, "latency_ms": r.latency_ms, "rss_bytes": r.rss_bytes,
            "identity": r.identity})),
        "incident": now.history.incident.as_ref().map(|i| json!({"id": i.id, "class": i.class, "attempts": i.attempts,
            "rung": i.rung, "opened_at": i.opened.rfc3339(), "open_ms": crate::figures::ms(now.at.since(&i.opened))})),
        "next": decision.map(|d| json!({"action": d.action, "reason": d.reason, "next_allowed_at": d.next_allowed_at,
            "command": d.command, "budget": d.budget})),
        "stopped": now.intent.stopped,
        "maintenance": now.intent.maintenance_now(&now.at),
        "last_healings": healings,
        "forecast": trend,
        "last_pass_at": now.last_pass.as_ref().map(|p| p.rfc3339()),
        "guardian_acted_ms_ago": guardian.map(crate::figures::ms),
        "outbox": now.outbox,
        "holder": now.holder,
    })
}
