//! H10.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H10: Case = Case {
    id: "H10",
    class: Class::Http,
    fault: "answers with a body that never ends",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Endless)),
    ..HUNG
};
