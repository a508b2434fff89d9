//! P4.

use crate::case::{CASE, Case, End, On};
use oc_testkit::{Faults, Signal};

pub(crate) const P4: Case = Case {
    id: "P4",
    fault: "exit 78 (EX_CONFIG) at every start, with a configuration that looks good",
    on: On::Both,
    inject: |arena| {
        arena.env().fault(|f| {
            *f = Faults {
                boot_ms: 60_000,
                exit_after_ms: Some(20),
                exit_code: 78,
                ..Faults::default()
            };
        });
        arena.signal(Signal::KILL)
    },
    end: End::Human,
    // Never a restart: it cannot help.
    actions: &["doctor start"],
    most: 5,
    alerts: 1..=3,
    ..CASE
};
