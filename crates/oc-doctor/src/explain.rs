//! What each finding means and what a person would do about it.

/// One entry of the list.
#[derive(Debug)]
pub struct Entry {
    /// The finding's id.
    pub id: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do by hand.
    pub by_hand: &'static str,
}

/// Every finding.
pub const ALL: &[Entry] = &[
    Entry {
        id: "config.missing",
        means: "The configuration is not there. OpenClaw exits with 78 and is not started again by its service manager.",
        by_hand: "oc-doctor generations, then oc-doctor rollback GEN; or copy openclaw.json.bak back; or openclaw setup",
    },
    Entry {
        id: "config.directory",
        means: "A directory stands where the configuration should be. OpenClaw says that gateway.mode is missing.",
        by_hand: "mv ~/.openclaw/openclaw.json ~/.openclaw/openclaw.json.dir, then restore the file",
    },
    Entry {
        id: "config.special",
        means: "A socket, pipe or device stands where the configuration should be.",
        by_hand: "move it away, then restore the file",
    },
    Entry {
        id: "config.unreadable",
        means: "The configuration cannot be read, mostly because of its mode or owner. OpenClaw says that gateway.mode is missing.",
        by_hand: "chmod 600 ~/.openclaw/openclaw.json; when it belongs to root: sudo chown $USER ~/.openclaw/openclaw.json",
    },
    Entry {
        id: "config.too_large",
        means: "The file is larger than any configuration (16 MiB): something else was written into it.",
        by_hand: "move it away, then oc-doctor rollback good",
    },
    Entry {
        id: "config.empty",
        means: "The configuration is empty: a write was interrupted (power cut, full disk).",
        by_hand: "oc-doctor rollback good, or copy openclaw.json.bak back",
    },
    Entry {
        id: "config.binary",
        means: "The configuration holds bytes that are no text.",
        by_hand: "oc-doctor rollback good, or copy openclaw.json.bak back",
    },
    Entry {
        id: "config.garbage",
        means: "The configuration is intact, but something stands before or after it: a log line, a second closing bracket.",
        by_hand: "remove it with an editor",
    },
    Entry {
        id: "config.truncated",
        means: "The configuration ends in the middle: a write was interrupted.",
        by_hand: "oc-doctor rollback good; what was written since can be compared with oc-doctor diff",
    },
    Entry {
        id: "config.syntax",
        means: "The configuration is no JSON5 at the given line and column. The gateway ignores that while it runs and does not come up after the next restart.",
        by_hand: "mend the line with an editor; openclaw config validate says when it is right",
    },
    Entry {
        id: "config.include",
        means: "A file that the configuration includes ($include) is missing or broken.",
        by_hand: "mend or restore that file",
    },
    Entry {
        id: "config.required_key",
        means: "A key without which the service does not start is missing. Without gateway.mode OpenClaw exits with 78, and `openclaw doctor --fix` reports success without putting it back.",
        by_hand: "openclaw config set gateway.mode local",
    },
    Entry {
        id: "config.unknown_key",
        means: "The installed version does not know this key. It exits with 78 unless it is an old key that it migrates itself.",
        by_hand: "remove the key, or install the version that knows it",
    },
    Entry {
        id: "config.wrong_value",
        means: "The installed version does not accept this value.",
        by_hand: "openclaw config set KEY VALUE, or remove the key so that its default applies",
    },
    Entry {
        id: "config.refused",
        means: "The service exits with 78 on this configuration, and nothing that we check explains it.",
        by_hand: "read the last lines of the gateway's log; openclaw config validate; oc-doctor diff good",
    },
    Entry {
        id: "config.permissions",
        means: "Other users of this machine may read the configuration, which may hold tokens.",
        by_hand: "chmod 600 ~/.openclaw/openclaw.json",
    },
    Entry {
        id: "secrets.permissions",
        means: "Other users of this machine may read ~/.openclaw/.env, where keys and tokens are kept.",
        by_hand: "chmod 600 ~/.openclaw/.env",
    },
    Entry {
        id: "config.owner",
        means: "The configuration belongs to another user: it can be read, but not repaired.",
        by_hand: "sudo chown $USER ~/.openclaw/openclaw.json",
    },
    Entry {
        id: "config.newer_version",
        means: "The configuration was written by a newer version than the one installed, which refuses to start with it (exit status 1). `openclaw doctor --fix` would stamp it as its own: a downgrade that may lose settings.",
        by_hand: "install the newer version again: npm install -g openclaw@VERSION",
    },
    Entry {
        id: "config.shrunk",
        means: "The configuration lost much since it was last known good: something may have clobbered it.",
        by_hand: "oc-doctor diff good; if that was not you: oc-doctor rollback good",
    },
    Entry {
        id: "auth.missing",
        means: "Other machines may connect and nobody has to sign in. OpenClaw refuses that with 78, unless a token comes from the environment of its service definition.",
        by_hand: "openclaw config set gateway.bind loopback, or openclaw doctor --generate-gateway-token",
    },
    Entry {
        id: "auth.password_missing",
        means: "Sign-in by password is configured, and there is no password.",
        by_hand: "openclaw config set gateway.auth.mode token, or set gateway.auth.password",
    },
    Entry {
        id: "plugin.broken",
        means: "The service ends before it was ready once, and the log of that start names a plugin. The rest of the configuration is sound.",
        by_hand: "openclaw config set plugins.entries.ID.enabled false; then look for a newer version of the plugin",
    },
    Entry {
        id: "port.foreign",
        means: "Another program holds the port. The log calls it another gateway, which it need not be. Ending a stranger is your decision.",
        by_hand: "end the named program, or give one of the two another port; the gateway then starts by itself",
    },
    Entry {
        id: "port.stale_gateway",
        means: "A gateway of this very instance that no supervisor knows holds the port and answers nobody, both asked anew; its own lock file proves it by pid and start time.",
        by_hand: "kill -9 PID, then oc-guardian start",
    },
    Entry {
        id: "state.hung_owner",
        means: "A hung gateway owns the state directory; a new one exits with 78 and `openclaw doctor` refuses to run.",
        by_hand: "kill -9 PID, then oc-guardian start",
    },
    Entry {
        id: "state.database",
        means: "The state database is no database. OpenClaw exits with 78; an empty one it replaces silently, and its history is gone.",
        by_hand: "restore ~/.openclaw/state/openclaw.sqlite from a backup, or move it aside with its -wal and -shm and begin anew",
    },
    Entry {
        id: "disk.full",
        means: "There is too little room where the service writes. It exits with 1.",
        by_hand: "free space; then it starts by itself",
    },
    Entry {
        id: "disk.read_only",
        means: "The state directory is on a file system that is mounted read-only.",
        by_hand: "sudo mount -o remount,rw MOUNTPOINT; look into dmesg for the reason",
    },
    Entry {
        id: "install.missing",
        means: "The service's program is not on PATH.",
        by_hand: "npm install -g openclaw, or put its directory on PATH (nvm does that only for shells)",
    },
    Entry {
        id: "install.entry_missing",
        means: "Files of the installed package are missing: an update was interrupted.",
        by_hand: "npm install -g openclaw@VERSION",
    },
    Entry {
        id: "install.node",
        means: "The node on PATH is older than what the package wants.",
        by_hand: "install a newer node; then openclaw gateway install --force",
    },
    Entry {
        id: "dependency.docker",
        means: "The Docker daemon does not answer (doctor.preflight.docker). The service is started all the same.",
        by_hand: "sudo systemctl start docker, or open Docker Desktop; doctor.preflight.docker.start does it by itself",
    },
    Entry {
        id: "dependency.network",
        means: "A host of doctor.preflight.network.hosts cannot be resolved or reached. The service is started all the same.",
        by_hand: "look at the network of this machine; getent hosts NAME",
    },
    Entry {
        id: "exit.cause",
        means: "Why the service's process last ended, by its exit status and the most telling line of its log.",
        by_hand: "see the line; oc-doctor check says what else is wrong",
    },
];

