//! H9.

use crate::case::{Case, Class, HUNG};
use oc_testkit::Hostile;

pub(crate) const H9: Case = Case {
    id: "H9",
    class: Class::Http,
    fault: "redirects for ever",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::RedirectLoop)),
    ..HUNG
};
