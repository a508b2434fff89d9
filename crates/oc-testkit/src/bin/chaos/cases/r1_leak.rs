//! R1.

use crate::case::{CASE, Case, Class};
use oc_testkit::process;
use serde_json::json;

pub(crate) const R1: Case = Case {
    id: "R1",
    class: Class::Resource,
    fault: "heap leak: 100 MB a second, beyond the limit",
    settings: || json!({"probe": {"memory_warn": "100MB", "memory_limit": "150MB"}}),
    inject: |arena| {
        arena.fault_here(|f| {
            f.leak_mb_per_s = 100;
            f.in_worker = true;
        })
    },
    hurts: |arena| {
        // It hurts once a restart is called for; then the growth ends, so that the machine does not suffer.
        let pid = arena.pid().unwrap_or(0);
        let tree = process::children(pid)
            .iter()
            .map(|pid| process::resident_kb(*pid))
            .sum::<u64>();
        tree > 150_000
    },
    actions: &["restart graceful"],
    most: 1,
    alerts: 0..=3,
    ..CASE
};
