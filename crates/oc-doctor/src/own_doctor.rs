//! The service's own doctor (`openclaw doctor --fix`), fenced: never while the service serves, once per content and
//! version, its backups copied first, with a deadline and the whole process group ended. Its word counts for nothing: what
//! it did to the configuration is judged by the checks, and of its edits only the needed ones are kept.

use crate::checks;
use crate::disk::{Hash, OnDisk};
use crate::document::{Document, at};
use crate::edit;
use crate::finding::{Finding, weight};
use crate::generations::{Reason, Store, own_backups};
use crate::scene::Scene;
use crate::transaction::Transaction;
use oc_core::fault::Result;
use oc_core::proc::{Cmd, Ended};
use oc_core::world::World;
use serde_json::Value;

/// Bytes of its output that are kept.
const OUTPUT: usize = 256 << 10;
/// More changes than this are not tried one by one.
const TRIED_SINGLY: usize = 64;
/// Parts of the configuration that it rewrites whenever it runs.
const COLLATERAL: [&str; 3] = ["wizard", "meta", "skills"];

/// The service's programs must look at the same instance as we do.
pub fn environment(cmd: &mut Cmd, world: &World) {
    cmd.env("OPENCLAW_STATE_DIR", world.paths.openclaw())
        .env("OPENCLAW_CONFIG_PATH", world.paths.service_config())
        .env("NO_COLOR", "1");
}

/// With these it does harm (stamps a newer configuration as its own) or can do nothing.
const NOT_WITH: [&str; 7] = [
    "config.newer_version",
    "state.database",
    "disk.full",
    "disk.read_only",
    "port.foreign",
    "install.missing",
    "install.entry_missing",
];

/// Whether it may run now.
#[must_use]
pub fn allowed(scene: &Scene<'_>, store: &Store, findings: &[Finding]) -> bool {
    if findings.iter().any(|f| NOT_WITH.contains(&f.id.as_str())) {
        return false;
    }
    let config = &scene.world.config;
    config.doctor.own_doctor
        && !config.service.doctor_command.is_empty()
        && !config.doctor.disabled_remedies.iter().any(|name| name == "own_doctor")
        && scene.evidence.serving() != Some(true)
        && scene.evidence.identity.is_none()
        // It may have come back since it was looked at.
        && crate::owner::of(scene).is_none()
        && store
            .index()
            .is_ok_and(|index| !index.own_doctor_tried.contains(&key(scene)))
}

fn key(scene: &Scene<'_>) -> String {
    let hash = scene.file.hash.as_ref().map_or("none", Hash::short);
    let version = crate::package::installed(scene.world).map_or_else(|| "?".to_owned(), |p| p.version);
    format!("{hash}@{version}")
}

/// Runs it and keeps what helps. Returns what happened, as sentences.
///
/// # Errors
/// 74 or 77 when the snapshot or the record cannot be written: then it is not run.
pub fn run(scene: &Scene<'_>, store: &Store, open: &mut Transaction) -> Result<Vec<String>> {
    let world = scene.world;
    for backup in own_backups(&scene.file.path) {
        if let Some(bytes) = OnDisk::read(&backup).bytes() {
            store.adopt(&backup, bytes, Reason::OwnBackup, None)?;
        }
    }
    store.snapshot(scene, Reason::BeforeFix, None)?;
    let tried = key(scene);
    store.change(|index| {
        index.own_doctor_tried.push(tried);
        let excess = index.own_doctor_tried.len().saturating_sub(100);
        index.own_doctor_tried.drain(..excess);
    })?;
    let words = &world.config.service.doctor_command;
    let name = words.join(" ");
    open.actions.push(format!("`{name}` was let at the configuration"));
    open.foreign(world, &scene.file)?;
    let Some((program, args)) = words.split_first() else {
        return Ok(Vec::new());
    };
    let mut cmd = Cmd::new(program);
    environment(&mut cmd, world);
    let limit = world.config.doctor.own_doctor_timeout.get();
    let ran = cmd.args(args).timeout(limit).cap(OUTPUT).run();
    let how = match &ran {
        Ok(output) => match output.ended {
            Ended::Code(code) => format!("`{name}` ran {} s and exited with {code}", output.took.as_secs()),
            Ended::Signal(n) => format!("`{name}` was killed by signal {n}"),
            Ended::Deadline => format!("`{name}` was ended after {} s", limit.as_secs()),
        },
        Err(fault) => format!("`{name}` could not be run: {}", fault.what),
    };
    let after = scene.again();
    let verdict = judge(scene, &after, store, open)?;
    Ok(vec![format!("{how}; {verdict}")])
}

