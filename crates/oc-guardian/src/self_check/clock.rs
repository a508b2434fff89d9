//! The wall clock: reports and reminders go by it, backoffs do not.

use super::Line;
use oc_core::clock::{Stamp, parse_rfc3339};
use oc_core::world::World;

/// When this was written; earlier than that it cannot be.
const EARLIEST_MS: i64 = 1_767_225_600_000;
/// Clocks differ by seconds.
const TOLERANCE_MS: i64 = 5 * 60 * 1000;

pub(super) fn check(world: &World) -> Line {
    let now = Stamp::now();
    let mend = if cfg!(target_os = "macos") {
        "sudo sntp -sS time.apple.com"
    } else {
        "timedatectl set-ntp true"
    };
    let newest = world.journal.recent(1).ok().and_then(|events| events.last().cloned());
    let ahead = newest
        .and_then(|event| parse_rfc3339(&event.at).ok())
        .map(|at| at - now.wall_ms);
    match ahead {
        _ if now.wall_ms < EARLIEST_MS => Line::fail("clock", format!("it says {}", now.rfc3339()), mend),
        Some(ms) if ms > TOLERANCE_MS => Line::warn(
            "clock",
            format!(
                "it says {}, and the journal is {} s ahead of it",
                now.rfc3339(),
                ms / 1000
            ),
            mend,
        ),
        _ => Line::ok("clock", now.rfc3339()),
    }
}
