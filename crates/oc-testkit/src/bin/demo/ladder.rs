//! The live ladder: the journal's events as they are written, in the words of the chain.

use crate::screen::{Screen, Step};
use oc_testkit::{Event, Journal};
use std::path::PathBuf;

pub(crate) struct Ladder {
    journal: Journal,
    /// Wall clock at the beginning, to which the first column refers.
    pub(crate) zero_ms: i64,
    pub(crate) events: Vec<Event>,
}

impl Ladder {
    pub(crate) fn new(journal: PathBuf, zero_ms: i64) -> Self {
        Self {
            journal: Journal::new(journal),
            zero_ms,
            events: Vec::new(),
        }
    }

    /// Shows what was written since the last call.
    pub(crate) fn follow(&mut self, screen: &Screen) {
        for event in self.journal.fresh() {
            let who = event.tool.strip_prefix("oc-").unwrap_or(&event.tool);
            if let Some(step) = step(&event.kind) {
                screen.event(event.wall_ms - self.zero_ms, step, who, &event.text);
            }
            self.events.push(event);
        }
    }
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
