//! The healing lock can be taken, or is held by a healing.

use super::Line;
use oc_core::exit::Exit;
use oc_core::lock::HealingLock;
use oc_core::world::World;

pub(super) fn check(world: &World) -> Line {
    let path = world.paths.healing_lock();
    if world.common.dry_run {
        return Line::skip("lock", "not tried: a dry run");
    }
    match HealingLock::acquire(&path) {
        Ok(_held) => Line::ok("lock", "the healing lock is free and can be taken"),
        Err(fault) if fault.exit == Exit::Busy => Line::ok("lock", fault.what),
        Err(fault) => Line::fail(
            "lock",
            fault.what,
            fault
                .hint
                .unwrap_or_else(|| format!("ls -ld {}", world.paths.locks().display())),
        ),
    }
}
