//! Whether others may read the file of secrets beside the configuration.

use super::file::quoted;
use crate::finding::Finding;
use crate::scene::Scene;
use std::os::unix::fs::PermissionsExt as _;

/// secrets.permissions
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let path = scene.world.paths.dotenv();
    let Ok(meta) = std::fs::metadata(&path) else { return };
    let (mode, path) = (meta.permissions().mode() & 0o7777, path.display().to_string());
    if mode & 0o077 != 0 {
        findings.push(
            Finding::warning(
                "secrets.permissions",
                &path,
                format!("others may read {path} (mode {mode:o}), which is there to hold secrets"),
            )
            .command(format!("chmod 600 {}", quoted(&path))),
        );
    }
}
