//! K2.

use crate::case::{Case, Class, HUNG};

pub(crate) const K2: Case = Case {
    id: "K2",
    class: Class::Concurrency,
    fault: "guardian, doctor and a pass all begin at once while the gateway hangs",
    inject: |arena| {
        arena.fault_here(|f| f.block_ms = Some(0))?;
        let healers = [
            arena.env().cmd("oc-guardian").arg("ensure").spawn(),
            arena.env().cmd("oc-doctor").args(["fix", "--verify"]).spawn(),
            arena.heal().spawn(),
            arena.env().cmd("oc-guardian").arg("ensure").spawn(),
        ];
        for healer in healers {
            healer.wait(std::time::Duration::from_secs(60));
        }
        Ok(())
    },
    ..HUNG
};
