//! D2.

use super::p9_worker_dead::launcher;
use crate::case::{CASE, Case, Class, End};
use oc_testkit::Signal;

pub(crate) const D2: Case = Case {
    id: "D2",
    class: Class::Dependency,
    fault: "a module of the gateway is missing: it dies at every start and says so",
    prepare: |arena| {
        launcher(
            arena,
            "[ ! -e $HOME/broken ] || { echo \"Error: Cannot find module 'openclaw/dist/entry.js'\" >&2; exit 1; }\nexec \"$gateway\" \"$@\"",
        )
    },
    inject: |arena| {
        arena.env().write("broken", "");
        arena.signal(Signal::KILL)
    },
    mend: |arena| {
        _ = std::fs::remove_file(arena.env().path("broken"));
        Ok(())
    },
    end: End::Human,
    actions: &["doctor start", "restart start"],
    most: 5,
    alerts: 1..=3,
    ..CASE
};
