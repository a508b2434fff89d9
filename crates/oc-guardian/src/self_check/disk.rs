//! Room for state, snapshots and logs.

use super::Line;
use oc_core::world::World;

pub(super) fn check(world: &World) -> Line {
    let dir = world.paths.watchdog();
    let Some(found) = dir.ancestors().find_map(|dir| rustix::fs::statvfs(dir).ok()) else {
        return Line::warn("disk", "cannot be told", format!("df {}", dir.display()));
    };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let need = world.config.probe.disk_min_free.get();
    let text = format!("{} MiB free where state and logs are", free >> 20);
    let mend = format!("df -h {}; oc-doctor fix makes room among logs", dir.display());
    if found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY) {
        return Line::fail("disk", "mounted read-only", format!("mount | grep {}", dir.display()));
    }
    match free {
        free if free < need => Line::fail("disk", text, mend),
        free if free < need.saturating_mul(3) => Line::warn("disk", text, mend),
        _ => Line::ok("disk", text),
    }
}
