//! C4F.

use crate::case::{CASE, Case, Class};
use oc_testkit::Signal;

pub(crate) const C4F: Case = Case {
    id: "C4f",
    class: Class::Config,
    fault: "a wrong type: the port is a word",
    prepare: |arena| arena.person(&["oc-doctor", "snapshot"], &[0]).map(drop),
    inject: |arena| {
        let port = arena.service.port.to_string();
        arena.spoil_config(|text| text.replacen(&format!("\"port\": {port}"), "\"port\": \"x\"", 1));
        arena.signal(Signal::KILL)
    },
    verify: |arena| super::c1_syntax::kept(arena),
    actions: &["doctor start"],
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};
