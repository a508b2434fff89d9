//! Waiting for a condition: the only sleep of the harness.

use std::time::{Duration, Instant};

/// Time between two looks. Short, because the conditions are cheap and tests should not wait for the clock.
const POLL: Duration = Duration::from_millis(5);

/// Waits until `cond` holds and returns how long that took.
///
/// # Panics
/// When it does not hold within `ceiling`; `what` says what was waited for.
pub fn wait_until(what: &str, ceiling: Duration, mut cond: impl FnMut() -> bool) -> Duration {
    let begun = Instant::now();
    wait_for(what, ceiling, || cond().then_some(()));
    begun.elapsed()
}

/// Waits until `look` finds something and returns it.
///
/// # Panics
/// When nothing is found within `ceiling`; `what` says what was waited for.
pub fn wait_for<T>(what: &str, ceiling: Duration, look: impl FnMut() -> Option<T>) -> T {
    try_wait_for(ceiling, look).unwrap_or_else(|| panic!("waited {ceiling:?} in vain: {what}"))
}

/// As [`wait_for`], for callers with more to say about the failure.
pub(crate) fn try_wait_for<T>(ceiling: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let begun = Instant::now();
    loop {
        // Looked at once more after the ceiling: a starved machine may have slept through it.
        let late = begun.elapsed() >= ceiling;
        if let Some(found) = look() {
            return Some(found);
        }
        if late {
            return None;
        }
        std::thread::sleep(POLL);
    }
}
