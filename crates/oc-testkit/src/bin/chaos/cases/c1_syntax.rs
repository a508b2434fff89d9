//! C1F.

use crate::arena::Arena;
use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C1F: Case = Case {
    id: "C1f",
    class: Class::Config,
    fault: "syntax error: the last brace is gone",
    on: On::Both,
    inject: |arena| {
        arena.spoil_config(|text| text.trim_end().trim_end_matches('}').to_owned());
        arena.signal(Signal::KILL)
    },
    verify: |arena| kept(arena),
    actions: &REPAIRS,
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};

/// Where it takes long to boot, the one that was started at once is still about to find out.
pub(super) const REPAIRS: [&str; 2] = ["doctor start", "doctor graceful"];

/// What a person wrote into the configuration and the fault did not touch is still there.
pub(super) fn kept(arena: &mut Arena) -> Vec<String> {
    let (good, now) = (arena.good_config(), arena.config_text());
    let lost = good.lines().filter(|line| line.contains("//") || line.contains("auth"));
    lost.filter(|line| !now.contains(line.trim().trim_end_matches(',')))
        .map(|line| format!("the configuration lost: {}", line.trim()))
        .collect()
}
