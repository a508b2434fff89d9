//! Without linger a user's systemd ends at logout, and the service with it.

use super::{Line, Scene};
use oc_core::report::ManagerKind;
use std::path::Path;

pub(super) fn check(scene: &Scene<'_>) -> Option<Line> {
    if scene.manager != ManagerKind::Systemd {
        return None;
    }
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_default();
    if user.is_empty() {
        return Some(Line::warn(
            "linger",
            "cannot be told: USER is not set",
            "loginctl show-user \"$(id -un)\" -p Linger",
        ));
    }
    Some(if Path::new("/var/lib/systemd/linger").join(&user).exists() {
        Line::ok("linger", format!("{user}'s services go on after logout"))
    } else {
        Line::warn(
            "linger",
            format!("{user}'s services end at logout, and start at the next login only"),
            format!("loginctl enable-linger {user}"),
        )
    })
}
