//! `work` and `apply`: the copy that an agent edits, and its plan carried out as a transaction like any repair.

use crate::checks;
use crate::edit;
use crate::evidence::Evidence;
use crate::finding::weight;
use crate::generations::{Reason, Store, candidates};
use crate::plan::{self, Base, Plan, Step};
use crate::playbook::{Fingerprint, Lesson};
use crate::repair::{self, show_diff};
use crate::report::Body;
use crate::scene::Scene;
use crate::transaction::Transaction;
use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;

/// Makes the copy.
///
/// # Errors
/// 74 or 77.
pub(crate) fn work(world: &World, dir: &Path) -> Result<Answer> {
    let scene = Scene::look(world, Evidence::default());
    let text = scene.file.bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let (masked, secrets) = plan::with_placeholders(&text);
    if !world.common.dry_run {
        fsx::private_dir(dir)?;
        fsx::replace(&dir.join("openclaw.json"), masked.as_bytes())?;
        let base = serde_json::to_vec(&Base {
            hash: scene.file.hash.clone(),
        })
        .map_err(Fault::internal)?;
        fsx::replace(&dir.join("base.json"), &base)?;
    }
    let body =
        json!({"work": dir.join("openclaw.json"), "placeholders": secrets.len(), "dry_run": world.common.dry_run});
    Ok(Answer::new("oc.doctor-work/1", Exit::Good, "made", &body)?
        .text(format!("{}\n", dir.join("openclaw.json").display())))
}

/// Carries a plan out. 0 applied (or nothing to apply), 1 it waits for a person, 2 it is of no use.
///
/// # Errors
/// 65 when the plan cannot be understood; 75 when another healing is under way or somebody edits at this moment; 64 when
/// an approval does not come from a person; 74 or 77.
pub(crate) fn run(world: &World, path: &Path, approve: bool) -> Result<Answer> {
    // Inside a pass there is no person.
    if approve && std::env::var_os("OC_RUN_DIR").is_some() {
        return Err(Fault::usage("--approve is for a person, not for a pass"));
    }
    let _lock = super::lock(world)?;
    if !world.common.dry_run {
        super::fix::close_leftover(world, &crate::cli::Probed { probe: None })?;
    }
    let wanted = Plan::read(path)?;
    let store = Store::new(&world.paths);
    let mut evidence = Evidence::gather(world, None)?;
    evidence.ask(world, Duration::from_secs(2));
    let scene = Scene::look(world, evidence);
    let mut body = Body {
        dry_run: world.common.dry_run,
        ..Body::default()
    };
    let refuse = |mut body: Body, why: String| {
        body.actions.clear();
        body.human_steps.push(why);
        body.answer_with(Exit::Answer(2), "refused")
    };
    let mut content = match edited_copy(&scene, path) {
        Ok(content) => content,
        Err(why) => return refuse(body, why.what),
    };
    let mut end = None;
    for step in &wanted.steps {
        match step {
            Step::Restart {} => body.actions.push("a restart follows".to_owned()),
            Step::HumanStep { command, why } => body.human_steps.push(format!("{}: {}", clean(why), clean(command))),
            Step::RestoreGeneration { generation } => {
                let found = store.find(generation, scene.file.hash.as_ref())?;
                let bytes = found
                    .main_hash()
                    .filter(|_| found.rejected.is_none())
                    .and_then(|hash| store.bytes(hash));
                let Some(bytes) = bytes else {
                    return refuse(
                        body,
                        format!("generation {} was refused by the service before", found.id),
                    );
                };
                body.actions.push(format!("restored from generation {}", found.id));
                content = Some(bytes);
            }
            Step::DisablePlugin { plugin } => {
                let text = content
                    .as_deref()
                    .or(scene.file.bytes())
                    .map(String::from_utf8_lossy)
                    .unwrap_or_default();
                let key = ["plugins", "entries", plugin, "enabled"].map(str::to_owned);
                let Some(text) = edit::set(&text, &key, &json!(false)) else {
                    return refuse(
                        body,
                        format!("plugin {} cannot be turned off in this configuration", clean(plugin)),
                    );
                };
                body.actions.push(format!("plugin {} turned off", clean(plugin)));
                content = Some(text.into_bytes());
            }
            Step::EndStaleGateway {} => {
                end = crate::owner::stale(&scene).filter(|_| scene.evidence.serving() == Some(false));
            }
        }
    }
    let content = content.filter(|bytes| Some(bytes.as_slice()) != scene.file.bytes());
    if let Some(bytes) = &content {
        let after = scene.with_bytes(bytes);
        let (was, becomes) = (weight(&checks::configuration(&scene)), checks::configuration(&after));
        if weight(&becomes) > was || (weight(&becomes) > 0 && weight(&becomes) >= was) {
            let first = becomes
                .iter()
                .find(|f| f.blocks())
                .map(|f| f.message.clone())
                .unwrap_or_default();
            return refuse(body, format!("the edited configuration is no better: {first}"));
        }
        body.diff = Some(show_diff(&scene, &after)).filter(|d| !d.is_empty());
        let restored = wanted.steps.iter().any(|s| matches!(s, Step::RestoreGeneration { .. }));
        let sensitive = match (after.document(), restored) {
            (Some(document), false) => plan::sensitive(&reference(&scene, &store)?, &document.value),
            _ => Vec::new(),
        };
        if !sensitive.is_empty() && !approve {
            body.actions.clear();
            body.human_steps.push(format!(
                "look at the change of {} and, if you want it, run:",
                sensitive.join(", ")
            ));
            body.human_steps.push(format!(
                "oc-doctor apply {} --approve",
                checks::file::quoted(&path.display().to_string())
            ));
            return body.answer_with(Exit::Answer(1), "waits_for_person");
        }
        body.actions.push("the edited configuration put in place".to_owned());
    }
    if content.is_none() && end.is_none() {
        let restart = wanted.steps.contains(&Step::Restart {});
        let (exit, verdict) = if restart {
            (Exit::Good, "restart")
        } else {
            (Exit::Answer(2), "nothing_to_apply")
        };
        return body.answer_with(exit, verdict);
    }
    if world.common.dry_run {
        return body.answer_with(Exit::Good, "planned");
    }
    let findings = checks::all(&scene);
    let mut open = Transaction::new("apply", &findings);
    if let Some(bytes) = &content {
        let failure = Fingerprint::of(&scene, &findings);
        match Lesson::of(&scene, &scene.with_bytes(bytes), failure, wanted.summary.as_deref()) {
            Ok(lesson) => open.lesson = Some(lesson),
            Err(why) => oc_core::out::talk(format_args!("nothing for the playbook: {why}")),
        }
    }
    body.generation_before = store.snapshot(&scene, Reason::BeforeFix, None)?;
    open.generation_before.clone_from(&body.generation_before);
    let ended = end
        .as_ref()
        .map(|stale| format!("stale gateway, pid {}, ended", stale.pid));
    body.actions.extend(ended.clone());
    open.actions.clone_from(&body.actions);
    if let (Some(stale), Some(what)) = (&end, &ended) {
        open.note_final(world, what)?;
        repair::end(stale)?;
    }
    if let Some(bytes) = &content {
        open.write(world, &scene.file, bytes)?;
        body.generation_after = store.snapshot(&scene.again(), Reason::Fixed, Some("an agent's plan"))?;
        open.generation_after.clone_from(&body.generation_after);
    }
    open.done(world, &body.actions)?;
    body.transaction = Some(open.id);
    body.answer_with(Exit::Good, "applied")
}

