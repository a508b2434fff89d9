//! The index of generations: plain data and pure changes.

use crate::disk::Hash;
use oc_core::clock::Stamp;
use oc_core::identity::Identity;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// Names a generation: a hash over its files' names and contents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, std::hash::Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(pub String);

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a snapshot was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A person asked for it.
    Person,
    /// Seen while the service ran.
    Seen,
    /// Before a repair.
    BeforeFix,
    /// What a repair made.
    Fixed,
    /// One of the service's own backups, kept because its doctor rotates them away.
    OwnBackup,
    /// Written by a newer version.
    #[serde(other)]
    Other,
}

/// One file of a generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRef {
    /// Relative to the configuration's directory; absolute when it lies elsewhere.
    pub path: PathBuf,
    /// Its content.
    pub hash: Hash,
    /// Bytes.
    pub size: u64,
}

/// One snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its name.
    pub id: Id,
    /// The configuration itself first, then what it includes.
    pub files: Vec<FileRef>,
    /// When this content was last snapshotted.
    pub at: Stamp,
    /// Why.
    pub reason: Reason,
    /// What a person said about it.
    #[serde(default)]
    pub note: Option<String>,
    /// Since when, and by which process, the service was seen healthy with it.
    #[serde(default)]
    pub healthy_since: Option<(Stamp, Identity)>,
    /// When it became last-known-good.
    #[serde(default)]
    pub good_since: Option<Stamp>,
    /// The service refused it, or a repair that restored it did not heal: it is not offered again.
    #[serde(default)]
    pub rejected: Option<String>,
}

impl Generation {
    /// A generation of these files, taken now.
    #[must_use]
    pub fn new(files: Vec<FileRef>, reason: Reason, note: Option<String>) -> Self {
        let mut digest = Sha256::new();
        for file in &files {
            digest.update(file.path.as_os_str().as_encoded_bytes());
            digest.update([0]);
            digest.update(file.hash.0.as_bytes());
        }
        let id: String = digest.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        Self {
            id: Id(id),
            files,
            at: Stamp::now(),
            reason,
            note,
            healthy_since: None,
            good_since: None,
            rejected: None,
        }
    }

    /// Hash of the configuration itself.
    #[must_use]
    pub fn main_hash(&self) -> Option<&Hash> {
        self.files.first().map(|f| &f.hash)
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().map(|f| f.size).sum()
    }
}

/// All snapshots, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Index {
    /// Oldest first.
    pub generations: Vec<Generation>,
    /// Contents (by configuration hash and version) on which the service's own doctor was already tried.
    pub own_doctor_tried: Vec<String>,
}

impl Index {
    /// Adds a generation; the same content seen again only moves to the end and keeps what is known about it.
    pub fn add(&mut self, new: Generation) {
        match self.generations.iter().position(|g| g.id == new.id) {
            Some(at) => {
                let mut known = self.generations.remove(at);
                known.at = new.at;
                // A person's wish outweighs our own reasons.
                if new.reason == Reason::Person {
                    (known.reason, known.note) = (new.reason, new.note);
                    known.rejected = None;
                }
                self.generations.push(known);
            }
            None => self.generations.push(new),
        }
    }

    /// A generation by id.
    pub fn get_mut(&mut self, id: &Id) -> Option<&mut Generation> {
        self.generations.iter_mut().find(|g| g.id == *id)
    }

    /// Last-known-good: the one that became so last and was not rejected since.
    #[must_use]
    pub fn good(&self) -> Option<&Generation> {
        self.generations
            .iter()
            .filter(|g| g.rejected.is_none())
            .filter_map(|g| Some((g.good_since.as_ref()?.wall_ms, g)))
            .max_by_key(|(at, _)| *at)
            .map(|(_, g)| g)
    }

    /// Newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = &Generation> {
        self.generations.iter().rev()
    }

    /// Marks every generation whose configuration has this content.
    pub fn reject(&mut self, hash: &Hash, why: &str) {
        for generation in self.generations.iter_mut().filter(|g| g.main_hash() == Some(hash)) {
            generation.rejected.get_or_insert_with(|| why.to_owned());
            generation.healthy_since = None;
        }
    }

    /// Drops the oldest beyond `max` generations and `bytes` bytes, but never last-known-good nor what is `needed`.
    pub fn prune(&mut self, max: usize, bytes: u64, needed: &[Id]) {
        let keep: Vec<Id> = self
            .good()
            .map(|g| g.id.clone())
            .into_iter()
            .chain(needed.iter().cloned())
            .collect();
        loop {
            let size: u64 = self.generations.iter().map(Generation::size).sum();
            if self.generations.len() <= max && size <= bytes {
                return;
            }
            // Those that nobody asked for go first.
            let droppable = |g: &&Generation| !keep.contains(&g.id);
            let first = self
                .generations
                .iter()
                .filter(droppable)
                .find(|g| g.reason != Reason::Person);
            let Some(id) = first
                .or_else(|| self.generations.iter().find(droppable))
                .map(|g| g.id.clone())
            else {
                return;
            };
            self.generations.retain(|g| g.id != id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(content: &str, reason: Reason) -> Generation {
        let hash = Hash::of(content.as_bytes());
        Generation::new(
            vec![FileRef {
                path: "openclaw.json".into(),
                hash,
                size: 100,
            }],
            reason,
            None,
        )
    }

    #[test]
    fn the_same_content_is_one_generation() {
        let mut index = Index::default();
        for content in ["a", "b", "a"] {
            index.add(generation(content, Reason::Seen));
        }
        assert_eq!(index.generations.len(), 2);
        assert_eq!(index.generations[1].main_hash(), Some(&Hash::of(b"a")));
    }

    #[test]
    fn last_known_good_and_a_persons_snapshots_outlive_the_rest() {
        let mut index = Index::default();
        let mut good = generation("good", Reason::Seen);
        good.good_since = Some(Stamp::now());
        index.add(good.clone());
        index.add(generation("mine", Reason::Person));
        for n in 0..100 {
            index.add(generation(&n.to_string(), Reason::BeforeFix));
        }
        index.prune(10, u64::MAX, &[]);
        assert_eq!(index.generations.len(), 10);
        assert_eq!(index.good().unwrap().id, good.id);
        assert!(index.generations.iter().any(|g| g.reason == Reason::Person));
        index.prune(10, 0, &[]);
        assert_eq!(index.generations.len(), 1, "bytes bound: only last-known-good is left");
    }

    #[test]
    fn a_rejected_one_is_no_longer_good() {
        let mut index = Index::default();
        let mut poisoned = generation("poisoned", Reason::Seen);
        poisoned.good_since = Some(Stamp::now());
        index.add(poisoned);
        index.reject(&Hash::of(b"poisoned"), "the service exited with 78 on it");
        assert!(index.good().is_none());
    }
}
