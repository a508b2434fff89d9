//! P3.

use crate::case::{CASE, Case, End, On};
use oc_testkit::{Faults, Signal};

pub(crate) const P3: Case = Case {
    id: "P3",
    fault: "crash loop: dies 50 ms after every start",
    ci: true,
    on: On::Both,
    inject: |arena| {
        arena.env().fault(|f| {
            *f = Faults {
                boot_ms: 60_000,
                exit_after_ms: Some(50),
                ..Faults::default()
            };
        });
        arena.signal(Signal::KILL)
    },
    end: End::Human,
    actions: &["doctor start", "restart start"],
    most: 5,
    alerts: 1..=3,
    ..CASE
};
