//! H2.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H2: Case = Case {
    id: "H2",
    class: Class::Http,
    fault: "answers one byte a second",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Trickle)),
    alerts: 0..=2,
    ..HUNG
};
