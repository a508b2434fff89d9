//! The files: `outbox/000000000012-discord.json`, 0600. A name says the order and the channel, nothing else.

use super::Posting;
use crate::message::Sealed;
use oc_core::clock::Stamp;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::paths::Paths;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// A message is at most some 100 KB.
const CAP: u64 = 4 << 20;
/// Refused messages kept as evidence.
const REFUSED_KEPT: usize = 50;

/// One message that waits for one channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) channel: String,
    pub(crate) message: Sealed,
    pub(crate) spooled: Stamp,
    #[serde(default)]
    pub(crate) not_before: Option<Stamp>,
    #[serde(default)]
    pub(crate) attempts: u32,
    /// It was refused once in its full form.
    #[serde(default)]
    pub(crate) plain: bool,
    #[serde(default)]
    pub(crate) error: Option<String>,
    /// A fallback channel got it as well.
    #[serde(default)]
    pub(crate) escorted: bool,
    /// How many messages it stands for.
    #[serde(default = "one")]
    pub(crate) stands_for: u32,
    /// Entries that this one replaces; they may still lie beside it after a crash.
    #[serde(default)]
    pub(crate) replaces: Vec<u64>,
}

const fn one() -> u32 {
    1
}

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct Spool(PathBuf);

impl Spool {
    pub(crate) fn of(paths: &Paths) -> Self {
        Self(paths.outbox())
    }

    /// Writes one entry and returns the next free number. The same message for the same channel waits once only.
    pub(super) fn put(&self, next: u64, channel: &str, posting: &Posting, now: &Stamp) -> Result<u64> {
        let waiting = self.pending()?;
        let id = &posting.message.message().id;
        if waiting
            .iter()
            .any(|e| e.channel == channel && e.message.message().id == *id)
        {
            return Ok(next);
        }
        let seq = next.max(waiting.iter().map(|e| e.seq + 1).max().unwrap_or(0));
        self.write(&Entry {
            seq,
            channel: channel.to_owned(),
            message: posting.message.clone(),
            spooled: now.clone(),
            not_before: posting.not_before.clone(),
            attempts: 0,
            plain: false,
            error: None,
            escorted: false,
            stands_for: 1,
            replaces: Vec::new(),
        })?;
        Ok(seq + 1)
    }

    pub(super) fn write(&self, entry: &Entry) -> Result<()> {
        fsx::private_dir(&self.0)?;
        let bytes = serde_json::to_vec(entry).map_err(Fault::internal)?;
        fsx::replace(&self.file(entry), &bytes)
    }

    pub(super) fn remove(&self, entry: &Entry) {
        // Gone already: another flush delivered it.
        drop(fs::remove_file(self.file(entry)));
    }

    /// Takes a message out of the way that its channel refused in every form.
    pub(super) fn refuse(&self, entry: &Entry) -> Result<()> {
        let dir = self.0.join("refused");
        fsx::private_dir(&dir)?;
        let from = self.file(entry);
        let to = dir.join(from.file_name().unwrap_or_default());
        fs::rename(&from, &to).map_err(|e| Fault::io("move", &from, e))?;
        let mut kept = names(&dir)?;
        kept.sort();
        for old in kept.iter().take(kept.len().saturating_sub(REFUSED_KEPT)) {
            drop(fs::remove_file(dir.join(old)));
        }
        Ok(())
    }

    /// Everything that waits, in order. A file that is none of ours or cannot be understood is put aside and told.
    ///
    /// # Errors
    /// 74 or 77.
    pub(crate) fn pending(&self) -> Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for name in names(&self.0)? {
            if !name.ends_with(".json") || !name.starts_with(|c: char| c.is_ascii_digit()) {
                continue;
            }
            let path = self.0.join(&name);
            let Some(bytes) = fsx::read_capped(&path, CAP)? else {
                continue;
            };
            match serde_json::from_slice::<Entry>(&bytes) {
                Ok(entry) => entries.push(entry),
                Err(_) => {
                    oc_core::out::talk(format_args!("{} cannot be understood; put aside", path.display()));
                    fsx::put_aside(&path, "unreadable")?;
                }
            }
        }
        let replaced: Vec<(String, u64)> = entries
            .iter()
            .flat_map(|e| e.replaces.iter().map(|seq| (e.channel.clone(), *seq)))
            .collect();
        entries.retain(|e| {
            !replaced
                .iter()
                .any(|(channel, seq)| *channel == e.channel && *seq == e.seq)
        });
        entries.sort_by_key(|e| e.seq);
        Ok(entries)
    }

    fn file(&self, entry: &Entry) -> PathBuf {
        self.0.join(format!("{:012}-{}.json", entry.seq, entry.channel))
    }
}

fn names(dir: &Path) -> Result<Vec<String>> {
    match fs::read_dir(dir) {
        Ok(entries) => Ok(entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok())
            .collect()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(Fault::io("read", dir, e)),
    }
}
