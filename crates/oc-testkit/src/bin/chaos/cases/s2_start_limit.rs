//! S2.

use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;
use crate::systemd::UNIT;
use oc_testkit::{Faults, Signal};

pub(crate) const S2: Case = Case {
    id: "S2",
    class: Class::Manager,
    fault: "the unit hit its start limit: systemd refuses every further start",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        arena.env().fault(|f| (f.boot_ms, f.exit_after_ms) = (60_000, Some(0)));
        arena.signal(Signal::KILL)?;
        arena.wait("the latch", |arena| {
            arena.systemctl(&["start", UNIT]);
            arena.shown("ActiveState") == "failed"
        })?;
        arena.env().fault(|f| *f = Faults::default());
        Ok(())
    },
    actions: &["restart register", "restart start"],
    most: 2,
    level: Some(1),
    alerts: 0..=2,
    ..CASE
};
