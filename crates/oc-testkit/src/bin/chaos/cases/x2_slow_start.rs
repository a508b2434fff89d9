//! X2.

use crate::case::{CASE, Case, Class, On};

pub(crate) const X2: Case = Case {
    id: "X2",
    class: Class::Control,
    fault: "a person's start takes 5 s (grace: 10 s), refusing connections meanwhile",
    on: On::Both,
    inject: |arena| {
        arena.env().fault(|f| f.boot_ms = 5_000);
        arena.person(&["oc-guardian", "stop", "--reason", "chaos"], &[0])?;
        // Whether `start` waits that long is not the question here.
        arena.person(&["oc-guardian", "start"], &[0, 1, 2]).map(drop)
    },
    level: Some(0),
    ..CASE
};
