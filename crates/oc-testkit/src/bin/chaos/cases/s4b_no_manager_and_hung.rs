//! S4b.

use super::s4_no_manager::{cut_off, reach};
use crate::case::{Case, Class, HUNG, Keeper};
use crate::needs::Need;
use oc_testkit::Signal;

pub(crate) const S4B: Case = Case {
    id: "S4b",
    class: Class::Manager,
    fault: "the manager cannot be reached, its sockets are gone, and the gateway is frozen; the manager itself lives on",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        cut_off(arena)?;
        arena.signal(Signal::STOP)
    },
    verify: |arena| {
        reach(arena)
            .err()
            .map(|_| "it cannot be reached again".to_owned())
            .into_iter()
            .collect()
    },
    alerts: 0..=2,
    ..HUNG
};
