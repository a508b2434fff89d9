//! X1.

use crate::case::{CASE, Case, Class, End, On};

pub(crate) const X1: Case = Case {
    id: "X1",
    class: Class::Control,
    fault: "none: a healthy gateway, ten passes",
    ci: true,
    on: On::Both,
    hurts: |_| true,
    end: End::LeftAlone(10),
    ..CASE
};
