//! One gateway with a commented configuration that can be broken.

use oc_testkit::{Cmd, GatewayBuilder, TestEnv, free_port};
use serde_json::json;

/// Which of OpenClaw's own copies there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backup {
    None,
    LastGood,
    Poisoned,
}

pub(crate) struct World {
    pub(crate) env: TestEnv,
    pub(crate) port: u16,
    pub(crate) good: String,
}

impl World {
    pub(crate) fn new(backup: Backup) -> Self {
        let mut env = TestEnv::new();
        let port = free_port();
        env.set("OPENCLAW_GATEWAY_PORT", port);
        if let Some(real) = std::env::var_os("OC_REAL_OPENCLAW") {
            let dir = std::path::Path::new(&real).parent().unwrap().display().to_string();
            let path = format!("{}:{dir}:/usr/bin:/bin", env.path("bin").display());
            env.set("PATH", path);
        } else {
            // As 2026.9.6 answers; the rest of its words are not needed here.
            env.stub(
                "openclaw",
                r#"case "$1 $2" in
"config validate")
    if grep -q nosuch "$OPENCLAW_CONFIG_PATH"; then
        echo '{"ok":false,"valid":false,"issues":[{"path":"channels.nosuch","message":"unknown channel id: nosuch"}]}'
        exit 1
    fi
    echo '{"valid":true,"warnings":[]}' ;;
*) exit 1 ;;
esac"#,
            );
        }
        let good = format!(
            "// my gateway\n{{\n  gateway: {{\n    // runs here\n    mode: 'local',\n    port: {port}, // the port\n    bind: 'loopback', // who may connect\n    auth: {{ mode: 'token', token: 'tok-hush-hush' }},\n  }},\n  logging: {{ level: 'info' }},\n}}\n"
        );
        let world = Self { env, port, good };
        world.write(world.good.as_bytes());
        match backup {
            Backup::None => {}
            Backup::LastGood => drop(world.env.write(".openclaw/openclaw.json.last-good", &world.good)),
            Backup::Poisoned => {
                let poisoned = world.good.replace("    mode: 'local',\n", "");
                world.env.write(".openclaw/openclaw.json.last-good", poisoned);
            }
        }
        world
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.env.write(".openclaw/openclaw.json", bytes);
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn read(&self) -> String {
        std::fs::read_to_string(self.env.config_path()).unwrap()
    }

    pub(crate) fn gateway(&self) -> GatewayBuilder<'_> {
        self.env.gateway().on_port(self.port).config_untouched().real_if_named()
    }

    pub(crate) fn doctor(&self, args: &[&str]) -> Cmd {
        self.env.cmd("oc-doctor").args(args)
    }

    /// A probe report that says: the process just ended with this status.
    pub(crate) fn exited(&self, status: i32) -> String {
        let now = oc_core::clock::Stamp::now();
        let report = json!({"schema": "oc.probe/1", "tool": "oc-probe", "version": "0", "instance": "default",
            "run": null, "at": now.rfc3339(), "verdict": "down", "exit": 2,
            "target": format!("http://127.0.0.1:{}", self.port), "class": "exit_config", "conditions": ["exit_config"],
            "summary": "it exited with 78", "identity": null, "checks": [], "uptime_ms": null, "rss_bytes": null,
            "latency_ms": null, "stalled_ms": 0, "holder": null, "config_hash": null, "config_seen": null,
            "served_before": true, "stamp": now,
            "service": {"manager": "embedded", "state": "starting", "identity": null, "never_ready_in_a_row": 1,
                "next_start_at": null,
                "exits": [{"at": now, "status": status, "signal": null, "was_ready": false, "ran_ms": 1000}]}});
        self.env.write("probe.json", report.to_string()).display().to_string()
    }
}
