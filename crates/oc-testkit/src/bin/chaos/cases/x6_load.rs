//! X6.

use crate::case::{CASE, Case, Class, End};

pub(crate) const X6: Case = Case {
    id: "X6",
    class: Class::Control,
    fault: "a load of twenty: as many busy programs",
    inject: |arena| {
        for _ in 0..20 {
            let busy = arena
                .env()
                .foreign("nice")
                .args(["-n", "5", "sh", "-c", "while :; do :; done"])
                .spawn();
            arena.helpers.push(busy);
        }
        Ok(())
    },
    hurts: |_| true,
    mend: |arena| {
        arena.helpers.clear();
        Ok(())
    },
    end: End::LeftAlone(3),
    ..CASE
};
