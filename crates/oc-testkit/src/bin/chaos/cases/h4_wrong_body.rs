//! H4.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H4: Case = Case {
    id: "H4",
    class: Class::Http,
    fault: "answers 200 with a page of HTML",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::Html)),
    ..HUNG
};
