//! Generations: content-addressed snapshots of the configuration and the files it includes, with an index that says
//! when, why, and under which of them the service ran healthy.

mod candidates;
mod good;
mod index;

pub use candidates::{Candidate, candidates, own_backups};
pub use good::{Sighting, sight};
pub use index::{FileRef, Generation, Id, Index, Reason};

use crate::disk::{Hash, OnDisk};
use crate::scene::Scene;
use oc_core::clock::Stamp;
use oc_core::config::Doctor;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::paths::Paths;
use oc_core::state::{Loaded, Store as File};
use std::path::{Path, PathBuf};

/// Format of the index.
const VERSION: u32 = 1;

/// The snapshots of one instance.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store of an instance. Touches nothing.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self {
            dir: paths.generations(),
        }
    }

    fn file(&self) -> File {
        File::new(&self.dir.join("index.json"), VERSION)
    }

    fn object(&self, hash: &Hash) -> PathBuf {
        self.dir.join("objects").join(&hash.0)
    }

    /// The index. A damaged one counts as empty: the contents are still there and are offered again by what is on disk.
    ///
    /// # Errors
    /// 74 or 77 when it is there and cannot be read.
    pub fn index(&self) -> Result<Index> {
        match self.file().load()? {
            Loaded::Found(index) => Ok(index),
            Loaded::Missing => Ok(Index::default()),
            Loaded::Unreadable { why } => {
                oc_core::out::talk(format_args!("the index of generations is not used: {why}"));
                Ok(Index::default())
            }
        }
    }

    fn save(&self, index: &Index) -> Result<()> {
        if matches!(self.file().load::<Index>()?, Loaded::Unreadable { .. }) {
            self.file().put_aside()?;
        }
        self.file().save(index)
    }

    /// Changes the index: load, change, save. Callers hold the healing lock.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn change(&self, change: impl FnOnce(&mut Index)) -> Result<()> {
        let mut index = self.index()?;
        let before = index.clone();
        change(&mut index);
        if index == before { Ok(()) } else { self.save(&index) }
    }

    /// The bytes of a stored file, checked against their hash: a damaged object is no object.
    #[must_use]
    pub fn bytes(&self, hash: &Hash) -> Option<Vec<u8>> {
        let bytes = fsx::read_capped(&self.object(hash), crate::disk::CAP).ok()??;
        (Hash::of(&bytes) == *hash).then_some(bytes)
    }

    /// Keeps the configuration of a scene and what it includes. Returns its id, the same one for the same content; `None`
    /// when there are no bytes to keep.
    ///
    /// # Errors
    /// 74 or 77: a repair must not begin without its snapshot.
    pub fn snapshot(&self, scene: &Scene<'_>, reason: Reason, note: Option<&str>) -> Result<Option<Id>> {
        let files: Vec<&OnDisk> = std::iter::once(&scene.file)
            .chain(&scene.includes)
            .filter(|f| f.bytes().is_some())
            .collect();
        if scene.file.bytes().is_none() {
            return Ok(None);
        }
        let root = scene.file.target.parent().unwrap_or(Path::new("/"));
        let mut refs = Vec::new();
        for file in files {
            let (Some(bytes), Some(hash)) = (file.bytes(), file.hash.clone()) else {
                continue;
            };
            self.keep(&hash, bytes)?;
            // Included files are named relative to the configuration: the directory may move.
            let path = file.target.strip_prefix(root).unwrap_or(&file.target).to_owned();
            refs.push(FileRef {
                path,
                size: bytes.len() as u64,
                hash,
            });
        }
        let generation = Generation::new(refs, reason, note.map(str::to_owned));
        let id = generation.id.clone();
        self.change(|index| index.add(generation))?;
        Ok(Some(id))
    }

    /// Keeps bytes that belong to no configuration on disk, such as one of the service's own backups.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn adopt(&self, name: &Path, bytes: &[u8], reason: Reason, note: Option<&str>) -> Result<Id> {
        let hash = Hash::of(bytes);
        self.keep(&hash, bytes)?;
        let file = FileRef {
            path: name.to_owned(),
            size: bytes.len() as u64,
            hash,
        };
        let generation = Generation::new(vec![file], reason, note.map(str::to_owned));
        let id = generation.id.clone();
        self.change(|index| index.add(generation))?;
        Ok(id)
    }

    /// Every secret that any stored configuration names as one: in a damaged file it may stand where nothing tells that it
    /// is one. The longest first.
    #[must_use]
    pub fn known_secrets(&self, kind: oc_core::config::ConfigType) -> Vec<String> {
        let Ok(index) = self.index() else { return Vec::new() };
        let hashes: std::collections::BTreeSet<&Hash> = index
            .generations
            .iter()
            .flat_map(|g| &g.files)
            .map(|f| &f.hash)
            .collect();
        let mut found: Vec<String> = hashes
            .into_iter()
            .filter_map(|hash| crate::document::Document::parse(&self.bytes(hash)?, kind).ok())
            .flat_map(|document| crate::secrets::of(&document.value))
            .collect();
        crate::secrets::longest_first(&mut found);
        found
    }

    fn keep(&self, hash: &Hash, bytes: &[u8]) -> Result<()> {
        let objects = self.dir.join("objects");
        fsx::private_dir(&self.dir)?;
        fsx::private_dir(&objects)?;
        if self.bytes(hash).is_some() {
            return Ok(());
        }
        fsx::replace(&self.object(hash), bytes)
    }

    /// Drops the oldest generations beyond the configured bounds, and objects that no generation names. Last-known-good,
    /// and what an open transaction needs, is never dropped.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn prune(&self, bounds: &Doctor, needed: &[Id]) -> Result<()> {
        let max = usize::try_from(bounds.generations_max).unwrap_or(usize::MAX);
        self.change(|index| index.prune(max, bounds.generations_size.get(), needed))?;
        let index = self.index()?;
        let Ok(objects) = std::fs::read_dir(self.dir.join("objects")) else {
            return Ok(());
        };
        for object in objects.flatten() {
            let name = object.file_name().to_string_lossy().into_owned();
            let used = index
                .generations
                .iter()
                .flat_map(|g| &g.files)
                .any(|f| f.hash.0 == name);
            if !used {
                std::fs::remove_file(object.path()).map_err(|e| Fault::io("remove", &object.path(), e))?;
            }
        }
        Ok(())
    }

    /// The generation that a person means: an id or its beginning, `good` for last-known-good, `-1` for the newest but
    /// what is on disk, `-2` for the one before.
    ///
    /// # Errors
    /// 64 when there is none, or more than one.
    pub fn find(&self, name: &str, current: Option<&Hash>) -> Result<Generation> {
        let index = self.index()?;
        let fault = |what: String| Fault::usage(what).hint("see `oc-doctor generations`");
        if name == "good" {
            return index
                .good()
                .cloned()
                .ok_or_else(|| fault("there is no last-known-good configuration yet".to_owned()));
        }
        if let Some(back) = name.strip_prefix('-').and_then(|n| n.parse::<usize>().ok()) {
            let mut others = index
                .newest_first()
                .filter(|g| Some(g.main_hash()) != current.map(Some));
            return others
                .nth(back.saturating_sub(1))
                .cloned()
                .ok_or_else(|| fault(format!("there are not {back} older generations")));
        }
        let mut matching = index.generations.iter().filter(|g| g.id.0.starts_with(name));
        match (matching.next(), matching.next()) {
            (Some(one), None) => Ok(one.clone()),
            (None, _) => Err(fault(format!("there is no generation {name}"))),
            (Some(_), Some(_)) => Err(fault(format!("more than one generation begins with {name}"))),
        }
    }
}

/// Milliseconds for people: RFC 3339.
#[must_use]
pub fn when(stamp: &Stamp) -> String {
    stamp.rfc3339()
}