fn judge(before: &Scene<'_>, after: &Scene<'_>, store: &Store, open: &mut Transaction) -> Result<String> {
    if before.file.hash == after.file.hash && before.file.mode == after.file.mode {
        return Ok("it changed nothing in the configuration".to_owned());
    }
    store.snapshot(after, Reason::Other, Some("as the service's own doctor left it"))?;
    let was = weight(&checks::configuration(before));
    let tried = after.file.bytes().map(|bytes| before.with_bytes(bytes));
    let helped = tried.is_some_and(|scene| weight(&checks::configuration(&scene)) < was);
    let wanted = if helped { needed(before, after, was) } else { None };
    let (bytes, sentence) = match (wanted, helped) {
        (Some((text, kept, dropped)), _) if !kept.is_empty() => {
            let kept = kept.join(", ");
            (
                text.into_bytes(),
                format!("kept of its edits: {kept}; taken back: {dropped} others"),
            )
        }
        // Not comparable edit by edit: the old text could not be understood.
        (None, true) => return Ok("its configuration is kept as it is".to_owned()),
        _ => match before.file.bytes() {
            Some(bytes) => (bytes.to_vec(), "nothing of what it did helped; taken back".to_owned()),
            None => return Ok("it did not help".to_owned()),
        },
    };
    open.write(after.world, &after.file, &bytes)?;
    Ok(sentence)
}

/// The old text with only those of its changes that are needed; their names, and how many were not.
fn needed(before: &Scene<'_>, after: &Scene<'_>, was: usize) -> Option<(String, Vec<String>, usize)> {
    let (old, new) = (before.document()?, after.document()?);
    let all = changes(&old.value, &new.value);
    let mut wanted: Vec<&Vec<String>> = all
        .iter()
        .filter(|path| !COLLATERAL.contains(&path[0].as_str()))
        .collect();
    let made = |wanted: &[&Vec<String>]| {
        wanted
            .iter()
            .try_fold(old.text.clone(), |text, path| match at(&new.value, path) {
                Some(value) => edit::set(&text, path, value),
                None => edit::remove(&text, path),
            })
    };
    let judged = |wanted: &[&Vec<String>]| {
        made(wanted).map(|text| weight(&checks::configuration(&before.with_bytes(text.as_bytes()))))
    };
    let reached = judged(&wanted).filter(|w| *w < was)?;
    // A refusal that nothing explains says nothing about which of the edits was the cure.
    let explained = !checks::configuration(before).iter().any(|f| f.id == "config.refused");
    if explained && wanted.len() <= TRIED_SINGLY {
        let mut index = 0;
        while index < wanted.len() {
            let without: Vec<&Vec<String>> = wanted
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != index)
                .map(|(_, path)| *path)
                .collect();
            if judged(&without) == Some(reached) {
                wanted = without;
            } else {
                index += 1;
            }
        }
    }
    let text = made(&wanted)?;
    Document::parse(text.as_bytes(), before.world.config.service.config_type).ok()?;
    Some((
        text,
        wanted.iter().map(|path| path.join(".")).collect(),
        all.len() - wanted.len(),
    ))
}

/// Paths at which two values differ, as high up as one of them has nothing there.
#[must_use]
pub fn changes(old: &Value, new: &Value) -> Vec<Vec<String>> {
    fn walk(old: &Value, new: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
        match (old, new) {
            (Value::Object(a), Value::Object(b)) => {
                let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
                for key in keys {
                    path.push(key.clone());
                    match (a.get(key), b.get(key)) {
                        (Some(x), Some(y)) => walk(x, y, path, found),
                        _ => found.push(path.clone()),
                    }
                    path.pop();
                }
            }
            _ if old != new => found.push(path.clone()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(old, new, &mut Vec::new(), &mut found);
    found.retain(|path| !path.is_empty());
    found
}
