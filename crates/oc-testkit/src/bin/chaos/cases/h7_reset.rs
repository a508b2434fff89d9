//! H7.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H7: Case = Case {
    id: "H7",
    class: Class::Http,
    fault: "resets every connection after it was accepted",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Reset)),
    ..HUNG
};
