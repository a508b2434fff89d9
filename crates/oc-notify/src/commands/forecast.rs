//! What oc-report foresees, as a warning: memory that will reach its limit, a disk that will be full. Never more than a
//! word to a person.

use crate::compose;
use crate::desk::Desk;
use crate::memory::Memory;
use crate::message::{Message, Severity};
use crate::rules;
use oc_core::clock::Stamp;
use serde_json::Value;
use std::time::Duration;

/// A forecast reads a week of the journal, and a trend does not change from pass to pass.
const EVERY: Duration = Duration::from_secs(3600);
/// One and the same thing is told again after this.
const AGAIN: Duration = Duration::from_secs(24 * 3600);
/// What is further away can wait for the digest; a long weekend cannot.
const SOON_MS: i64 = 4 * 86_400_000;
const ASKED: &str = "forecast/asked";

/// Whether oc-report is asked.
pub(super) fn due(memory: &Memory, now: &Stamp) -> bool {
    memory.told.get(ASKED).is_none_or(|at| now.since(at) >= EVERY)
}

/// The warnings in its answer, each at most once a day.
pub(super) fn warnings(desk: &Desk, memory: &mut Memory, answer: &str) -> Vec<Message> {
    memory.told.insert(ASKED.to_owned(), desk.now.clone());
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let mut messages = Vec::new();
    for subject in ["memory", "disk"] {
        let outlook = &answer[subject];
        let soon = outlook["forecast"]["reached_ms"]
            .as_i64()
            .is_some_and(|at| at.saturating_sub(desk.now.wall_ms) < SOON_MS);
        let key = format!("{subject}_forecast");
        let Some(text) = outlook["text"].as_str().filter(|_| soon) else {
            continue;
        };
        if !rules::repeated(memory, &format!("notice/{key}"), AGAIN, &desk.now) {
            messages.push(compose::notice(
                desk,
                &key,
                Severity::Warning,
                text,
                Some("oc-report forecast"),
            ));
        }
    }
    messages
}