/// The agent's copy with the secrets put back; `None` when it did not touch it.
fn edited_copy(scene: &Scene<'_>, path: &Path) -> Result<Option<Vec<u8>>> {
    let dir = plan::work_dir(path);
    let Some(edited) = plan::read_text(&dir.join("openclaw.json"))? else {
        return Ok(None);
    };
    let base: Base = plan::read_text(&dir.join("base.json"))?
        .and_then(|text| serde_json::from_str(&text).ok())
        .ok_or_else(|| Fault::data("nobody can tell which configuration the edited copy was made of"))?;
    let text = scene.file.bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let (masked, secrets) = plan::with_placeholders(&text);
    if edited == masked {
        return Ok(None);
    }
    if base.hash != scene.file.hash {
        return Err(Fault::data(
            "the configuration was changed since the agent looked at it; your change stands",
        ));
    }
    Ok(Some(plan::with_secrets(&edited, &secrets)?.into_bytes()))
}

/// What the change is compared with: the configuration, or the best copy of it when it cannot be understood.
fn reference(scene: &Scene<'_>, store: &Store) -> Result<Value> {
    if let Some(document) = scene.document() {
        return Ok(document.value.clone());
    }
    let kind = scene.world.config.service.config_type;
    let parse = |bytes: &[u8]| crate::document::Document::parse(bytes, kind).ok().map(|d| d.value);
    // What our own remedies would make of the damaged text is nearest to it.
    let text = scene.file.bytes().map(String::from_utf8_lossy).unwrap_or_default();
    let mended = crate::text::with_commas(&text, kind).or_else(|| crate::text::closed(&text, kind));
    if let Some(value) = mended.and_then(|text| parse(text.as_bytes())) {
        return Ok(value);
    }
    Ok(candidates(store, scene)?
        .first()
        .and_then(|c| parse(&c.bytes))
        .unwrap_or_else(|| json!({})))
}

/// Foreign words for a person: no control characters, not endless.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(500)
        .collect()
}
