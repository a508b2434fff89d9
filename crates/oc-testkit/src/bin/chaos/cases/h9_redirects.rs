//! H9.

use crate::case::{CASE, Case, Class};
use oc_testkit::Hostile;

pub(crate) const H9: Case = Case {
    id: "H9",
    class: Class::Http,
    fault: "redirects for ever",
    inject: |arena| arena.fault_here(|f| f.hostile = Some(Hostile::RedirectLoop)),
    actions: &["restart kill"],
    most: 1,
    level: Some(1),
    alerts: 0..=1,
    ..CASE
};
