//! S5.

use crate::arena::Arena;
use crate::case::{CASE, Case, Class, Keeper};
use crate::needs::Need;

pub(crate) const S5: Case = Case {
    id: "S5",
    class: Class::Manager,
    fault: "somebody's shell loop starts the gateway too, within a moment of every end, and the gateway hangs",
    needs: &[Need::Root, Need::UserManager],
    keeper: Keeper::Systemd,
    inject: |arena| {
        rival(arena);
        arena.fault_here(|f| f.block_ms = Some(0))
    },
    verify: no_war,
    // The one that comes too late exits with 78, which the doctor looks at where the other one does not serve yet.
    actions: &["restart kill", "doctor register"],
    most: 2,
    alerts: 0..=2,
    ..CASE
};

/// A second keeper of the same gateway. Its own is refused for as long as another one lives.
pub(super) fn rival(arena: &mut Arena) {
    let (gateway, port) = (arena.program.display(), arena.service.port);
    let line = format!("while :; do {gateway} gateway run --port {port}; sleep 0.05; done");
    let rival = arena.env().foreign("/bin/sh").args(["-c", &line]);
    arena.helpers.push(rival.spawn());
}

/// Whoever came first stays: one end, one successor.
pub(super) fn no_war(arena: &mut Arena) -> Vec<String> {
    let since = arena.injected.map(|(at, _)| at);
    let mut lives: Vec<u32> = Vec::new();
    for sight in arena.sights().iter().filter(|sight| Some(sight.at) >= since) {
        let next = sight.serving.filter(|life| Some(*life) != arena.before);
        lives.extend(next.map(|life| life.pid).filter(|pid| !lives.contains(pid)));
    }
    let war = (lives.len() != 1).then(|| format!("one after the other served: {lives:?}"));
    war.into_iter().collect()
}
