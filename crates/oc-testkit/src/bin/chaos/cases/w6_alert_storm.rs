//! W6.

use crate::case::{CASE, Case, Class};
use serde_json::json;

/// How often it fails.
const TIMES: usize = 7;

pub(crate) const W6: Case = Case {
    id: "W6",
    class: Class::Watcher,
    fault: "flapping: it hangs seven times in a row, and each time is healed",
    settings: || json!({"notify": {"opened_after": "0s"}}),
    inject: |arena| {
        for n in 1..=TIMES {
            arena.fault_here(|f| f.block_ms = Some(0))?;
            arena.wait("it is healed once more", |arena| arena.count("incident_closed") == n)?;
        }
        Ok(())
    },
    actions: &["restart kill", "restart graceful"],
    most: TIMES,
    level: Some(1),
    // Each told for itself would be fourteen.
    alerts: 2..=9,
    ..CASE
};
