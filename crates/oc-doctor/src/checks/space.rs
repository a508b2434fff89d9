//! Room and the right to write where the service keeps its state.

use crate::checks::file::quoted;
use crate::finding::Finding;
use crate::scene::Scene;
use rustix::fs::StatVfsMountFlags;

/// disk.full, disk.read_only
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let dir = scene.world.paths.openclaw();
    let Ok(stat) = rustix::fs::statvfs(dir) else { return };
    let name = dir.display().to_string();
    if stat.f_flag.contains(StatVfsMountFlags::RDONLY) {
        findings.push(
            Finding::error(
                "disk.read_only",
                &name,
                format!("{name} is on a file system that is mounted read-only"),
            )
            .command(format!(
                "sudo mount -o remount,rw \"$(df --output=target {} | tail -1)\"",
                quoted(&name)
            )),
        );
        return;
    }
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    let wanted = scene.world.config.probe.disk_min_free.get();
    if free < wanted {
        findings.push(
            Finding::error(
                "disk.full",
                &name,
                format!(
                    "{} MB are free where the service writes ({name}); {} MB are wanted",
                    free >> 20,
                    wanted >> 20
                ),
            )
            .command(format!("du -xh {} | sort -h | tail -20", quoted(&name))),
        );
    }
}
