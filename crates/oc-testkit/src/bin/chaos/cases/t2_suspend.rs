//! T2.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Signal;
use serde_json::json;
use std::time::{Duration, Instant};

pub(crate) const T2: Case = Case {
    id: "T2",
    class: Class::Clock,
    fault: "the watcher is suspended for longer than three intervals; when it wakes, the gateway hangs",
    settings: || json!({"policy": {"hold": {"wake_intervals": 3}}}),
    inject: |arena| {
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::STOP);
        }
        let asleep = Instant::now();
        arena.wait("five seconds of sleep", |_| asleep.elapsed() > Duration::from_secs(5))?;
        arena.fault_here(|f| f.block_ms = Some(0))?;
        if let Some(supervisor) = arena.service.supervisor() {
            supervisor.signal(Signal::CONT);
        }
        Ok(())
    },
    verify: |arena| {
        let woke = arena.heard("warning").map(|event| event.wall_ms);
        let acted = arena.heard("attempt").map(|event| event.wall_ms);
        let waited = woke.zip(acted).is_some_and(|(woke, acted)| acted - woke >= 1_500);
        let times = format!("it acted at once after the sleep: woke {woke:?}, acted {acted:?}");
        (!waited).then_some(times).into_iter().collect()
    },
    ..HUNG
};
