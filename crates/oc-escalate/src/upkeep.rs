//! The other half of "each guards the other": the guardian looks after the watchdog's job, and a healthy pass of the watchdog,
//! now and then, has the guardian look after its own entry. Costs a healthy pass one `stat`.

use oc_core::clock::{self, Stamp};
use oc_core::proc::Cmd;
use oc_core::world::World;
use oc_core::{fsx, out};
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_secs(300);
/// crontab(1) alone may take 15 s on macOS, where it can wait for a permission.
const LIMIT: Duration = Duration::from_secs(60);

/// After a healthy pass, without the lock. Only where something is installed that could be lost.
pub fn after_healthy_pass(world: &World) {
    if !world.paths.registration().exists() {
        return;
    }
    let mark = world.paths.upkeep();
    // A clock that was set back makes it due, too.
    if clock::file_age(&mark).is_some_and(|age| age < EVERY) {
        return;
    }
    // First the mark: an upkeep that fails is not tried at every pass.
    if let Err(fault) = fsx::replace_quick(&mark, Stamp::now().rfc3339().as_bytes()) {
        out::talk(&fault);
        return;
    }
    let mut cmd = Cmd::new("oc-guardian");
    cmd.args(["upkeep", "--quiet"])
        .env("OC_STATE_DIR", world.paths.watchdog())
        .env("OC_INSTANCE", world.instance())
        .timeout(LIMIT);
    for name in [oc_core::lock::LOCK_FD, "OC_RUN_ID", "OC_RUN_DIR"] {
        cmd.env_remove(name);
    }
    match cmd.run() {
        Ok(output) => {
            let said = output.stderr_text();
            if !said.trim().is_empty() {
                out::talk(said.trim());
            }
        }
        Err(fault) => out::talk(&fault),
    }
}
