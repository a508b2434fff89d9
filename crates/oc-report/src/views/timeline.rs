//! `timeline [INCIDENT]`: what happened, in order.

use crate::figures::ms;
use crate::text::{padded, when};
use crate::words::{Words, filled};
use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::journal::{Event, Kind};
use oc_core::redact::clean;
use oc_core::run::Answer;
use oc_core::story::{Story, Teller};
use oc_core::world::World;
use serde_json::{Value, json};

/// Events kept of each incident; one that lasted for weeks is shown by its end.
const EVENTS: usize = 500;

/// See the module.
///
/// # Errors
/// 64 when no incident has that id, 74 or 77.
pub(crate) fn timeline(world: &World, incident: Option<&str>, last: usize) -> Result<Answer> {
    let keep = if incident.is_some() { usize::MAX } else { last.max(1) };
    let mut teller = Teller::keeping(keep);
    let mut events: Vec<Event> = Vec::new();
    world.journal.follow(
        None,
        |kind, _| kind != Kind::Sample,
        |event| {
            teller.hear(&event);
            let ours = event
                .incident
                .as_deref()
                .is_some_and(|id| incident.is_none_or(|wanted| id.starts_with(wanted)));
            if ours {
                events.push(event);
            }
            // Only the newest incidents are shown: a year of others need not be remembered.
            if incident.is_none() && events.len() > 4 * EVENTS * last.max(1) {
                events.drain(..events.len() / 2);
            }
        },
    )?;
    let mut stories = teller.stories();
    if let Some(wanted) = incident {
        stories.retain(|s| s.id.starts_with(wanted));
        if stories.is_empty() {
            return Err(Fault::usage(format_args!("no incident {} is on record", clean(wanted)))
                .hint("`oc-report timeline` shows the last ones"));
        }
    }
    let now = Stamp::now();
    let words = Words::of(world.config.language);
    let mut text = String::new();
    let mut shown = Vec::new();
    for story in &stories {
        let of: Vec<&Event> = events
            .iter()
            .filter(|e| e.incident.as_deref() == Some(&story.id))
            .collect();
        let of = &of[of.len().saturating_sub(EVENTS)..];
        text.push_str(&told(story, of, &now, words));
        shown.push(object(story, of, &now));
    }
    if stories.is_empty() {
        text.push_str(&format!("{}\n", words.no_incident_on_record));
    }
    Ok(Answer::new("oc.timeline/1", Exit::Good, "ok", &json!({"incidents": shown}))?.text(text))
}

fn told(story: &Story, events: &[&Event], now: &Stamp, words: &Words) -> String {
    let class = words.class(story.class);
    let [open, stopped, healed] = words.ends;
    let end = match (&story.closed, story.stopped) {
        (None, _) => open,
        (Some(_), true) => stopped,
        (Some(_), false) => healed,
    };
    let lasted = words.span(story.lasted(now));
    let end = filled(end, &[("t", &lasted), ("how", &words.level(story.level()))]);
    let mut text = format!("{}  {class}, {end}\n", story.id);
    for event in events {
        let since = words.span(event.stamp.since(&story.opened));
        let line = clean(&event.text).replace('\n', " ");
        text.push_str(&format!(
            "  {}  +{} {:<12} {line}\n",
            when(event.stamp.wall_ms),
            padded(&since, 10),
            event.tool
        ));
    }
    text
}

fn object(story: &Story, events: &[&Event], now: &Stamp) -> Value {
    json!({
        "id": story.id,
        "class": story.class,
        "opened_at": story.opened.rfc3339(),
        "ended_at": story.end().map(|e| e.rfc3339()),
        "took_ms": ms(story.lasted(now)),
        "level": story.level(),
        "by_us": story.by_us,
        "human_needed": story.human.is_some(),
        "agent_cost_usd": story.cost_usd,
        "events": events,
    })
}
