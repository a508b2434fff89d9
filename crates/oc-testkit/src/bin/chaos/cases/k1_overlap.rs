//! K1.

use crate::case::{Case, Class, HUNG};

pub(crate) const K1: Case = Case {
    id: "K1",
    class: Class::Concurrency,
    fault: "twenty passes at once while the gateway hangs",
    ci: true,
    inject: |arena| {
        arena.fault_here(|f| f.block_ms = Some(0))?;
        let passes: Vec<_> = (0..20).map(|_| arena.heal().spawn()).collect();
        let codes = passes
            .into_iter()
            .map(|pass| pass.wait(std::time::Duration::from_secs(60)).code);
        arena.note = codes.filter(|code| *code == 75).count().to_string();
        Ok(())
    },
    // Nineteen, or twenty when the scheduler's own pass was first.
    verify: |arena| {
        let busy = &arena.note;
        (busy != "19" && busy != "20")
            .then(|| format!("{busy} of 20 were busy"))
            .into_iter()
            .collect()
    },
    ..HUNG
};
