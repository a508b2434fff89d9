//! Our own configuration.

use super::Line;
use oc_core::fault::Fault;
use oc_core::world::World;

pub(super) fn check(world: &World, trouble: Option<&Fault>) -> Line {
    let path = world.common.config.clone().unwrap_or_else(|| world.paths.config());
    match trouble {
        Some(fault) => Line::fail(
            "config",
            fault.what.clone(),
            fault.hint.clone().unwrap_or_else(|| format!("edit {}", path.display())),
        ),
        None if path.exists() => Line::ok("config", format!("{} is understood", path.display())),
        None => Line::ok("config", "no config.json: the defaults hold"),
    }
}
