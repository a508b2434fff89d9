//! H3.

use crate::case::{CASE, Case, Class};
use oc_testkit::Hostile;

pub(crate) const H3: Case = Case {
    id: "H3",
    class: Class::Http,
    fault: "answers 503 to everything",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Status(503))),
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
