//! P1.

use crate::case::{CASE, Case, On};
use oc_testkit::Signal;

pub(crate) const P1: Case = Case {
    id: "P1",
    fault: "crash: kill -9",
    ci: true,
    on: On::Both,
    inject: |arena| arena.signal(Signal::KILL),
    level: Some(0),
    ..CASE
};
