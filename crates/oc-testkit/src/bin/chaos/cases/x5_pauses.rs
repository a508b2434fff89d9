//! X5.

use crate::case::{CASE, Case, Class, End};
use std::time::{Duration, Instant};

pub(crate) const X5: Case = Case {
    id: "X5",
    class: Class::Control,
    fault: "pauses of 200 ms, ten of them in 4 s, as of a garbage collector",
    inject: |arena| {
        for n in 0..10 {
            // A changed length begins a new pause.
            arena.fault_here(|f| f.block_ms = Some(200 + n % 2))?;
            let begun = Instant::now();
            arena.wait("the next pause", |_| begun.elapsed() > Duration::from_millis(400))?;
        }
        Ok(())
    },
    hurts: |_| true,
    end: End::LeftAlone(2),
    ..CASE
};
