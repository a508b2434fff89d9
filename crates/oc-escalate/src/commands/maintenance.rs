//! `maintenance on|off`: a person's will. Waits for no lock; every effect re-reads it just before it acts.

use oc_core::clock::{Stamp, rfc3339};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::intent::{Intent, Maintenance};
use oc_core::journal::Kind;
use oc_core::lock;
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::json;
use std::time::Duration;

/// `oc-escalate maintenance on [--for TIME] [--reason TEXT]`.
///
/// # Errors
/// 64 for no time at all, 74, 77, 78.
pub fn maintenance_on(common: &Common, lasts: Option<Duration>, reason: Option<String>) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    let lasts = lasts.unwrap_or_else(|| world.config.policy.hold.maintenance.get());
    if lasts.as_secs() == 0 {
        return Err(
            Fault::usage("maintenance must last at least a second").hint("end it with `oc-escalate maintenance off`")
        );
    }
    let now = Stamp::now();
    let until = rfc3339(
        now.wall_ms
            .saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(i64::MAX)),
    );
    let text = format!("maintenance until {until}");
    let maintenance = Maintenance {
        since: now,
        for_s: lasts.as_secs(),
        reason: reason.clone(),
    };
    change(&world, &text, reason.as_deref(), |intent| {
        intent.maintenance = Some(maintenance);
    })?;
    answer(
        common,
        "on",
        json!({"maintenance": true, "until": until, "reason": reason}),
        &text,
    )
}

/// `oc-escalate maintenance off`.
///
/// # Errors
/// 74, 77, 78.
pub fn maintenance_off(common: &Common) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    change(&world, "maintenance is over", None, |intent| {
        intent.maintenance = None;
    })?;
    answer(common, "off", json!({"maintenance": false}), "maintenance is over")
}

fn change(world: &World, text: &str, reason: Option<&str>, edit: impl FnOnce(&mut Intent)) -> Result<()> {
    if world.common.dry_run {
        return Ok(());
    }
    let _held = lock::short(&world.paths.state_lock(), Duration::from_secs(5))?;
    let path = world.paths.intent();
    let mut intent = Intent::load(&path)?;
    edit(&mut intent);
    intent.save(&path)?;
    let words = reason.map_or_else(|| text.to_owned(), |r| format!("{text}: {r}"));
    world.journal.note(&world.event(Kind::Intent, words));
    Ok(())
}

fn answer(common: &Common, verdict: &'static str, mut body: serde_json::Value, text: &str) -> Result<Answer> {
    body["dry_run"] = json!(common.dry_run);
    let mark = if common.dry_run { "would be: " } else { "" };
    Ok(Answer::new("oc.maintenance/1", Exit::Good, verdict, &body)?.text(format!("{mark}{text}\n")))
}
