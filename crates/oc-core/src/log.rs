//! `~/.openclaw/logs/watchdog.log`: the journal's sentences for `tail -50`, one line each, bounded in size.

use crate::fault::{Fault, Result};
use crate::fsx;
use crate::journal::{Event, Kind};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Largest log before it is rotated.
const LIMIT: u64 = 10 << 20;
/// Rotated logs kept.
const KEEP: u32 = 5;

/// The log of one instance.
#[derive(Debug, Clone)]
pub struct Log {
    path: PathBuf,
}

impl Log {
    /// A log at this path; directory and file are made when first written.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Adds the line of an event: `2026-02-27T20:32:52.125Z INFO oc-guardian: text`.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be written.
    pub fn event(&self, event: &Event) -> Result<()> {
        let level = match event.kind {
            Kind::Sample => return Ok(()),
            Kind::HumanNeeded => "ALERT",
            Kind::Warning | Kind::PassAbandoned | Kind::PassDeadline | Kind::IncidentOpened => "WARN",
            Kind::Attempt | Kind::Repair | Kind::Agent => "ACTION",
            _ => "INFO",
        };
        // One event, one line: a newline in foreign text must not look like another event.
        let text = crate::redact::clean(&event.text).replace('\n', " ");
        self.line(&format!("{} {level} {}: {text}\n", event.at, event.tool))
    }

    fn line(&self, line: &str) -> Result<()> {
        let mut file = self.open()?;
        file.write_all(line.as_bytes())
            .map_err(|e| Fault::io("append to", &self.path, e))
    }

    /// Opens it for appending, rotated first when it is over its size. For the output of programs that we start.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn open(&self) -> Result<std::fs::File> {
        if let Some(dir) = self.path.parent()
            && !dir.is_dir()
        {
            fsx::private_dir(dir)?;
        }
        if std::fs::metadata(&self.path).is_ok_and(|m| m.len() > LIMIT) {
            for n in (0..KEEP).rev() {
                // A missing older log is no trouble, and nor is losing the race against another rotation.
                drop(std::fs::rename(self.numbered(n), self.numbered(n + 1)));
            }
        }
        fsx::open_append(&self.path)
    }

    fn numbered(&self, n: u32) -> PathBuf {
        if n == 0 {
            return self.path.clone();
        }
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{n}"));
        name.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_bounded_and_foreign_text_cannot_forge_a_line() {
        let dir = tempfile::tempdir().unwrap();
        let log = Log::new(&dir.path().join("logs/watchdog.log"));
        log.event(&Event::now(Kind::Warning, "t", "default", "one\ntwo\x1b[31m"))
            .unwrap();
        let text = std::fs::read_to_string(dir.path().join("logs/watchdog.log")).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains('\x1b'));
        log.open().unwrap().set_len(LIMIT + 1).unwrap();
        log.event(&Event::now(Kind::Warning, "t", "default", "three")).unwrap();
        assert!(std::fs::metadata(dir.path().join("logs/watchdog.log")).unwrap().len() < 1000);
        assert!(dir.path().join("logs/watchdog.log.1").exists());
    }
}
