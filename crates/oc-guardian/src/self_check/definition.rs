//! The service's definition on disk: a running service hides that it is lost, until the next reboot.

use super::{Line, Scene};
use crate::backend::launchd::definition;
use oc_core::report::ManagerKind;
use oc_core::service::launchd::Agent;

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    if scene.manager != ManagerKind::Launchd {
        return None;
    }
    let agent = Agent::of(&scene.world.config.service);
    Some(match definition::wrong(&agent) {
        None => Line::ok("definition", agent.plist().display().to_string()),
        Some(wrong) => Line::fail("definition", wrong, "openclaw gateway install --force"),
    })
}
