//! N1.

use super::w5_notifier_down::waited;
use crate::case::{Case, Class, HUNG};
use serde_json::json;

pub(crate) const N1: Case = Case {
    id: "N1",
    class: Class::Network,
    fault: "no DNS while the gateway hangs: the alert waits and is delivered later",
    settings: || json!({"notify": {"webhook": {"url": "https://alerts.invalid/chaos-hook-5ecret"}, "opened_after": "0s"}}),
    inject: |arena| arena.fault_here(|f| f.block_ms = Some(0)),
    verify: |arena| {
        let url = arena.hook.url("/chaos-hook-5ecret");
        arena.env().configure(&json!({"notify": {"webhook": {"url": url}}}));
        waited(arena)
    },
    alerts: 1..=2,
    ..HUNG
};
