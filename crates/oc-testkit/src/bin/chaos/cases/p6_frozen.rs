//! P6.

use crate::case::{Case, HUNG, On};
use oc_testkit::Signal;

pub(crate) const P6: Case = Case {
    id: "P6",
    fault: "frozen: kill -STOP",
    on: On::Both,
    inject: |arena| arena.signal(Signal::STOP),
    ..HUNG
};
