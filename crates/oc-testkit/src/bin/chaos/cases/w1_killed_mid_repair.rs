//! W1.

use crate::case::{CASE, Case, Class, On};
use oc_testkit::bin;

pub(crate) const W1: Case = Case {
    id: "W1",
    class: Class::Watcher,
    fault: "the whole pass is killed just before its action, and the next one just after it",
    ci: true,
    on: On::Both,
    prepare: crate::arena::Arena::stubs_first,
    inject: |arena| {
        let guardian = bin("oc-guardian").display().to_string();
        // The group is the pass with everything in it, oc-escalate excepted.
        arena.env().stub(
            "oc-guardian",
            &format!(
                "[ \"$1\" = apply ] || exec {guardian} \"$@\"
                if [ ! -e $HOME/before ]; then : >$HOME/before; kill -9 0; fi
                {guardian} \"$@\"; code=$?
                if [ ! -e $HOME/after ]; then : >$HOME/after; kill -9 0; fi
                exit $code"
            ),
        );
        arena.fault_here(|f| f.block_ms = Some(0))
    },
    verify: |arena| {
        let all = ["before", "after"].iter().all(|mark| arena.env().path(mark).exists());
        (!all)
            .then(|| "it was not killed twice".to_owned())
            .into_iter()
            .collect()
    },
    actions: &["restart kill", "restart graceful"],
    most: 3,
    level: Some(1),
    alerts: 0..=2,
    ..CASE
};
