//! The service's own doctor, fenced. Filled in below.

use oc_core::proc::Cmd;
use oc_core::world::World;

/// The service's programs must look at the same instance as we do.
pub fn environment(cmd: &mut Cmd, world: &World) {
    cmd.env("OPENCLAW_STATE_DIR", world.paths.openclaw())
        .env("OPENCLAW_CONFIG_PATH", world.paths.service_config())
        .env("NO_COLOR", "1");
}
