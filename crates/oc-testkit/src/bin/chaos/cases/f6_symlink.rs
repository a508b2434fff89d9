//! F6.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;

pub(crate) const F6: Case = Case {
    id: "F6",
    class: Class::Filesystem,
    fault: "a link to somebody's file in place of the healing lock, while the gateway is frozen",
    inject: |arena| {
        let precious = arena.env().write("precious", "precious");
        let lock = arena.env().watchdog().join("locks/healing.lock");
        _ = std::fs::remove_file(&lock);
        std::os::unix::fs::symlink(precious, &lock).map_err(|e| crate::arena::broken(&e.to_string()))?;
        arena.signal(Signal::STOP)?;
        arena.heal().run();
        arena.heal().run();
        std::fs::remove_file(&lock).map_err(|e| crate::arena::broken(&e.to_string()))
    },
    verify: |arena| {
        let text = std::fs::read_to_string(arena.env().path("precious")).unwrap_or_default();
        (text != "precious")
            .then(|| format!("it was written to: {text}"))
            .into_iter()
            .collect()
    },
    level: Some(1),
    actions: &["restart kill"],
    most: 1,
    alerts: 0..=1,
    ..CASE
};
