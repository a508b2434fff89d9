//! The state database, as far as a start stumbles over it: a file that begins like SQLite's.

use crate::refusal::{RUNTIME, Refusal};
use std::path::Path;

const MAGIC: &[u8] = b"SQLite format 3\0";
/// One page: enough that a full disk is noticed.
const SIZE: usize = 4096;

/// Opens `state/openclaw.sqlite`; makes it when it is missing or empty (a silent loss of state, as in the real one).
pub(crate) fn open(state_dir: &Path) -> Result<(), Refusal> {
    let dir = state_dir.join("state");
    let file = dir.join("openclaw.sqlite");
    let begun = std::fs::read(&file).unwrap_or_default();
    if begun.starts_with(MAGIC) {
        return Ok(());
    }
    if !begun.is_empty() {
        return Err(Refusal::config(format!(
            "OpenClaw shared state database is unreadable at {}: file is not a database",
            file.display()
        )));
    }
    let mut page = MAGIC.to_vec();
    page.resize(SIZE, 0);
    std::fs::create_dir_all(&dir)
        .and_then(|()| std::fs::write(&file, page))
        .map_err(|e| {
            let cause = match e.kind() {
                std::io::ErrorKind::StorageFull => "database or disk is full".to_owned(),
                std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                    "attempt to write a readonly database".to_owned()
                }
                _ => e.to_string(),
            };
            Refusal::new(
                RUNTIME,
                [cause, "Gateway failed to start: database is not open".to_owned()],
            )
        })
}
