//! T1.

use crate::case::{CASE, Case, Class};

pub(crate) const T1: Case = Case {
    id: "T1",
    class: Class::Clock,
    fault: "the wall clock jumps back and forth by years from pass to pass while the gateway hangs",
    settings: || serde_json::json!({"policy": {"interval_embedded": "4s"}}),
    inject: |arena| {
        arena.fault_here(|f| f.block_ms = Some(0))?;
        let before = arena.before;
        let mut clocks = ["2001-01-01T00:00:00Z", "2037-01-01T00:00:00Z"].iter().cycle();
        arena.wait("passes at these times heal it", |arena| {
            let clock = clocks.next().unwrap_or(&"2037-01-01T00:00:00Z");
            // Only the wall clock jumps: the time since boot goes on.
            let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
            let boot_ms = boot.tv_sec * 1000 + boot.tv_nsec / 1_000_000;
            arena.heal().env("OC_NOW", clock).env("OC_NOW_BOOT_MS", boot_ms).run();
            arena.quiet() && arena.serving().is_some_and(|life| Some(life) != before)
        })
    },
    actions: &["restart kill"],
    most: 1,
    alerts: 0..=1,
    ..CASE
};
