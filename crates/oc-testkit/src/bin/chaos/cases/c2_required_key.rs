//! C2F.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C2F: Case = Case {
    id: "C2f",
    class: Class::Config,
    fault: "the required key gateway.mode is deleted",
    ci: true,
    on: On::Both,
    inject: |arena| {
        arena.spoil_config(without_mode);
        arena.signal(Signal::KILL)
    },
    verify: |arena| {
        let now = arena.config_text();
        let good = now.contains("// mine") && now.contains("mode");
        (!good)
            .then(|| format!("not put back as it was: {now}"))
            .into_iter()
            .collect()
    },
    actions: &super::c1_syntax::REPAIRS,
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};

pub(super) fn without_mode(text: String) -> String {
    text.replace("    \"mode\": \"local\", // important\n", "")
}
