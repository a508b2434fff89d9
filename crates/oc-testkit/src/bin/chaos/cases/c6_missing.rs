//! C6F.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C6F: Case = Case {
    id: "C6f",
    class: Class::Config,
    fault: "the file is deleted",
    on: On::Both,
    prepare: |arena| arena.person(&["oc-doctor", "snapshot"], &[0]).map(drop),
    inject: |arena| {
        _ = std::fs::remove_file(arena.env().config_path());
        arena.written = None;
        arena.signal(Signal::KILL)
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &super::c1_syntax::REPAIRS,
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};
