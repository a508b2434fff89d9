//! S1b.

use crate::arena::broken;
use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;

pub(crate) const S1B: Case = Case {
    id: "S1b",
    class: Class::Control,
    fault: "a person stopped it on purpose, then both units are deleted; cron's guardian comes by three times; the person starts it",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        arena.person(&["oc-guardian", "stop", "--reason", "chaos"], &[0])?;
        super::s1_unloaded::unload(arena)?;
        for _ in 0..3 {
            arena.ensure().expect_code(0);
            arena.heal().run().expect_code(0);
        }
        if arena.serving().is_some() {
            return Err(broken("it was started against a person's will"));
        }
        arena.person(&["oc-guardian", "start"], &[0])?;
        // With it the timer, which the next visit finds gone.
        arena.wait("the timer is back", |arena| arena.ensure().code == 1)
    },
    level: Some(0),
    ..CASE
};
