//! The state database, by its first bytes only: opening a live database with another program has damaged it before.

use crate::checks::file::quoted;
use crate::finding::Finding;
use crate::scene::Scene;
use std::io::Read as _;

/// state.database
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if !scene.openclaw() {
        return;
    }
    let path = scene.world.paths.openclaw().join("state/openclaw.sqlite");
    let mut header = Vec::new();
    let Ok(file) = std::fs::File::open(&path) else { return };
    if file.take(16).read_to_end(&mut header).is_err() || header == b"SQLite format 3\0" {
        return;
    }
    let name = path.display().to_string();
    let aside = format!("mv {} {}.broken", quoted(&name), quoted(&name));
    findings.push(if header.is_empty() {
        Finding::warning(
            "state.database",
            &name,
            format!("{name} is empty: the service begins anew, its history is gone"),
        )
    } else {
        Finding::error("state.database", &name, format!("{name} is no database any more")).command(format!(
            "restore it from a backup, or begin anew: {aside}; rm -f {name}-wal {name}-shm"
        ))
    });
}
