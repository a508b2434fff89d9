//! S4c.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, End, Keeper};
use crate::needs::Need;

pub(crate) const S4C: Case = Case {
    id: "S4c",
    class: Class::Manager,
    fault: "the manager ended with the last login and took every unit with it; only cron's guardian is left, until the next login",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        let manager = arena.manager.take();
        let mut manager = manager.ok_or_else(|| broken("no manager"))?;
        manager.shut_down(arena.env());
        arena.manager = Some(manager);
        arena.cron();
        Ok(())
    },
    mend: |arena| {
        let manager = arena.manager.take();
        let mut manager = manager.ok_or_else(|| broken("no manager"))?;
        manager.boot(arena.env());
        arena.manager = Some(manager);
        Ok(())
    },
    end: End::Human,
    alerts: 1..=2,
    // A pass may look while the manager is on its way out and its units are only gone.
    actions: &["restart register"],
    most: 1,
    ..CASE
};
