//! What the tests want to know afterwards.

use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) struct Record(pub(crate) Option<PathBuf>);

impl Record {
    /// Appends one line, at once: somebody may be reading.
    pub(crate) fn add(&self, event: &Value) {
        let Some(path) = &self.0 else { return };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        _ = file.map(|mut file| file.write_all(format!("{event}\n").as_bytes()));
    }
}
