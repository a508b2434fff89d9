//! F4.

use crate::arena::{SECRETS, broken};
use crate::case::{CASE, Case, Class, End};
use std::os::unix::fs::PermissionsExt as _;

pub(crate) const F4: Case = Case {
    id: "F4",
    class: Class::Filesystem,
    fault: "openclaw.json and .env, with their secrets, can be read by everybody",
    inject: |arena| {
        let env = arena.env();
        let dotenv = env.write(".openclaw/.env", format!("SLACK_BOT_TOKEN={}\n", SECRETS[2]));
        [env.config_path(), dotenv]
            .iter()
            .try_for_each(|path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)))
            .map_err(|e| broken(&e.to_string()))
    },
    hurts: |_| true,
    verify: |arena| {
        let said = arena.env().cmd("oc-doctor").args(["check", "--json"]).run();
        let mut wrong = Vec::new();
        for id in ["config.permissions", "secrets.permissions"] {
            if !said.stdout.contains(id) {
                wrong.push(format!("oc-doctor check does not say {id}: {}", said.stdout));
            }
        }
        if SECRETS
            .iter()
            .any(|s| said.stdout.contains(s) || said.stderr.contains(s))
        {
            wrong.push("oc-doctor check shows a secret".to_owned());
        }
        wrong
    },
    end: End::LeftAlone(2),
    ..CASE
};
