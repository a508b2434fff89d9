//! Who owns the state directory, by the service's own lock file: pid and start time.

use crate::evidence;
use crate::scene::Scene;
use oc_core::fsx;
use oc_core::identity::{Identity, descendants};
use oc_core::service;
use serde::Deserialize;
use std::time::Duration;

/// How long a gateway has to answer before it is ended for its silence.
const ASKS: Duration = Duration::from_secs(2);

#[derive(Deserialize)]
struct Lock {
    pid: i32,
    #[serde(rename = "startTime")]
    started: Option<u64>,
}

/// The live process that the lock names; a pid that was reused is nobody.
#[must_use]
pub fn of(scene: &Scene<'_>) -> Option<Identity> {
    if !scene.openclaw() {
        return None;
    }
    let uid = rustix::process::geteuid().as_raw();
    let path = scene
        .world
        .paths
        .openclaw()
        .join(format!("tmp/openclaw-{uid}/gateway.state.lock"));
    let bytes = fsx::read_capped(&path, 64 << 10).ok()??;
    // Padded with blanks behind the JSON.
    let lock: Lock = serde_json::from_slice(bytes.trim_ascii()).ok()?;
    let identity = Identity::of(lock.pid)?;
    (Some(identity.started) == lock.started && identity.alive()).then_some(identity)
}

/// The gateway of this instance that keeps the one that is to run from its port or state directory, and may be ended for it.
/// It is asked anew, and then its manager: what the probe saw may be a life ago, and ended would be the gateway that has just
/// come back.
#[must_use]
pub fn stale(scene: &Scene<'_>) -> Option<Identity> {
    let owner = of(scene)?;
    let answers = evidence::answers(scene.world, ASKS) == Some(true);
    (!answers && owner.alive() && !supervised(scene, &owner)).then_some(owner)
}

/// Whether the process is the service as its manager keeps it at this moment.
#[must_use]
pub fn supervised(scene: &Scene<'_>, process: &Identity) -> bool {
    let world = scene.world;
    let manager = service::chosen(world.config.service.manager, &world.paths);
    let now = service::view(manager, &world.config.service, &world.paths).identity;
    let known = scene.evidence.identity.iter().chain(&now);
    known
        .filter(|root| root.alive())
        .any(|root| root == process || descendants(root.pid).iter().any(|child| child.identity == *process))
}
