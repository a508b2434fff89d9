//! C3F.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C3F: Case = Case {
    id: "C3f",
    class: Class::Config,
    fault: "an unknown key",
    on: On::Both,
    inject: |arena| {
        arena.spoil_config(|text| text.replacen("  // mine\n", "  // mine\n  \"bogus\": 1,\n", 1));
        arena.signal(Signal::KILL)
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &super::c1_syntax::REPAIRS,
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};
