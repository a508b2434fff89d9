//! H4.

use crate::case::{CASE, Case, Class};
use oc_testkit::Hostile;

pub(crate) const H4: Case = Case {
    id: "H4",
    class: Class::Http,
    fault: "answers 200 with a page of HTML",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Html)),
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
