//! H1.

use crate::case::{Case, Class, HUNG, On};

pub(crate) const H1: Case = Case {
    id: "H1",
    class: Class::Http,
    fault: "the event loop is blocked: connections are accepted and get no byte",
    ci: true,
    on: On::Both,
    inject: |arena| arena.fault_here(|f| f.block_ms = Some(0)),
    ..HUNG
};
