//! P10.

use crate::case::{CASE, Case};
use oc_testkit::process;

pub(crate) const P10: Case = Case {
    id: "P10",
    fault: "ignores TERM, and has a child in a session of its own, when a person stops and starts it",
    inject: |arena| {
        let old = arena.pid()?;
        arena.fault_here(|f| {
            f.ignore_sigterm = true;
            f.own_session_child = true;
        })?;
        arena.wait("it has a child", |_| !process::children(old).is_empty())?;
        let tree: Vec<String> = process::children(old)
            .iter()
            .chain([&old])
            .map(u32::to_string)
            .collect();
        arena.note = tree.join(" ");
        arena.person(&["oc-guardian", "stop"], &[0])?;
        arena.person(&["oc-guardian", "start", "--wait"], &[0]).map(drop)
    },
    verify: |arena| {
        let tree = arena.note.split(' ').filter_map(|pid| pid.parse().ok());
        let left = tree.filter(|pid| process::alive(*pid));
        left.map(|pid| format!("process {pid} of the old tree still runs"))
            .collect()
    },
    level: Some(0),
    ..CASE
};
