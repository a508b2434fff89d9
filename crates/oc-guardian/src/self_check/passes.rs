//! Is the watchdog alive? It leaves a trace at every pass.

use super::{Line, Scene};
use oc_core::clock::Stamp;
use oc_core::fsx;
use oc_core::report::ManagerKind;
use serde::Deserialize;
use std::time::Duration;

/// A pass that heals may take a while.
const MARGIN: Duration = Duration::from_secs(90);

#[derive(Deserialize)]
struct Record {
    started: Stamp,
}

pub(super) fn check(scene: &Scene<'_>) -> Line {
    let policy = &scene.world.config.policy;
    let every = match scene.manager {
        ManagerKind::Embedded => policy.interval_embedded.get(),
        _ => policy.interval.get(),
    };
    let bytes = fsx::read_capped(&scene.world.paths.run().join("run.json"), 1 << 20)
        .ok()
        .flatten();
    let record: Option<Record> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(record) = record else {
        return Line::fail("passes", "no healing pass was ever made", "oc-guardian install");
    };
    let ago = Stamp::now().since(&record.started);
    let text = format!("the last healing pass began {} s ago", ago.as_secs());
    if ago > every.saturating_mul(3) + MARGIN {
        return Line::fail("passes", text, "oc-guardian ensure");
    }
    Line::ok("passes", text)
}
