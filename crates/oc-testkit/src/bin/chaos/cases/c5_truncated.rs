//! C5F.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C5F: Case = Case {
    id: "C5f",
    class: Class::Config,
    fault: "cut off after 60 bytes, as by a power cut",
    on: On::Both,
    prepare: |arena| arena.person(&["oc-doctor", "snapshot"], &[0]).map(drop),
    inject: |arena| {
        arena.spoil_config(|text| text[..60].to_owned());
        arena.signal(Signal::KILL)
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &super::c1_syntax::REPAIRS,
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};
