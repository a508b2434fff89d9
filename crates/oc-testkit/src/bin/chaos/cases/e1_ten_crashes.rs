//! E1.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;

pub(crate) const E1: Case = Case {
    id: "E1",
    class: Class::Extreme,
    fault: "ten crashes in a row: kill -9 as soon as it serves again",
    inject: |arena| {
        for n in 0..10 {
            let old = arena.pid()?;
            arena.signal(Signal::KILL)?;
            if n < 9 {
                arena.wait("it serves again", |arena| {
                    let up = arena.service.status().is_some_and(|status| status["phase"] == "up");
                    up && arena.service.pid().is_some_and(|pid| pid != old)
                })?;
            }
        }
        Ok(())
    },
    level: Some(0),
    // Flapping is worth a word.
    alerts: 0..=1,
    ..CASE
};
