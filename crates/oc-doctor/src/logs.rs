//! The service's logs: what they said last, and which old ones may go when the disk is full.

use crate::scene::Scene;
use oc_core::fsx;
use oc_core::redact::Redactor;
use std::path::PathBuf;

/// Bytes read from the end of each log.
const TAIL: u64 = 32 << 10;

/// The last lines of the logs of this instance, secrets out, control characters out. Logs that instances share are left
/// out: their lines may be another's.
#[must_use]
pub fn last_lines(scene: &Scene<'_>) -> Vec<String> {
    let dir = scene.world.paths.openclaw().join("logs");
    let configured = scene
        .get("logging.file")
        .and_then(serde_json::Value::as_str)
        .map(PathBuf::from);
    let files = ["supervise.log", "gateway.log", "gateway.err.log"]
        .map(|name| dir.join(name))
        .into_iter()
        .chain(configured);
    let values = scene.effective.as_ref().map(crate::secrets::of).unwrap_or_default();
    let redactor = Redactor::new(values.iter().map(|value| ("config", value)));
    files
        .filter_map(|file| fsx::tail(&file, TAIL).ok())
        .flat_map(|bytes| {
            String::from_utf8_lossy(&bytes)
                .lines()
                .map(|line| {
                    let line: String = strip_colour(line)
                        .chars()
                        .filter(|c| !c.is_control())
                        .take(300)
                        .collect();
                    redactor.redact(&line).into_owned()
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Terminal colours are not part of what a line says.
fn strip_colour(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("\u{1b}[") {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 2..];
        rest = tail
            .find(|c: char| c.is_ascii_alphabetic())
            .map_or("", |end| &tail[end + 1..]);
    }
    out.push_str(rest);
    out
}

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
