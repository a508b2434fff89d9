//! Restores an included file from last-known-good.

use super::{Ask, Proposal, Remedy};
use crate::generations::Store;
use std::path::Path;

pub(super) const REMEDY: Remedy = Remedy {
    name: "restore_include",
    heals: &["config.include"],
    does: "restores the included file from the newest generation that has it sound",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let scene = ask.scene;
    let store = Store::new(&scene.world.paths);
    let index = store.index().ok()?;
    let root = scene.file.target.parent().unwrap_or(Path::new("/"));
    let broken = scene
        .includes
        .iter()
        .find(|f| f.path.display().to_string() == ask.finding.subject)?;
    let good = index.good().map(|g| g.id.clone());
    let mut generations: Vec<_> = index.newest_first().filter(|g| g.rejected.is_none()).collect();
    generations.sort_by_key(|g| Some(&g.id) != good.as_ref());
    generations.into_iter().find_map(|generation| {
        let file = generation
            .files
            .iter()
            .skip(1)
            .find(|f| root.join(&f.path) == broken.target)?;
        let bytes = store
            .bytes(&file.hash)
            .filter(|_| Some(&file.hash) != broken.hash.as_ref())?;
        crate::document::Document::parse(&bytes, scene.world.config.service.config_type).ok()?;
        Some(Proposal::Included {
            path: broken.target.clone(),
            bytes,
            what: format!("{} restored from generation {}", broken.path.display(), generation.id),
        })
    })
}
