//! H10.

use crate::case::{CASE, Case, Class};
use oc_testkit::Hostile;

pub(crate) const H10: Case = Case {
    id: "H10",
    class: Class::Http,
    fault: "answers with a body that never ends",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Endless)),
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
