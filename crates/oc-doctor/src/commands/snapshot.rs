//! `snapshot`: by hand, or `--auto` as the guardian calls it while the service is healthy.

use crate::cli::Probed;
use crate::evidence::Evidence;
use crate::generations::{Reason, Sighting, Store, sight};
use crate::scene::Scene;
use oc_core::Exit;
use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::journal::Kind;
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::json;
use std::time::Duration;

/// Runs it. `--auto` never waits for another healing: while one is under way there is nothing to learn.
///
/// # Errors
/// 74 or 77; by hand also 75 when another healing is under way.
pub(crate) fn run(world: &World, note: Option<&str>, auto: bool, probed: &Probed) -> Result<Answer> {
    let answer = |verdict, id: Option<&str>, good: bool| {
        let text = match id {
            Some(id) if !auto => format!("generation {id}\n"),
            _ => String::new(),
        };
        let body = json!({"generation": id, "good": good, "dry_run": world.common.dry_run});
        Ok(Answer::new("oc.doctor-snapshot/1", Exit::Good, verdict, &body)?.text(text))
    };
    let _lock = match super::lock(world) {
        Err(fault) if auto && fault.exit == Exit::Busy => return answer("busy", None, false),
        other => other?,
    };
    let mut evidence = Evidence::gather(world, probed.probe.as_deref())?;
    evidence.ask(world, Duration::from_secs(2));
    if auto && !world.common.dry_run {
        super::fix::close_leftover(world, probed)?;
    }
    let scene = Scene::look(world, evidence);
    if scene.file.bytes().is_none() || world.common.dry_run {
        return answer("nothing", None, false);
    }
    let store = Store::new(&world.paths);
    let known = store
        .index()?
        .newest_first()
        .next()
        .and_then(|g| g.main_hash().cloned());
    let reason = if auto { Reason::Seen } else { Reason::Person };
    let Some(id) = store.snapshot(&scene, reason, note)? else {
        return answer("nothing", None, false);
    };
    if auto && scene.evidence.serving() == Some(true) {
        // While nothing is urgent: the next repair then knows what the installed version accepts.
        crate::schema::Schema::fetch(world)?;
    }
    let mut good = false;
    if let Some(seen) = sighting(&scene) {
        let after: Duration = world.config.doctor.good_after.get();
        store.change(|index| good = sight(index, &id, &scene, &seen, after))?;
    }
    if good {
        let text = format!("configuration {id} is last-known-good now");
        world
            .journal
            .note(&world.event(Kind::Repair, text).with("generation", &id));
    }
    store.prune(&world.config.doctor, std::slice::from_ref(&id))?;
    answer(
        if known == scene.file.hash { "unchanged" } else { "kept" },
        Some(&id.0),
        good,
    )
}

fn sighting(scene: &Scene<'_>) -> Option<Sighting> {
    if scene.evidence.serving() != Some(true) {
        return None;
    }
    let identity = scene.evidence.identity.clone().or_else(|| crate::owner::of(scene))?;
    let age = Duration::from_millis(identity.age_ms()?);
    Some(Sighting {
        identity,
        at: Stamp::now(),
        age,
    })
}
