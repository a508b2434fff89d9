//! H3.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H3: Case = Case {
    id: "H3",
    class: Class::Http,
    fault: "answers 503 to everything",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Status(503))),
    ..HUNG
};
