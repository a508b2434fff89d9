//! The run directory: one pass, one file per step. While a pass lives it is `run/`; afterwards a pass that did something
//! is filed under its incident, and one that did nothing is overwritten by the next.

use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::paths::Paths;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Incidents kept on disk; the oldest directories go first.
const INCIDENTS_KEPT: usize = 200;
/// Passes kept of one incident; an incident that lasts for weeks must not fill the disk.
const PASSES_KEPT: usize = 200;

/// What the files of one pass may need. With less, a pass that could still begin would have to stop in the middle.
const ROOM: u64 = 256 << 10;

/// `run.json`: what `run` knows about a pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Name of the pass, also in `OC_RUN_ID`.
    pub id: String,
    /// When it began.
    pub started: Stamp,
    /// The command that was run.
    pub command: Vec<String>,
    /// How it ended; null while it runs. A record without an end belongs to a pass that died.
    pub exit: Option<u8>,
    /// How long it took.
    pub took_ms: Option<u64>,
}

/// The directory of the current pass.
#[derive(Debug, Clone)]
pub struct RunDir {
    path: PathBuf,
    elsewhere: bool,
}

impl RunDir {
    /// The run directory of an instance. Whoever changes it holds the healing lock.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self {
            path: paths.run(),
            elsewhere: false,
        }
    }

    /// A private directory in memory or in the system's temporary directory, for a pass that cannot write in its own.
    ///
    /// # Errors
    /// 74 or 77 when there is no such place either.
    pub fn temporary() -> Result<Self> {
        let made = |dir: &Path| tempfile::Builder::new().prefix("oc-run-").tempdir_in(dir);
        let temp = std::env::temp_dir();
        let dir = made(Path::new("/dev/shm"))
            .or_else(|_| made(&temp))
            .map_err(|e| Fault::io("work in", &temp, e))?;
        Ok(Self {
            path: dir.keep(),
            elsewhere: true,
        })
    }

    /// True for a temporary one.
    #[must_use]
    pub fn elsewhere(&self) -> bool {
        self.elsewhere
    }

    /// Removes it with all that is in it.
    pub fn remove(&self) {
        if let Err(e) = fs::remove_dir_all(&self.path) {
            oc_core::out::talk(format_args!("cannot remove {}: {e}", self.path.display()));
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The record of the pass whose files lie there, if any.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        let bytes = fsx::read_capped(&self.path.join("run.json"), 1 << 20).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Makes it empty and writes the record of a pass that begins.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn begin(&self, record: &Record) -> Result<()> {
        fsx::private_dir(&self.path)?;
        if fsx::free_bytes(&self.path).is_some_and(|free| free < ROOM) {
            let text = format!("no room for the files of a pass in {}", self.path.display());
            return Err(Fault::new(Exit::Io, text));
        }
        for entry in fs::read_dir(&self.path)
            .map_err(|e| Fault::io("read", &self.path, e))?
            .flatten()
        {
            let path = entry.path();
            let gone = if entry.file_type().is_ok_and(|t| t.is_dir()) {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            gone.map_err(|e| Fault::io("remove", &path, e))?;
        }
        self.write(record)
    }

    /// Writes the record of a pass that has ended, and makes private what its steps left.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn end(&self, record: &Record) -> Result<()> {
        fsx::private_files(&self.path)?;
        self.write(record)
    }

    /// Not fsynced: after a power cut no pass is running anyway.
    fn write(&self, record: &Record) -> Result<()> {
        let bytes = serde_json::to_vec(record).map_err(Fault::internal)?;
        fsx::overwrite(&self.path.join("run.json"), &bytes)
    }

    /// Moves the files of a pass to where its incident's are kept: `incidents/INCIDENT/RUN/`, which is the answer.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn file(&self, paths: &Paths, incident: &str, run: &str) -> Result<Self> {
        let home = paths.incident(incident);
        fsx::private_dir(&home)?;
        // Its writers are over, or were killed.
        fsx::remove_unfinished(&self.path, Duration::ZERO);
        // Not done yet by a pass that died.
        fsx::private_files(&self.path)?;
        let to = home.join(run);
        fs::rename(&self.path, &to).map_err(|e| Fault::io("file the run as", &to, e))?;
        prune(&home, PASSES_KEPT);
        prune(&paths.incidents(), INCIDENTS_KEPT);
        Ok(Self {
            path: to,
            elsewhere: false,
        })
    }
}

/// Keeps the newest `keep` directories by name (names begin with the time). What cannot be removed is left.
fn prune(dir: &Path, keep: usize) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    let mut dirs: Vec<PathBuf> = entries
        .flatten()
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .map(|e| e.path())
        .collect();
    if dirs.len() <= keep {
        return;
    }
    dirs.sort();
    for old in &dirs[..dirs.len() - keep] {
        if let Err(e) = fs::remove_dir_all(old)
            && e.kind() != ErrorKind::NotFound
        {
            oc_core::out::talk(format_args!("cannot remove {}: {e}", old.display()));
        }
    }
}

/// A name that sorts by time: `20260227T203252-7f3a`.
#[must_use]
pub fn new_id(now: &Stamp) -> String {
    let mut time: String = now
        .rfc3339()
        .chars()
        .take(19)
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    // two passes in one second differ by chance
    time.push_str(&format!("-{:04x}", oc_core::chance::bits()));
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_incidents_are_pruned_and_new_ones_kept() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..5 {
            fs::create_dir(dir.path().join(format!("2026010{n}T000000-0000"))).unwrap();
        }
        prune(dir.path(), 2);
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["20260103T000000-0000", "20260104T000000-0000"]);
    }

    #[test]
    fn names_sort_by_time() {
        let now = Stamp::now();
        let later = now.plus(std::time::Duration::from_secs(1));
        assert!(new_id(&now) < new_id(&later));
        assert_eq!(new_id(&now).len(), 20);
    }
}
