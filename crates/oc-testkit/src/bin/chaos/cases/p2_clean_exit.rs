//! P2.

use crate::case::{CASE, Case, On};
use oc_testkit::Signal;

pub(crate) const P2: Case = Case {
    id: "P2",
    fault: "clean exit 0 that nobody asked for: TERM",
    on: On::Both,
    inject: |arena| arena.signal(Signal::TERM),
    level: Some(0),
    ..CASE
};
