//! W5.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::providers::Trouble;
use serde_json::json;

pub(crate) const W5: Case = Case {
    id: "W5",
    class: Class::Watcher,
    fault: "the webhook answers 429 while the gateway hangs; no alert may be lost",
    on: On::Both,
    settings: || json!({"notify": {"opened_after": "0s"}}),
    inject: |arena| {
        arena.hook.trouble(Trouble::RateLimited(1.0));
        arena.fault_here(|f| f.block_ms = Some(0))
    },
    verify: |arena| {
        arena.hook.trouble(Trouble::None);
        let delivered = arena.wait("what waited is delivered", |arena| {
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
