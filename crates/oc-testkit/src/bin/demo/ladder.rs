//! The live ladder: the journal's events as they are written, in the words of the chain.

use crate::screen::{Screen, Step};
use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// One event of the journal.
pub(crate) struct Event {
    pub(crate) wall_ms: i64,
    pub(crate) kind: String,
    tool: String,
    text: String,
}

pub(crate) struct Ladder {
    journal: PathBuf,
    offset: u64,
    /// Wall clock at the beginning, to which the first column refers.
    pub(crate) zero_ms: i64,
    pub(crate) events: Vec<Event>,
}

impl Ladder {
    pub(crate) fn new(journal: PathBuf, zero_ms: i64) -> Self {
        Self {
            journal,
            offset: 0,
            zero_ms,
            events: Vec::new(),
        }
    }

    /// Shows what was written since the last call.
    pub(crate) fn follow(&mut self, screen: &Screen) {
        for event in self.fresh() {
            let who = event.tool.strip_prefix("oc-").unwrap_or(&event.tool);
            if let Some(step) = step(&event.kind) {
                screen.event(event.wall_ms - self.zero_ms, step, who, &event.text);
            }
            self.events.push(event);
        }
    }

    fn fresh(&mut self) -> Vec<Event> {
        let mut text = String::new();
        let read = File::open(&self.journal).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_string(&mut text)
        });
        // Not there yet, or a writer is in the middle of a line: both are over at the next look.
        let Some(whole) = read.ok().and_then(|_| text.rfind('\n')) else {
            return Vec::new();
        };
        self.offset += whole as u64 + 1;
        text[..whole].lines().filter_map(parse).collect()
    }
}

fn parse(line: &str) -> Option<Event> {
    let value: Value = serde_json::from_str(line).ok()?;
    let word = |key: &str| value[key].as_str().map(str::to_owned);
    Some(Event {
        wall_ms: value["wall_ms"].as_i64()?,
        kind: word("kind")?,
        tool: word("tool")?,
        text: word("text")?,
    })
}

/// Where in the chain an event belongs; `None` for bookkeeping.
fn step(kind: &str) -> Option<Step> {
    Some(match kind {
        "exited" | "incident_opened" | "warning" | "pass_abandoned" | "pass_deadline" => Step::Seen,
        "decision" | "attempt" => Step::Decided,
        "started" | "outcome" | "repair" | "guardian" | "notice" | "agent" => Step::Done,
        "ready" | "incident_closed" => Step::Healed,
        "intent" => Step::Person,
        "human_needed" => Step::Human,
        _ => return None,
    })
}
