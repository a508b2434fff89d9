//! Without linger a user's systemd ends at logout, and the service with it.

use super::{Line, Scene};
use oc_core::report::ManagerKind;
use oc_core::service::systemd::{LINGER, lingers};

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    if scene.manager != ManagerKind::Systemd {
        return None;
    }
    Some(match lingers() {
        Some(true) => Line::ok("linger", "the service goes on after logout, and starts at boot"),
        Some(false) => Line::warn(
            "linger",
            "the service ends at logout, and starts at the next login only",
            LINGER,
        ),
        None => Line::skip("linger", "whether the service goes on after logout cannot be told"),
    })
}
