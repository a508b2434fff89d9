//! X4.

use crate::case::{CASE, Case, Class, End, On};

pub(crate) const X4: Case = Case {
    id: "X4",
    class: Class::Control,
    fault: "maintenance is declared, and it hangs meanwhile",
    on: On::Both,
    inject: |arena| {
        arena.person(
            &["oc-escalate", "maintenance", "on", "--for", "1h", "--reason", "chaos"],
            &[0],
        )?;
        arena.fault_here(|f| f.block_ms = Some(0))
    },
    mend: |arena| {
        (CASE.mend)(arena)?;
        arena.wait("it serves", |arena| arena.serving().is_some())?;
        arena.person(&["oc-escalate", "maintenance", "off"], &[0]).map(drop)
    },
    end: End::LeftAlone(4),
    ..CASE
};
