//! Versioned JSON files: an older version loads, a broken or newer one is put aside and never overwritten.

use crate::fault::{Fault, Result};
use crate::fsx;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The largest state file we read; ours are a few kilobytes.
const CAP: u64 = 16 << 20;

/// What loading a state file found.
#[derive(Debug)]
pub enum Loaded<T> {
    /// There is none yet.
    Missing,
    /// As it was saved.
    Found(T),
    /// It could not be understood. It is still there, untouched; [`Store::save`] puts it aside first.
    Unreadable {
        /// Why, as a sentence.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Versioned<T> {
    version: u32,
    #[serde(flatten)]
    data: T,
}

#[derive(Deserialize)]
struct VersionOnly {
    version: u32,
}

/// One versioned file.
#[derive(Debug, Clone)]
pub struct Store {
    path: PathBuf,
    version: u32,
}

impl Store {
    /// A file whose newest known format is `version`; older ones load through serde defaults.
    #[must_use]
    pub fn new(path: &Path, version: u32) -> Self {
        Self {
            path: path.to_owned(),
            version,
        }
    }

    /// Reads it. Only "permission denied" and the like are errors: garbage is an answer.
    ///
    /// # Errors
    /// 74 or 77 when the file exists and cannot be read.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Loaded<T>> {
        let bytes = match fsx::read_capped(&self.path, CAP) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(Loaded::Missing),
            Err(fault) if fault.exit == crate::exit::Exit::Data => return Ok(Loaded::Unreadable { why: fault.what }),
            Err(fault) => return Err(fault),
        };
        let name = self.path.display();
        match serde_json::from_slice::<VersionOnly>(&bytes) {
            Ok(v) if v.version > self.version => Ok(Loaded::Unreadable {
                why: format!(
                    "{name} has format {}, this program knows up to {}",
                    v.version, self.version
                ),
            }),
            Ok(_) => Ok(match serde_json::from_slice::<Versioned<T>>(&bytes) {
                Ok(found) => Loaded::Found(found.data),
                Err(e) => Loaded::Unreadable {
                    why: format!("{name} is damaged: {e}"),
                },
            }),
            Err(e) => Ok(Loaded::Unreadable {
                why: format!("{name} is damaged: {e}"),
            }),
        }
    }

    /// Writes it durably and atomically.
    ///
    /// # Errors
    /// 74 or 77; the old content is then untouched.
    pub fn save<T: Serialize>(&self, data: &T) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(&Versioned {
            version: self.version,
            data,
        })
        .map_err(Fault::internal)?;
        fsx::replace(&self.path, &bytes)
    }

    /// Moves a file that could not be understood aside; returns where it is now.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be moved.
    pub fn put_aside(&self) -> Result<PathBuf> {
        fsx::put_aside(&self.path, "unreadable")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(default)]
    struct Data {
        count: u32,
    }

    fn store(dir: &tempfile::TempDir) -> Store {
        Store::new(&dir.path().join("state.json"), 2)
    }

    #[test]
    fn what_was_saved_loads() {
        let dir = tempfile::tempdir().unwrap();
        store(&dir).save(&Data { count: 7 }).unwrap();
        assert!(matches!(
            store(&dir).load::<Data>().unwrap(),
            Loaded::Found(Data { count: 7 })
        ));
    }

    #[test]
    fn an_older_file_with_unknown_and_missing_fields_loads() {
        let dir = tempfile::tempdir().unwrap();
        fsx::replace(&dir.path().join("state.json"), br#"{"version":1,"long_gone":true}"#).unwrap();
        assert!(matches!(
            store(&dir).load::<Data>().unwrap(),
            Loaded::Found(Data { count: 0 })
        ));
    }

    #[test]
    fn a_newer_or_broken_file_is_unreadable_and_put_aside_whole() {
        for bytes in [
            &br#"{"version":3,"count":1}"#[..],
            b"",
            b"{",
            b"\x00\xff",
            b"[]",
            br#"{"version":2,"count":"x"}"#,
        ] {
            let dir = tempfile::tempdir().unwrap();
            fsx::replace(&dir.path().join("state.json"), bytes).unwrap();
            assert!(
                matches!(store(&dir).load::<Data>().unwrap(), Loaded::Unreadable { .. }),
                "{bytes:?}"
            );
            let aside = store(&dir).put_aside().unwrap();
            assert_eq!(std::fs::read(aside).unwrap(), bytes);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_loading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let dir = tempfile::tempdir().unwrap();
            fsx::replace(&dir.path().join("state.json"), &bytes).unwrap();
            store(&dir).load::<Data>().unwrap();
        }
    }
}
