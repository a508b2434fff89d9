//! Is the service's state database what its name says? Only the header is read: opening a live database with another
//! program has corrupted it before.

use oc_core::paths::Paths;
use std::fs::File;
use std::io::Read as _;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// What is wrong with the database; `None` when nothing is, or when there is none (the service makes a new one, and so it
/// does for an empty one).
#[must_use]
pub fn look(paths: &Paths) -> Option<String> {
    let path = paths.openclaw().join("state/openclaw.sqlite");
    let mut header = Vec::new();
    File::open(&path).ok()?.take(16).read_to_end(&mut header).ok()?;
    if header.is_empty() || header == MAGIC {
        return None;
    }
    Some(format!("{} is not a database", path.display()))
}
