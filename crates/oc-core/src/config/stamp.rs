//! What was found out about a file the last time, valid as long as nothing about the file changed. Saves every start of
//! every tool from compiling the schema and from parsing the service's configuration.

use crate::fsx;
use serde::{Deserialize, Serialize};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// One state of one file, as far as the file system tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    path: PathBuf,
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The present state; `None` when the file is not there.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// Whether it is a state of this file.
    pub(super) fn is_of(&self, path: &Path) -> bool {
        self.path == path
    }
}

/// `config.cache.json`. Losing it costs a millisecond, and where the service was found before its configuration broke.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Cache {
    /// Our version; another one has another schema.
    version: String,
    /// The config.json that the schema accepted.
    pub(super) valid: Option<Stamp>,
    /// The service's configuration and the port in it; the port of its last readable state, if it is not.
    pub(super) service: Option<(Stamp, Option<u16>)>,
}

impl Cache {
    fn version() -> String {
        format!("{}+{}", env!("CARGO_PKG_VERSION"), super::SCHEMA.len())
    }

    /// What is known; nothing when the file is missing, broken or another version's.
    pub(super) fn read(path: &Path) -> Self {
        fsx::read_capped(path, 16 << 10)
            .ok()
            .flatten()
            .and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok())
            .filter(|cache| cache.version == Self::version())
            .unwrap_or_else(|| Self {
                version: Self::version(),
                ..Self::default()
            })
    }

    /// Keeps it for the next start. Failing is no fault: a full or read-only disk must not stop a healing.
    pub(super) fn write(&self, path: &Path) {
        if let Ok(bytes) = serde_json::to_vec(self)
            && path.parent().is_some_and(Path::is_dir)
        {
            fsx::replace_quick(path, &bytes).ok();
        }
    }
}
