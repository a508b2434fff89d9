//! R3.

use crate::case::{CASE, Case, Class, End, On};
use serde_json::json;

pub(crate) const R3: Case = Case {
    id: "R3",
    class: Class::Resource,
    fault: "the event loop is blocked for 2 s, less than what counts as hung (30 s)",
    on: On::Both,
    settings: || json!({"probe": {"hang_after": "30s"}}),
    inject: |arena| arena.fault_here(|f| f.block_ms = Some(2_000)),
    end: End::Passed,
    ..CASE
};
