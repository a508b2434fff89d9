//! What only its owner may read, and who runs us.

use super::Line;
use oc_core::world::World;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

pub(super) fn check(world: &World) -> Vec<Line> {
    let private = [
        world.paths.watchdog().to_owned(),
        world.paths.config(),
        world.paths.dotenv(),
        world.paths.service_config().to_owned(),
    ];
    let mut lines: Vec<Line> = private.iter().filter_map(|path| open_to_others(path)).collect();
    if let Some(line) = wrong_user(world.paths.openclaw()) {
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(Line::ok("permissions", "state and secrets are their owner's alone"));
    }
    lines
}

fn open_to_others(path: &Path) -> Option<Line> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    let (bits, want) = if path.is_dir() {
        (0o022, "go-w")
    } else {
        (0o077, "go-rwx")
    };
    (mode & bits != 0).then(|| {
        Line::warn(
            "permissions",
            format!("{} is open to other users (mode {:04o})", path.display(), mode & 0o7777),
            format!("chmod {want} {}", quoted(path)),
        )
    })
}

fn wrong_user(dir: &Path) -> Option<Line> {
    let owner = std::fs::metadata(dir).ok()?.uid();
    let own = rustix::process::geteuid().as_raw();
    (owner != own).then(|| {
        Line::fail(
            "permissions",
            format!("{} belongs to uid {owner}, this runs as uid {own}", dir.display()),
            "run oc-guardian as the user that owns the service",
        )
    })
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}
