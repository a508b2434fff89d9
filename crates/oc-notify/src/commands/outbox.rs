//! `outbox`: what waits, and how every channel does. Reads only.

use crate::desk::Desk;
use crate::memory::Memory;
use crate::outbox::Spool;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::run::{Answer, Common};
use serde_json::json;

/// See the module.
///
/// # Errors
/// 74, 77, 78.
pub(crate) fn outbox(common: &Common) -> Result<Answer> {
    let desk = Desk::open(common)?;
    let memory = Memory::load(&desk.paths)?;
    let waiting = Spool::of(&desk.paths).pending()?;
    let mut text = String::new();
    let mut channels = Vec::new();
    if desk.channels.is_empty() {
        text.push_str("no channel is configured\n");
    }
    for channel in &desk.channels {
        let line = memory.line(channel.name());
        let state = if line.off(&desk.now) {
            "off"
        } else if line.waiting(&desk.now) {
            "waiting"
        } else {
            "on"
        };
        let count = waiting.iter().filter(|e| e.channel == channel.name()).count();
        let why = if line.why.is_empty() {
            String::new()
        } else {
            format!(" ({})", line.why)
        };
        text.push_str(&format!("{:<13} {state}, {count} waiting{why}\n", channel.name()));
        let until = line
            .off_until
            .filter(|_| state == "off")
            .or(line.retry_at.filter(|_| state == "waiting"));
        channels.push(json!({"channel": channel.name(), "state": state, "waiting": count,
            "until": until.map(|u| u.rfc3339()), "failures": line.failures, "error": line.why}));
    }
    for entry in waiting.iter().take(50) {
        let m = entry.message.message();
        text.push_str(&format!(
            "{:>6} {:<12} {} {}\n",
            entry.seq, entry.channel, m.at, m.title
        ));
    }
    let entries: Vec<_> = waiting
        .iter()
        .map(|e| {
            let m = e.message.message();
            json!({"seq": e.seq, "channel": e.channel, "id": m.id, "at": m.at, "severity": m.severity, "title": m.title,
                "attempts": e.attempts, "error": e.error})
        })
        .collect();
    let body = json!({"channels": channels, "waiting": entries, "held_back": memory.held});
    let verdict = if entries.is_empty() { "empty" } else { "waiting" };
    Ok(Answer::new("oc.outbox/1", Exit::Good, verdict, &body)?.text(text))
}
