//! A gateway of this instance that owns the state directory, answers nobody and belongs to no supervisor: it lets no other
//! one start.

use crate::finding::Finding;
use crate::owner;
use crate::scene::Scene;

/// state.hung_owner
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if scene.evidence.serving() == Some(true) || findings.iter().any(|f| f.id == "port.stale_gateway") {
        return;
    }
    let Some(owner) = owner::of(scene) else { return };
    // A young one may simply be starting.
    let grace = scene.world.config.probe.startup_grace.get();
    let young = owner.age_ms().is_none_or(|ms| u128::from(ms) < grace.as_millis());
    let stopped = owner
        .info()
        .is_some_and(|i| i.state == oc_core::identity::ProcessState::Stopped);
    // The supervised process is the guardian's.
    if (young && !stopped) || owner::stale(scene).as_ref() != Some(&owner) {
        return;
    }
    findings.push(Finding::error(
        "state.hung_owner",
        scene.world.paths.openclaw().display().to_string(),
        format!(
            "a gateway that answers nobody owns the state directory ({})",
            super::port::describe(&owner)
        ),
    ));
}
