//! P5.

use crate::case::{CASE, Case};
use oc_testkit::Signal;

pub(crate) const P5: Case = Case {
    id: "P5",
    fault: "abort: kill -ABRT",
    inject: |arena| arena.signal(Signal::ABORT),
    level: Some(0),
    ..CASE
};
