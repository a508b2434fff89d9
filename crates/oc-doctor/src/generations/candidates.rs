//! What a broken configuration can be restored from, best first: last-known-good, a person's snapshots, other
//! generations, the service's own backups. Each is judged like a configuration on disk before it is offered.

use super::{Generation, Reason, Store};
use crate::checks;
use crate::disk::{Hash, OnDisk};
use crate::finding::weight;
use crate::scene::Scene;
use oc_core::fault::Result;
use std::path::{Path, PathBuf};

/// Backups of the service looked at, at most.
const MAX_BACKUPS: usize = 64;

/// A configuration that could be restored.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// For people: `generation 1a2b` or the file's name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its generation, when it is one.
    pub generation: Option<Generation>,
}

/// Every candidate that is sound: it can be parsed, has its required keys, is not what is there now and was not rejected.
///
/// # Errors
/// 74 or 77 when our own index cannot be read.
pub fn candidates(store: &Store, scene: &Scene<'_>) -> Result<Vec<Candidate>> {
    let index = store.index()?;
    let good = index.good().map(|g| g.id.clone());
    let rank = |g: &Generation| match g.reason {
        _ if Some(&g.id) == good.as_ref() => 0,
        _ if g.good_since.is_some() => 1,
        Reason::Person => 2,
        Reason::OwnBackup => 4,
        _ => 3,
    };
    let mut generations: Vec<&Generation> = index.newest_first().filter(|g| g.rejected.is_none()).collect();
    generations.sort_by_key(|g| rank(g));
    let rejected: Vec<&Hash> = index
        .generations
        .iter()
        .filter(|g| g.rejected.is_some())
        .filter_map(Generation::main_hash)
        .collect();
    let stored = generations.into_iter().filter_map(|g| {
        Some(Candidate {
            name: format!("generation {}", g.id),
            bytes: store.bytes(g.main_hash()?)?,
            generation: Some(g.clone()),
        })
    });
    let own = own_backups(&scene.file.path).into_iter().filter_map(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        let bytes = OnDisk::read(&path).bytes()?.to_vec();
        (!rejected.contains(&&Hash::of(&bytes))).then_some(Candidate {
            name,
            bytes,
            generation: None,
        })
    });
    let mut seen: Vec<Hash> = scene.file.hash.iter().cloned().collect();
    Ok(stored
        .chain(own)
        .filter(|c| {
            let hash = Hash::of(&c.bytes);
            let new = !seen.contains(&hash);
            seen.push(hash);
            new && sound(scene, c)
        })
        .collect())
}

fn sound(scene: &Scene<'_>, candidate: &Candidate) -> bool {
    let findings = checks::configuration(&scene.with_bytes(&candidate.bytes));
    let schema = |f: &crate::finding::Finding| matches!(f.id.as_str(), "config.unknown_key" | "config.wrong_value");
    // What the schema only hints at for a file on disk is reason enough not to restore a copy, unless it has run.
    let has_run = candidate.generation.as_ref().is_some_and(|g| g.good_since.is_some());
    weight(&findings) == 0 && (has_run || !findings.iter().any(schema))
}

/// The service's own backups, the most trustworthy kind first and within a kind the newest: `.last-good`, the `.bak`
/// ring, what its doctor put aside.
#[must_use]
pub fn own_backups(config: &Path) -> Vec<PathBuf> {
    let (Some(dir), Some(name)) = (
        config.parent(),
        config.file_name().map(|n| n.to_string_lossy().into_owned()),
    ) else {
        return Vec::new();
    };
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut found: Vec<(u32, std::cmp::Reverse<std::time::SystemTime>, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            let rank = match file.strip_prefix(&name)? {
                ".last-good" => 0,
                rest if rest.starts_with(".bak") => 1,
                rest if rest.starts_with(".clobbered.") => 2,
                _ => return None,
            };
            let changed = entry
                .metadata()
                .ok()
                .filter(std::fs::Metadata::is_file)?
                .modified()
                .ok()?;
            Some((rank, std::cmp::Reverse(changed), entry.path()))
        })
        .collect();
    found.sort();
    found.into_iter().take(MAX_BACKUPS).map(|(_, _, path)| path).collect()
}
