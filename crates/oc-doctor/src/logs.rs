//! Logs that may go when the disk is full.

use crate::scene::Scene;
use std::path::PathBuf;

/// Rotated logs (never a current one) and their size: ours and the gateway's.
#[must_use]
pub fn rotated(scene: &Scene<'_>) -> (Vec<PathBuf>, u64) {
    let (mut files, mut bytes) = (Vec::new(), 0);
    let dir = scene.world.paths.openclaw().join("logs");
    let Ok(entries) = std::fs::read_dir(dir) else {
        return (files, bytes);
    };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let old = name
            .split_once(".log.")
            .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()));
        if let (true, Ok(meta)) = (old, entry.metadata())
            && meta.is_file()
        {
            files.push(entry.path());
            bytes += meta.len();
        }
    }
    (files, bytes)
}
