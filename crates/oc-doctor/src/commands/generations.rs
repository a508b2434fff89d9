//! `generations`, `diff`, `rollback`: the snapshots for people.

use crate::checks;
use crate::diff::unified;
use crate::evidence::Evidence;
use crate::generations::{Generation, Reason, Store, when};
use crate::repair::show_diff;
use crate::report::Body;
use crate::scene::Scene;
use crate::transaction::{self, Transaction};
use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::json;
use std::path::Path;

/// Lists them, newest first.
///
/// # Errors
/// 74 or 77.
pub(crate) fn list(world: &World) -> Result<Answer> {
    let index = Store::new(&world.paths).index()?;
    let good = index.good().map(|g| g.id.clone());
    let current = Scene::look(world, Evidence::default()).file.hash;
    let mut text = String::new();
    let mut rows = Vec::new();
    for generation in index.newest_first() {
        let marks = [
            (Some(&generation.id) == good.as_ref()).then_some("last-known-good"),
            (generation.main_hash() == current.as_ref()).then_some("on disk"),
            generation.rejected.as_deref(),
        ];
        let marks: Vec<&str> = marks.into_iter().flatten().collect();
        let note = generation.note.as_deref().unwrap_or("");
        text.push_str(&format!(
            "{}  {}  {:>7} B  {:<10}  {}  {note}\n",
            generation.id,
            when(&generation.at),
            generation.size(),
            serde_json::to_value(generation.reason)
                .ok()
                .and_then(|v| v.as_str().map(str::to_owned))
                .unwrap_or_default(),
            marks.join(", "),
        ));
        rows.push(
            json!({"id": generation.id, "at": when(&generation.at), "size": generation.size(),
            "files": generation.files.iter().map(|f| json!({"path": f.path, "sha256": f.hash})).collect::<Vec<_>>(),
            "reason": generation.reason, "note": generation.note,
            "healthy_since": generation.healthy_since.as_ref().map(|(at, _)| when(at)),
            "good_since": generation.good_since.as_ref().map(when), "good": Some(&generation.id) == good.as_ref(),
            "on_disk": generation.main_hash() == current.as_ref(), "rejected": generation.rejected}),
        );
    }
    if text.is_empty() {
        text.push_str("no generations yet; `oc-doctor snapshot` makes one\n");
    }
    Ok(Answer::new(
        "oc.doctor-generations/1",
        Exit::Good,
        "listed",
        &json!({ "generations": rows }),
    )?
    .text(text))
}

/// What changed since a generation.
///
/// # Errors
/// 64 when there is no such generation, 65 when it is damaged.
pub(crate) fn diff(world: &World, name: &str) -> Result<Answer> {
    let store = Store::new(&world.paths);
    let scene = Scene::look(world, Evidence::default());
    let generation = store.find(name, scene.file.hash.as_ref())?;
    let root = scene.file.target.parent().unwrap_or(Path::new("/"));
    let mut known = store.known_secrets(world.config.service.config_type);
    known.extend(scene.effective.as_ref().map(crate::secrets::of).unwrap_or_default());
    crate::secrets::longest_first(&mut known);
    let mut text = String::new();
    for file in &generation.files {
        let old = store.bytes(&file.hash).ok_or_else(|| damaged(&generation))?;
        let new = crate::disk::OnDisk::read(&root.join(&file.path));
        text.push_str(&unified(
            &file.path.to_string_lossy(),
            &String::from_utf8_lossy(&old),
            &String::from_utf8_lossy(new.bytes().unwrap_or_default()),
            &known,
        ));
    }
    let same = text.is_empty();
    let body = json!({"generation": generation.id, "diff": text});
    let (exit, verdict) = if same {
        (Exit::Good, "same")
    } else {
        (Exit::Answer(1), "different")
    };
    Ok(Answer::new("oc.doctor-diff/1", exit, verdict, &body)?.text(text))
}

/// Goes back to a generation, as a transaction like any repair.
///
/// # Errors
/// 64 when there is no such generation; 65 when it is damaged; 75 when another healing is under way; 74 or 77.
pub(crate) fn rollback(world: &World, name: &str) -> Result<Answer> {
    let _lock = super::lock(world)?;
    let store = Store::new(&world.paths);
    let scene = Scene::look(world, Evidence::default());
    let generation = store.find(name, scene.file.hash.as_ref())?;
    let (body, changed) = restore(world, &store, &scene, &generation, transaction::ROLLBACK)?;
    if changed {
        body.answer_with(Exit::Good, "rolled_back")
    } else {
        body.answer_with(Exit::Good, "same")
    }
}

/// Writes every file of a generation back.
///
/// # Errors
/// 65 when the generation is damaged; 75 when somebody edits at this moment; 74 or 77.
pub(crate) fn restore(
    world: &World,
    store: &Store,
    scene: &Scene<'_>,
    generation: &Generation,
    by: &str,
) -> Result<(Body, bool)> {
    let root = scene.file.target.parent().unwrap_or(Path::new("/"));
    let mut writes = Vec::new();
    for file in &generation.files {
        let bytes = store.bytes(&file.hash).ok_or_else(|| damaged(generation))?;
        let on_disk = crate::disk::OnDisk::read(&root.join(&file.path));
        if on_disk.hash.as_ref() != Some(&file.hash) {
            writes.push((on_disk, bytes));
        }
    }
    let mut body = Body {
        dry_run: world.common.dry_run,
        ..Body::default()
    };
    body.actions = writes
        .iter()
        .map(|(file, _)| format!("{} restored from generation {}", file.path.display(), generation.id))
        .collect();
    let main = store
        .bytes(&generation.files[0].hash)
        .ok_or_else(|| damaged(generation))?;
    body.diff = Some(show_diff(scene, &scene.with_bytes(&main))).filter(|d| !d.is_empty());
    if writes.is_empty() || world.common.dry_run {
        let changed = !writes.is_empty();
        return Ok((body, changed));
    }
    super::fix::close_leftover(world, &crate::cli::Probed { probe: None })?;
    let findings = checks::configuration(scene);
    let mut open = Transaction::new(by, &findings);
    body.generation_before = store.snapshot(scene, Reason::BeforeFix, None)?;
    open.generation_before.clone_from(&body.generation_before);
    open.actions.clone_from(&body.actions);
    for (file, bytes) in &writes {
        if let Some(old) = file.bytes() {
            store.adopt(&file.target, old, Reason::BeforeFix, Some("before a rollback"))?;
        }
        open.write(world, file, bytes)?;
    }
    body.generation_after = Some(generation.id.clone());
    open.generation_after.clone_from(&body.generation_after);
    open.done(world, &body.actions)?;
    body.transaction = Some(open.id);
    Ok((body, true))
}

fn damaged(generation: &Generation) -> Fault {
    Fault::data(format_args!("generation {} is damaged", generation.id))
        .hint("choose another one: `oc-doctor generations`")
}
