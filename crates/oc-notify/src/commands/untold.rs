//! Ends of incidents that no pass told: the oc-notify that was to tell them was killed, and the passes after it are healthy
//! and call none. The heartbeat tells them instead.

use super::incident::{stories, tell};
use super::pass::{self, Pass};
use crate::desk::Desk;
use crate::memory::{Memory, Stage};
use crate::outbox::Posting;
use crate::rules;
use oc_core::fault::Result;
use oc_core::lock;
use oc_core::story::Story;
use std::time::Duration;

/// An end that nothing here knows of is told for so long: with our memory lost, old incidents must not come again.
const FRESH: Duration = Duration::from_secs(3600);

/// What to post; empty while a pass is under way or an incident is open, for a pass tells what it finds untold itself.
///
/// # Errors
/// 74, 77.
pub(super) fn untold(desk: &Desk, memory: &mut Memory) -> Result<Vec<Posting>> {
    if lock::holder(&desk.paths.healing_lock()).is_some() || pass::open_incident(&desk.paths).is_some() {
        return Ok(Vec::new());
    }
    let mut postings = Vec::new();
    for story in stories(desk)?.iter().filter(|s| s.closed.is_some()) {
        if !forgotten(desk, memory, story) {
            continue;
        }
        let pass = Pass::after(&desk.paths, &story.id);
        pass::learn(&desk.paths, memory, &pass, &story.opened);
        for news in rules::over(memory, &desk.now, &desk.config.notify, story) {
            postings.extend(tell(desk, memory, &pass, &news));
        }
    }
    Ok(postings)
}

fn forgotten(desk: &Desk, memory: &Memory, story: &Story) -> bool {
    match (memory.threads.get(&story.id), &story.closed) {
        (Some(thread), _) => thread.stage != Stage::Over,
        // A thread that was told may be gone from memory, when there were very many.
        (None, Some(closed)) => desk.now.since(closed) < FRESH && !memory.begun.contains(&story.opened),
        (None, None) => false,
    }
}
