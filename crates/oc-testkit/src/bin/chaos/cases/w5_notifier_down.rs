//! W5.

use crate::arena::Arena;
use crate::case::{Case, Class, HUNG, On};
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
        waited(arena)
    },
    alerts: 1..=2,
    ..HUNG
};

/// What waited is delivered as soon as that is possible.
pub(super) fn waited(arena: &mut Arena) -> Vec<String> {
    let delivered = arena.wait("what waited is delivered", |arena| {
        arena.env().cmd("oc-notify").arg("flush").run();
        !arena.hook.accepted().is_empty()
    });
    let lost = delivered.err().map(|_| "the alert was lost".to_owned());
    lost.into_iter().collect()
}
