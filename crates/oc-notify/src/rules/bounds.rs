//! How much is told: the bound on messages in ten minutes, and that the same thing is not said twice.

use crate::memory::Memory;
use crate::message::{Event, Severity};
use oc_core::clock::Stamp;
use oc_core::config::Notify;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(600);

/// Whether one more message may go out now; counts it. What needs a person is not held back by what does not: it has
/// as much room again. What was held back is counted, to be told with the next message.
pub(crate) fn allowed(memory: &mut Memory, settings: &Notify, event: Event, severity: Severity, now: &Stamp) -> bool {
    let recent = memory.sent.iter().filter(|at| now.since(at) < WINDOW).count();
    let limit = usize::try_from(settings.storm_limit.max(1)).unwrap_or(usize::MAX);
    // The end of what was told is owed to people as much as its beginning.
    let urgent = severity == Severity::Critical || event == Event::Healed;
    if recent >= if urgent { limit.saturating_mul(2) } else { limit } {
        memory.held = memory.held.saturating_add(1);
        return false;
    }
    memory.sent.push(now.clone());
    true
}

/// Whether this was told within `span`; remembers it as told now if not.
pub(crate) fn repeated(memory: &mut Memory, what: &str, span: Duration, now: &Stamp) -> bool {
    if memory.told.get(what).is_some_and(|at| now.since(at) < span) {
        return true;
    }
    memory.told.insert(what.to_owned(), now.clone());
    false
}
