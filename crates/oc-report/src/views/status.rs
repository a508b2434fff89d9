//! `status`: one screen. Cheap however long the record is: the state files and the newest part of the journal.

use super::forecast;
use crate::ledger::Sample;
use crate::now::Now;
use crate::text::{bytes, padded, when};
use crate::words::{Words, filled};
use oc_core::clock::Stamp;
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
    let words = Words::of(world.config.language);
    let samples: Vec<Sample> = events.iter().filter_map(Sample::of).collect();
    let born = events
        .iter()
        .rev()
        .find(|e| matches!(e.kind, Kind::Ready | Kind::Started));
    let memory = forecast::memory(world, &samples, born.map(|e| e.stamp.wall_ms));
    let disk = forecast::disk(world, &samples);
    let mut screen = Screen::default();
    service(&mut screen, &now, words);
    incident(&mut screen, &now, words);
    will(&mut screen, &now, words);
    screen.line(words.memory, &memory.sentence(&now.at, words));
    screen.line(words.disk, &disk.sentence(&now.at, words));
    for story in stories.iter().rev().filter(|s| s.closed.is_some()).take(HEALINGS) {
        screen.line(words.status.healed, &healing(story, &now, words));
    }
    let guardian = seen(&events, &now);
    watchers(&mut screen, &now, guardian, words);
    if now.outbox > 0 {
        screen.line(
            words.status.outbox,
            &filled(words.status.waiting, &[("n", &now.outbox)]),
        );
    }
    let body = body(&now, &stories, guardian, [&memory.found, &disk.found]);
    Ok(Answer::new("oc.status/1", Exit::Good, now.health().name(), &body)?.text(screen.0))
}

#[derive(Default)]
struct Screen(String);

impl Screen {
    fn line(&mut self, name: &str, value: &str) {
        let value = oc_core::redact::clean(value).replace('\n', " ");
        self.0.push_str(&format!("{} {value}\n", padded(name, 12)));
    }
}

fn service(screen: &mut Screen, now: &Now, words: &Words) {
    let w = &words.status;
    let Some(report) = &now.report else {
        screen.line(w.service, w.not_measured);
        return;
    };
    let seen = filled(words.seen, &[("ago", &words.span(now.at.since(&report.stamp)))]);
    screen.line(
        w.service,
        &format!("{} ({}), {seen}", words.health(now.health()), report.summary),
    );
    let mut parts = Vec::new();
    parts.extend(report.identity.as_ref().map(|i| format!("pid {}", i.pid)));
    let up = |ms| filled(w.up, &[("t", &words.span(Duration::from_millis(ms)))]);
    parts.extend(report.uptime_ms.map(up));
    parts.extend(report.latency_ms.map(|ms| filled(w.answers, &[("ms", &ms)])));
    parts.extend(report.rss_bytes.map(|b| filled(w.uses, &[("size", &bytes(b))])));
    if !parts.is_empty() {
        screen.line("", &parts.join(", "));
    }
}

fn incident(screen: &mut Screen, now: &Now, words: &Words) {
    let w = &words.status;
    let Some(incident) = &now.history.incident else {
        screen.line(w.incident, w.none);
        return;
    };
    let rung = if incident.rung.is_empty() {
        "none"
    } else {
        &incident.rung
    };
    let text = filled(
        w.open,
        &[
            ("id", &incident.id),
            ("class", &words.named(&incident.class)),
            ("t", &words.span(now.at.since(&incident.opened))),
            ("n", &incident.attempts),
            ("rung", &rung),
        ],
    );
    screen.line(w.incident, &text);
    for attempt in now.history.attempts.iter().rev().take(3) {
        let ago = filled(w.ago, &[("t", &words.span(now.at.since(&attempt.at)))]);
        screen.line(w.attempt, &format!("{ago}: {}, {}", attempt.action, attempt.outcome));
    }
    let Some(decision) = &now.decision else { return };
    screen.line(w.next, &decision.reason);
    if let Some(at) = &decision.next_allowed_at {
        screen.line("", &filled(w.not_before, &[("at", at)]));
    }
    if let Some(command) = &decision.command {
        screen.line(w.run, command);
    }
    for (name, left) in &decision.budget {
        screen.line(w.bound, &format!("{name}: {left}"));
    }
}

fn will(screen: &mut Screen, now: &Now, words: &Words) {
    let w = &words.status;
    if let Some(stopped) = &now.intent.stopped {
        let ago = words.span(now.at.since(&stopped.since));
        screen.line(w.stopped, &filled(w.stopped_by, &[("who", &stopped.by), ("t", &ago)]));
    }
    if let Some(m) = now.intent.maintenance_now(&now.at) {
        let left = Duration::from_secs(m.for_s).saturating_sub(now.at.since(&m.since));
        let reason = m.reason.as_deref().unwrap_or(w.no_reason);
        screen.line(
            w.maintenance,
            &filled(w.maintained, &[("t", &words.span(left)), ("reason", &reason)]),
        );
    }
}

fn healing(story: &Story, now: &Now, words: &Words) -> String {
    let end = story.end().map_or(0, |end| end.wall_ms);
    let how = filled(
        words.status.healed_after,
        &[
            ("how", &words.level(story.level())),
            ("t", &words.span(story.lasted(&now.at))),
        ],
    );
    format!("{} {}, {how}", when(end), words.class(story.class))
}

/// How long ago the guardian last wrote something; it writes only when it does something.
fn seen(events: &[Event], now: &Now) -> Option<Duration> {
    events
        .iter()
        .rev()
        .find(|e| e.kind == Kind::Guardian)
        .map(|e| now.at.since(&e.stamp))
}

fn watchers(screen: &mut Screen, now: &Now, guardian: Option<Duration>, words: &Words) {
    let w = &words.status;
    let ago = |at: &Stamp| filled(w.ago, &[("t", &words.span(now.at.since(at)))]);
    screen.line(w.last_pass, &now.last_pass.as_ref().map_or(w.never.into(), ago));
    let acted = |ago| filled(w.guardian_acted, &[("t", &words.span(ago))]);
    screen.line(w.guardian, &guardian.map_or(w.guardian_idle.into(), acted));
    if let Some(holder) = &now.holder {
        let since = words.span(now.at.since(&holder.since));
        screen.line(w.healing, &filled(w.held, &[("what", &holder.command), ("t", &since)]));
    }
}

fn body(
    now: &Now,
    stories: &[Story],
    guardian: Option<Duration>,
    [memory, disk]: [&crate::trend::Forecast; 2],
) -> Value {
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
        "forecast": memory,
        "disk_forecast": disk,
        "last_pass_at": now.last_pass.as_ref().map(|p| p.rfc3339()),
        "guardian_acted_ms_ago": guardian.map(crate::figures::ms),
        "outbox": now.outbox,
        "holder": now.holder,
    })
}
