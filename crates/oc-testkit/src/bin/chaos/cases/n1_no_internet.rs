//! N1.

use crate::case::{CASE, Case, Class};
use serde_json::json;

pub(crate) const N1: Case = Case {
    id: "N1",
    class: Class::Network,
    fault: "no DNS while the gateway hangs: the alert waits and is delivered later",
    settings: || json!({"notify": {"webhook": {"url": "https://alerts.invalid/chaos-hook-5ecret"}, "opened_after": "0s"}}),
    inject: |arena| arena.fault_here(|f| f.block_ms = Some(0)),
    verify: |arena| {
        arena
            .env()
            .configure(&json!({"notify": {"webhook": {"url": arena.hook.url("/chaos-hook-5ecret")}}}));
        let delivered = arena.wait("the alert that waited is delivered", |arena| {
            arena.env().cmd("oc-notify").arg("flush").run();
            !arena.hook.accepted().is_empty()
        });
        delivered
            .err()
            .map(|_| "the alert was lost".to_owned())
            .into_iter()
            .collect()
    },
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 1..=2,
    ..CASE
};
