//! K4.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;
use serde_json::json;

pub(crate) const K4: Case = Case {
    id: "K4",
    class: Class::Concurrency,
    fault: "supervisor and gateway are dead; what a pass starts in their place must not hold its lock",
    // As in K5: scaled to 2 s it would be a race whether anybody is told.
    settings: || json!({"notify": {"opened_after": "90s"}}),
    inject: |arena| {
        let gateway = arena.pid()?;
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.env().signal(gateway, Signal::KILL);
        let before = arena.before;
        arena.wait("a pass starts it again", |arena| {
            arena.heal().run();
            arena.serving().is_some_and(|life| Some(life) != before)
        })
    },
    verify: |arena| {
        let free = arena.wait("the lock is free", |arena| {
            arena.env().cmd("oc-escalate").args(["run", "--", "true"]).run().code == 0
        });
        free.err()
            .map(|_| "the service holds the healing lock".to_owned())
            .into_iter()
            .collect()
    },
    actions: &["restart start", "restart register"],
    most: 1,
    alerts: 0..=0,
    ..CASE
};
