//! F4.

use crate::arena::{SECRETS, broken};
use crate::case::{CASE, Case, Class, End};
use std::os::unix::fs::PermissionsExt as _;

pub(crate) const F4: Case = Case {
    id: "F4",
    class: Class::Filesystem,
    fault: "openclaw.json, with its token, can be read by everybody",
    inject: |arena| {
        std::fs::set_permissions(arena.env().config_path(), std::fs::Permissions::from_mode(0o644))
            .map_err(|e| broken(&e.to_string()))
    },
    hurts: |_| true,
    verify: |arena| {
        let said = arena.env().cmd("oc-doctor").args(["check", "--json"]).run();
        let mut wrong = Vec::new();
        if !said.stdout.contains("config.permissions") {
            wrong.push(format!("oc-doctor check does not say so: {}", said.stdout));
        }
        if said.stdout.contains(SECRETS[0]) || said.stderr.contains(SECRETS[0]) {
            wrong.push("oc-doctor check shows the token".to_owned());
        }
        wrong
    },
    end: End::LeftAlone(2),
    ..CASE
};
