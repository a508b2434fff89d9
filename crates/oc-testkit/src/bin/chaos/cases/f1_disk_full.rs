//! F1.

use crate::arena::{Arena, Result, broken};
use crate::case::{CASE, Case, Class};
use crate::needs::Need;
use oc_testkit::Signal;
use std::path::PathBuf;

pub(crate) const F1: Case = Case {
    id: "F1",
    class: Class::Filesystem,
    fault: "the disk under our state is full while the gateway is frozen",
    needs: &[Need::Root, Need::Mount],
    prepare: small_disk,
    inject: |arena| {
        let fill = fill(arena);
        arena.signal(Signal::STOP)?;
        let before = arena.before;
        arena.wait("it is restarted although nothing can be written", |arena| {
            arena.serving().is_some_and(|life| Some(life) != before)
        })?;
        std::fs::remove_file(&fill).map_err(|e| broken(&e.to_string()))
    },
    actions: &["restart kill"],
    most: 1,
    alerts: 0..=2,
    ..CASE
};

/// Puts our state on a disk of its own, of 2 MB.
pub(super) fn small_disk(arena: &mut Arena) -> Result<()> {
    let dir = arena.env().watchdog();
    let settings = arena.env().read_json(".openclaw/watchdog/config.json");
    let words = ["-t", "tmpfs", "-o", "mode=700,size=2m", "tmpfs"];
    let place = dir.display().to_string();
    let mounted = arena.env().foreign("mount").args(words).arg(&place).run();
    if mounted.code != 0 {
        return Err(broken(&format!("cannot mount: {}", mounted.stderr)));
    }
    arena.kept.push(Box::new(Mount(dir)));
    arena.env().oc_config(&settings);
    Ok(())
}

/// Leaves no room on it; returns what takes it.
pub(super) fn fill(arena: &Arena) -> PathBuf {
    let fill = arena.env().watchdog().join("fill");
    let output = format!("of={}", fill.display());
    arena.env().foreign("dd").args(["if=/dev/zero", &output, "bs=1k"]).run();
    fill
}

/// Goes with us.
struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazily: whatever still runs keeps what it has.
        _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
