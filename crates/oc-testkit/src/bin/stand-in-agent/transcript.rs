//! The conversation as Claude Code keeps it: `projects/CWD/SESSION.jsonl` below its configuration directory.

use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;

pub(crate) struct Transcript(PathBuf);

impl Transcript {
    pub(crate) fn new(cwd: &str, session: &str) -> Self {
        let home = std::env::var("HOME").unwrap_or_default();
        let config = std::env::var("CLAUDE_CONFIG_DIR").unwrap_or_else(|_| format!("{home}/.claude"));
        let project: String = cwd
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        Self(PathBuf::from(format!("{config}/projects/{project}/{session}.jsonl")))
    }

    pub(crate) fn path(&self) -> String {
        self.0.display().to_string()
    }

    pub(crate) fn add(&self, event: &Value) {
        let dir = self.0.parent().map(std::fs::create_dir_all);
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.0);
        if matches!(dir, Some(Ok(()))) {
            _ = file.map(|mut file| file.write_all(format!("{event}\n").as_bytes()));
        }
    }
}
