//! One file of a job, remembered byte for byte.

use super::meaning::same_meaning;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::{Path, PathBuf};

/// Definitions are a few kilobytes.
const CAP: u64 = 1 << 20;

/// Who wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// We: uninstall removes it.
    Ours,
    /// The service's own installer: put back when it is lost, adopted when it changed and works, never removed.
    Service,
}

/// How a file is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// It is gone.
    Missing,
    /// It says something else.
    Changed,
    /// It cannot be read, for this reason.
    Unreadable(String),
}

/// Binary property lists are no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// Where, absolute.
    pub path: PathBuf,
    /// Who wrote it.
    pub owner: Owner,
    /// Of its content; a record that was edited by hand is noticed by it.
    pub sha256: String,
    content: Content,
}

impl Definition {
    /// A file with this content.
    #[must_use]
    pub fn new(path: &Path, owner: Owner, bytes: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            owner,
            sha256: hex(&bytes),
            content: String::from_utf8(bytes).map_or_else(|e| Content::Bytes(e.into_bytes()), Content::Text),
        }
    }

    /// A file as it is now; `None` when there is none.
    ///
    /// # Errors
    /// 65 when it is larger than any definition, 74 or 77 when it cannot be read.
    pub fn read(path: &Path, owner: Owner) -> Result<Option<Self>> {
        Ok(fsx::read_capped(path, CAP)?.map(|bytes| Self::new(path, owner, bytes)))
    }

    /// What the file is to contain.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Text(text) => text.as_bytes(),
            Content::Bytes(bytes) => bytes,
        }
    }

    /// How the file on disk is not as recorded; `None` when it means the same (a unit in another order, with other comments;
    /// a property list written anew).
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        match fsx::read_capped(&self.path, CAP) {
            Ok(None) => Some(Difference::Missing),
            Ok(Some(now)) if same_meaning(&self.path, self.bytes(), &now) => None,
            Ok(Some(_)) => Some(Difference::Changed),
            Err(fault) => Some(Difference::Unreadable(fault.what)),
        }
    }

    /// Whether it is there byte for byte.
    #[must_use]
    pub fn is_there(&self) -> bool {
        fsx::read_capped(&self.path, CAP).is_ok_and(|now| now.as_deref() == Some(self.bytes()))
    }

    /// Writes it back, 0600, whatever stands there.
    ///
    /// # Errors
    /// 65 when the record itself was damaged, 74 or 77 with the path.
    pub fn restore(&self) -> Result<()> {
        if hex(self.bytes()) != self.sha256 {
            return Err(Fault::data(format_args!(
                "the recorded content of {} is damaged: its hash does not fit",
                self.path.display()
            ))
            .hint("run `oc-guardian install` again"));
        }
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir).map_err(|e| Fault::io("create directory", dir, e))?;
        }
        fsx::replace(&self.path, self.bytes())
    }
}

fn hex(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_byte_for_byte_with_its_directory_and_be_it_no_text() {
        let dir = tempfile::tempdir().unwrap();
        for bytes in [&b"[Unit]\r\n# \xc3\xa4\n"[..], b"bplist00\xff\x00"] {
            let path = dir.path().join("a b/ä/x.service");
            let file = Definition::new(&path, Owner::Service, bytes.to_vec());
            let file: Definition = serde_json::from_slice(&serde_json::to_vec(&file).unwrap()).unwrap();
            assert_ne!(file.difference(), None);
            file.restore().unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
            assert_eq!(file.difference(), None);
        }
    }

    #[test]
    fn a_damaged_record_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.service");
        let mut file = Definition::new(&path, Owner::Ours, b"one".to_vec());
        file.content = Content::Text("two".to_owned());
        assert!(file.restore().unwrap_err().what.contains("hash"));
        assert!(!path.exists());
    }
}
