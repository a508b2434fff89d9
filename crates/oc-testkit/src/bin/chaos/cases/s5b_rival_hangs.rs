//! S5b.

use super::s5_two_managers::rival;
use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;
use oc_testkit::Signal;

pub(crate) const S5B: Case = Case {
    id: "S5b",
    class: Class::Manager,
    fault: "somebody's shell loop has taken the gateway over, systemd has given its own up, and the one that serves hangs",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        rival(arena);
        // Until the other one is the quicker.
        arena.wait("the rival serves", |arena| {
            let own = arena.shown("MainPID").parse().unwrap_or(0);
            if arena.serving().is_some_and(|life| life.pid == own) {
                arena.env().signal(own, Signal::KILL);
            }
            let state = arena.shown("ActiveState");
            arena.serving().is_some_and(|life| life.pid != own) && state == "failed"
        })?;
        arena.passes(1)?;
        arena.wait("no incident is open", |arena| arena.quiet())?;
        arena.before = arena.serving();
        arena.mark();
        arena.signal(Signal::STOP)
    },
    // As in S5.
    actions: &["restart kill", "doctor register"],
    most: 2,
    // Of the taking over as well, where that took long.
    alerts: 0..=4,
    ..CASE
};
