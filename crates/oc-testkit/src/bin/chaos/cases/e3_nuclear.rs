//! E3.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const E3: Case = Case {
    id: "E3",
    class: Class::Extreme,
    fault: "nuclear option: supervisor and gateway killed, the configuration deleted; only cron's `oc-guardian ensure` is left",
    ci: true,
    on: On::Both,
    prepare: |arena| arena.person(&["oc-doctor", "snapshot"], &[0]).map(drop),
    inject: |arena| {
        let gateway = arena.pid()?;
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::KILL);
        }
        arena.env().signal(gateway, Signal::KILL);
        _ = std::fs::remove_file(arena.env().config_path());
        arena.written = None;
        let before = arena.before;
        arena.wait("cron heals it", |arena| {
            arena
                .env()
                .cmd("oc-guardian")
                .arg("ensure")
                .timeout(std::time::Duration::from_secs(60))
                .run();
            arena.serving().is_some_and(|life| Some(life) != before)
        })
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &["doctor start", "restart start", "restart register"],
    most: 2,
    alerts: 0..=2,
    ..CASE
};
