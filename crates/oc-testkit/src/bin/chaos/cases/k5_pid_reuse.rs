//! K5.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;
use serde_json::json;

pub(crate) const K5: Case = Case {
    id: "K5",
    class: Class::Concurrency,
    fault: "the gateway's old pid belongs to another program now, in every file that names it",
    // Healed well within the 90 s of the default, hence nobody is told. Scaled to 2 s, as elsewhere here, that would be a race: it
    // takes that long, too, and a slow pass makes it one message (healed) or two (opened, healed).
    settings: || json!({"notify": {"opened_after": "90s"}}),
    inject: |arena| {
        let stranger = arena.env().foreign("sleep").arg("600").spawn();
        let gateway = arena.pid()?;
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.env().signal(gateway, Signal::KILL);
        let files = [
            arena.env().watchdog().join("supervise/status.json"),
            arena.env().gateway_lock(),
        ];
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            let named = text.replace(&gateway.to_string(), &stranger.pid().to_string());
            std::fs::write(&file, named).map_err(|e| crate::arena::broken(&e.to_string()))?;
        }
        arena.helpers.push(stranger);
        let before = arena.before;
        arena.wait("passes start it again", |arena| {
            arena.heal().run();
            arena.serving().is_some_and(|life| Some(life) != before)
        })
    },
    verify: |arena| {
        let killed = arena.helpers.iter_mut().any(|stranger| stranger.try_wait().is_some());
        killed
            .then(|| "the stranger was killed".to_owned())
            .into_iter()
            .collect()
    },
    actions: &["restart start", "restart register"],
    most: 1,
    ..CASE
};
