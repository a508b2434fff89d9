//! The service's logs: what they said last, and which old ones may go when the disk is full.

use crate::scene::Scene;
use oc_core::fsx;
use oc_core::redact::Redactor;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Bytes read from the end of each log.
const TAIL: u64 = 32 << 10;

/// The last lines of the logs of this instance, secrets out, control characters out. Logs that instances share are left
/// out: their lines may be another's.
#[must_use]
pub fn last_lines(scene: &Scene<'_>) -> Vec<String> {
    last_lines_since(scene, 0)
}

/// The same, without the logs that nothing was written to since this moment (Unix milliseconds).
#[must_use]
pub fn last_lines_since(scene: &Scene<'_>, since: i64) -> Vec<String> {
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
    let fresh = |file: &PathBuf| since == 0 || changed_ms(file).is_some_and(|at| at >= since);
    files
        .filter(fresh)
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

/// Unix milliseconds.
fn changed_ms(file: &Path) -> Option<i64> {
    let changed = std::fs::metadata(file).ok()?.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
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

/// Old logs (never a current one) and their size: rotated ones of ours and of the service in its own directory, and by
/// `doctor.service_log_dirs` those that it left elsewhere on the same disk.
#[must_use]
pub fn old(scene: &Scene<'_>) -> (Vec<PathBuf>, u64) {
    let (paths, settings) = (&scene.world.paths, &scene.world.config.doctor);
    let mut found = within(&paths.openclaw().join("logs"), |name, _| {
        name.split_once(".log.")
            .is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    let disk = |dir: &Path| std::fs::symlink_metadata(dir).ok().map(|meta| meta.dev());
    let before = oc_core::clock::Stamp::now().wall_ms
        - i64::try_from(settings.service_logs_after.get().as_millis()).unwrap_or(i64::MAX);
    for dir in settings
        .service_log_dirs
        .iter()
        .filter(|dir| scene.openclaw() && disk(dir) == disk(paths.openclaw()))
    {
        // Instances share the directory: what is idle for a day is nobody's current log.
        found.extend(within(dir, |name, changed| {
            name.starts_with("openclaw-") && name.ends_with(".log") && changed < before
        }));
    }
    let bytes = found.iter().map(|(_, size)| size).sum();
    (found.into_iter().map(|(path, _)| path).collect(), bytes)
}

/// Plain files of our own in a directory of our own, by name and time of the last change. In a directory that others may write
/// to, or that is a link, a name may come to mean another file between looking and removing.
fn within(dir: &Path, wanted: impl Fn(&str, i64) -> bool) -> Vec<(PathBuf, u64)> {
    let us = rustix::process::geteuid().as_raw();
    let ours = std::fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir() && m.uid() == us && m.mode() & 0o022 == 0);
    let Some(entries) = ours.then(|| std::fs::read_dir(dir).ok()).flatten() else {
        return Vec::new();
    };
    let file = |entry: std::fs::DirEntry| {
        let meta = entry.metadata().ok().filter(|m| m.is_file() && m.uid() == us)?;
        let (path, name) = (entry.path(), entry.file_name());
        let changed = changed_ms(&path)?;
        wanted(&name.to_string_lossy(), changed).then_some((path, meta.len()))
    };
    entries.flatten().filter_map(file).collect()
}
