//! What a session left in writing: read as it grows, and kept without secrets.

use crate::account::Account;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::redact::clean;
use oc_core::world::World;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes read at one look, and the longest line.
const CHUNK: u64 = 4 << 20;

/// The lines of a file that is being written.
pub struct Lines {
    path: PathBuf,
    read: u64,
    rest: Vec<u8>,
}

impl Lines {
    /// Of this file, from its beginning; it need not exist yet.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: 0,
            rest: Vec::new(),
        }
    }

    /// Which file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lines that were finished since the last call.
    pub fn more(&mut self) -> Vec<String> {
        let mut bytes = std::mem::take(&mut self.rest);
        let mut fresh = Vec::new();
        if let Ok(mut file) = File::open(&self.path)
            && file.seek(SeekFrom::Start(self.read)).is_ok()
            && file.take(CHUNK).read_to_end(&mut fresh).is_ok()
        {
            self.read += fresh.len() as u64;
            bytes.extend(fresh);
        }
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        self.rest = bytes.split_off(whole);
        // A line without an end is no line.
        if self.rest.len() as u64 > CHUNK {
            self.rest.clear();
        }
        String::from_utf8_lossy(&bytes)
            .lines()
            .map(|line| clean(line.trim_end_matches('\r')).into_owned())
            .collect()
    }
}

/// Keeps what was said, and what was shown, without secrets.
///
/// # Errors
/// 74 or 77.
pub fn keep(world: &World, path: &Path, account: &Account, shown: &str) -> Result<()> {
    let text = format!(
        "== conversation ==\n{}\n\n== output ==\n{}\n",
        account.said.join("\n"),
        shown.trim_end()
    );
    fsx::replace_quick(path, world.redactor().redact(&clean(&text)).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn only_finished_lines_are_given_and_each_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut lines = Lines::new(path.clone());
        assert!(lines.more().is_empty());
        let mut file = fsx::open_append(&path).unwrap();
        file.write_all(b"one\r\ntw").unwrap();
        assert_eq!(lines.more(), ["one"]);
        file.write_all(b"o\n\x1b[31mthree\n").unwrap();
        assert_eq!(lines.more(), ["two", "three"]);
        assert!(lines.more().is_empty());
    }
}
