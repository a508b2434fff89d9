//! P6.

use crate::case::{CASE, Case, On};
use oc_testkit::Signal;

pub(crate) const P6: Case = Case {
    id: "P6",
    fault: "frozen: kill -STOP",
    on: On::Both,
    inject: |arena| arena.signal(Signal::STOP),
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