/// The entry of a finding.
#[must_use]
pub fn find(id: &str) -> Option<&'static Entry> {
    ALL.iter().find(|e| e.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/doctor.md. After a change of the list: `OC_WRITE_DOCS=1 cargo test -p oc-doctor --lib explain`.
    #[test]
    fn the_table_in_the_docs_is_this_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");
        let docs = std::fs::read_to_string(path).unwrap();
        let (head, _) = docs.split_once("| finding |").unwrap();
        let mut table = "| finding | means | fix | by hand |\n|---|---|---|---|\n".to_owned();
        for Entry { id, means, by_hand } in ALL {
            let remedies: Vec<&str> = crate::remedies::ALL
                .iter()
                .filter(|r| r.heals.contains(id))
                .map(|r| r.name)
                .collect();
            let fix = if remedies.is_empty() {
                "-".to_owned()
            } else {
                remedies.join(", ")
            };
            let row = format!("| `{id}` | {means} | {fix} | {by_hand} |\n");
            table.push_str(&row);
        }
        let wanted = format!("{head}{table}");
        if std::env::var_os("OC_WRITE_DOCS").is_some() {
            oc_core::fsx::replace(std::path::Path::new(path), wanted.as_bytes()).unwrap();
        }
        assert!(
            std::fs::read_to_string(path).unwrap() == wanted,
            "write it anew, see above"
        );
    }

    #[test]
    fn every_finding_that_a_remedy_heals_is_explained() {
        for remedy in crate::remedies::ALL {
            for id in remedy.heals {
                assert!(find(id).is_some(), "{id}");
            }
        }
    }
}
