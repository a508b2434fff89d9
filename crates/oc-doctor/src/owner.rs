//! Who owns the state directory, by the service's own lock file: pid and start time.

use crate::scene::Scene;
use oc_core::fsx;
use oc_core::identity::Identity;
use serde::Deserialize;

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
