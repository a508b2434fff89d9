//! Whether a person (or the doctor) changed the service's configuration while its next start is waited for. Without it a
//! mended file would be served only when the wait is over: up to `service.supervise.backoff_max`.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often the file is looked at, while the next start is waited for and never else.
pub const LOOK: Duration = Duration::from_secs(1);

/// The configuration as the last start found it.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    seen: Option<(u64, u64, i64, i64)>,
}

impl Watched {
    /// As it is now.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            seen: look(path),
        }
    }

    /// To be called at each start: what this one finds is what the next one has to differ from.
    pub fn note(&mut self) {
        self.seen = look(&self.path);
    }

    /// Whether another file is there than at the last start. A file that was taken away calls for no start.
    #[must_use]
    pub fn changed(&self) -> bool {
        let now = look(&self.path);
        now.is_some() && now != self.seen
    }
}

/// Which file, and when anything about it changed last: a `chmod` can be what mends it.
fn look(path: &Path) -> Option<(u64, u64, i64, i64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.ino(), meta.size(), meta.ctime(), meta.ctime_nsec()))
}
