//! One file per command.

pub(crate) mod flush;
mod forecast;
pub(crate) mod heartbeat;
pub(crate) mod incident;
pub(crate) mod outbox;
mod pass;
mod preview;
pub(crate) mod send;
pub(crate) mod test;
mod untold;

use crate::desk::Desk;
use crate::memory::Memory;
use crate::message::{Event, Message};
use crate::outbox::{Delivery, Posting};
use crate::rules;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use serde_json::{Value, json};

const SCHEMA: &str = "oc.notify/1";

/// Where a message goes, or `None` when there are too many already.
fn posting(desk: &Desk, memory: &mut Memory, message: Message) -> Option<Posting> {
    let free = matches!(message.event, Event::Test);
    if !free && !rules::allowed(memory, &desk.config.notify, message.event, message.severity, &desk.now) {
        return None;
    }
    let channels = desk.route(message.severity);
    Some(Posting {
        message: desk.seal(message),
        channels,
        not_before: None,
    })
}

/// The answer about these messages: what became of each, on each channel.
fn answer(desk: &Desk, ids: &[String], deliveries: Vec<Delivery>, suppressed_by: Option<&str>) -> Result<Answer> {
    let ours: Vec<Delivery> = deliveries.into_iter().filter(|d| ids.contains(&d.id)).collect();
    // Delivered somewhere in place of where it should have gone still reached a person, but is not the good answer.
    let delivered = ours.iter().filter(|d| d.ok).count();
    let (exit, verdict) = if ids.is_empty() {
        (Exit::Good, "suppressed")
    } else if delivered == 0 {
        (Exit::Answer(2), "spooled")
    } else if delivered < ours.len() {
        (Exit::Answer(1), "partial")
    } else {
        (Exit::Good, "delivered")
    };
    let mut text = String::new();
    for d in &ours {
        text.push_str(&line(d));
    }
    if let Some(why) = suppressed_by {
        text.push_str(&format!("nothing sent: {why}\n"));
    }
    let key = ids.first().and_then(|id| id.rsplit_once('/')).map(|(key, _)| key);
    let body = json!({
        "key": key,
        "messages": ids,
        "deliveries": ours,
        "suppressed_by": suppressed_by,
        "dry_run": desk.common.dry_run,
    });
    Ok(Answer::new(SCHEMA, exit, verdict, &body)?.text(text))
}

fn line(d: &Delivery) -> String {
    match (&d.error, d.ok) {
        (_, true) => format!("{}: delivered\n", d.channel),
        (why, false) => {
            let state = if d.spooled { "waits in the outbox" } else { "refused" };
            format!("{}: {state} ({})\n", d.channel, why.as_deref().unwrap_or("not tried"))
        }
    }
}

/// What a dry run answers.
fn dry(desk: &Desk, key: &str, payloads: Vec<Value>, suppressed_by: Option<&str>) -> Result<Answer> {
    let mut text = String::new();
    for payload in &payloads {
        let pretty = serde_json::to_string_pretty(payload).map_err(oc_core::Fault::internal)?;
        text.push_str(&pretty);
        text.push('\n');
    }
    let body = json!({
        "key": key,
        "deliveries": [],
        "suppressed_by": suppressed_by,
        "dry_run": desk.common.dry_run,
        "payloads": payloads,
    });
    Ok(Answer::new(SCHEMA, Exit::Good, "dry_run", &body)?.text(text))
}
