//! R4.

use crate::case::{CASE, Case, Class, End};
use oc_testkit::process;

pub(crate) const R4: Case = Case {
    id: "R4",
    class: Class::Resource,
    fault: "starved of CPU: two busy threads in the gateway and four busy programs beside it",
    inject: |arena| {
        arena.fault_here(|f| f.busy_threads = 2)?;
        for _ in 0..4 {
            let busy = arena.env().foreign("sh").args(["-c", "while :; do :; done"]).spawn();
            arena.helpers.push(busy);
        }
        arena.note = process::cpu_ticks(arena.pid()?).unwrap_or(0).to_string();
        Ok(())
    },
    hurts: |arena| {
        let begun: u64 = arena.note.parse().unwrap_or(0);
        let used = arena.pid().ok().and_then(process::cpu_ticks).unwrap_or(0);
        used > begun + 50
    },
    mend: |arena| {
        arena.helpers.clear();
        (CASE.mend)(arena)
    },
    end: End::LeftAlone(4),
    ..CASE
};
