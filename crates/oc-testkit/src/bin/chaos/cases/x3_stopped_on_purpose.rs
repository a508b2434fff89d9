//! X3.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, On};

pub(crate) const X3: Case = Case {
    id: "X3",
    class: Class::Control,
    fault: "a person stopped it on purpose, and starts it again after four passes",
    ci: true,
    on: On::Both,
    inject: |arena| {
        arena.person(&["oc-guardian", "stop", "--reason", "chaos"], &[0])?;
        arena.wait("it is stopped", |arena| arena.serving().is_none())?;
        arena.passes(4)?;
        if arena.serving().is_some() {
            return Err(broken("it was started against a person's will"));
        }
        arena.person(&["oc-guardian", "start"], &[0]).map(drop)
    },
    level: Some(0),
    ..CASE
};
