//! W2.

use crate::arena::broken;
use crate::case::{Case, Class, HUNG};

pub(crate) const W2: Case = Case {
    id: "W2",
    class: Class::Watcher,
    fault: "the probe cannot be run while the gateway hangs: not knowing is not down",
    prepare: crate::arena::Arena::stubs_first,
    inject: |arena| {
        let stub = arena.env().stub("oc-probe", ": >$HOME/asked; exit 126");
        // A probe that began before could still measure the hang, and be right.
        arena.wait("a pass finds no probe", |arena| arena.env().path("asked").exists())?;
        arena.fault_here(|f| f.block_ms = Some(0))?;
        let hung = arena.pid()?;
        arena.passes(4)?;
        if arena.pid()? != hung || arena.heard("attempt").is_some() {
            return Err(broken("it acted without knowing"));
        }
        std::fs::remove_file(stub).map_err(|e| broken(&e.to_string()))
    },
    verify: |arena| {
        let asked = arena.env().path("asked").exists();
        (!asked)
            .then(|| "the broken probe was never called".to_owned())
            .into_iter()
            .collect()
    },
    alerts: 0..=2,
    ..HUNG
};
