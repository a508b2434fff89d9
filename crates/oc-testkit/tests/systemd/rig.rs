//! One stand-in gateway as a unit like OpenClaw's own, under a user manager of its own.

use oc_testkit::user_manager::{UserManager, gateway_unit};
use oc_testkit::{Output, TestEnv, free_port, is_ready, wait_until};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

pub const UNIT: &str = "openclaw-gateway.service";
pub const TIMER: &str = "openclaw-watchdog.timer";
/// Longer than anything here takes on a busy machine.
pub const CEILING: Duration = Duration::from_secs(60);

pub struct Rig {
    pub manager: UserManager,
    pub env: TestEnv,
    pub port: u16,
}

impl Rig {
    /// Serving, with nothing of ours installed.
    pub fn new() -> Self {
        Self::with(&json!({}))
    }

    /// With more in our configuration.
    pub fn with(over: &Value) -> Self {
        let mut env = TestEnv::new();
        let port = free_port();
        let gateway =
            json!({"mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": "tok"}});
        env.write(".openclaw/openclaw.json", json!({"gateway": gateway}).to_string());
        let mut config = json!({
            "probe": {"timeout": "1s", "tries": 2, "interval": "50ms", "hang_after": "1s"},
            "policy": {
                "hold": {"manager": "0s", "manager_starting": "2s"},
                "backoff": {"steps": ["0s"], "jitter_percent": 0},
                "healthy": {"stable": "200ms", "stable_same_process": "300ms"},
            },
        });
        for (key, value) in over.as_object().unwrap() {
            config[key] = value.clone();
        }
        env.oc_config(&config);
        // What install pins into the jobs; a test has the tools where they were built.
        let manager = UserManager::start(&mut env);
        let rig = Self { manager, env, port };
        rig.write_unit();
        rig.systemctl(&["daemon-reload"]);
        rig.systemctl(&["enable", UNIT]);
        rig.systemctl(&["start", UNIT]);
        rig.wait_serving();
        rig
    }

    pub fn unit_file(&self) -> PathBuf {
        self.env.path(".config/systemd/user").join(UNIT)
    }

    /// As OpenClaw does.
    pub fn write_unit(&self) {
        let text = gateway_unit(&self.env, &oc_testkit::bin("stand-in-gateway"), self.port);
        self.env.write(".config/systemd/user/".to_owned() + UNIT, text);
    }

    pub fn systemctl(&self, args: &[&str]) -> String {
        self.manager.ask(&self.env, args)
    }

    pub fn shown(&self, unit: &str, property: &str) -> String {
        self.systemctl(&["show", "--value", "-p", property, unit])
            .trim()
            .to_owned()
    }

    pub fn pid(&self) -> u32 {
        self.shown(UNIT, "MainPID").parse().unwrap()
    }

    pub fn serving(&self) -> bool {
        is_ready(self.port)
    }

    #[track_caller]
    pub fn wait_serving(&self) {
        wait_until("a gateway that serves", CEILING, || self.serving());
    }

    #[track_caller]
    pub fn wait_down(&self) {
        wait_until("a gateway that does not serve", CEILING, || !self.serving());
    }

    pub fn guardian(&self, args: &[&str]) -> Output {
        self.env
            .cmd("oc-guardian")
            .args(args)
            .timeout(Duration::from_secs(150))
            .run()
    }

    /// One pass, as a scheduler starts it.
    pub fn heal(&self) -> Output {
        let script = oc_testkit::scripts().join("oc-heal");
        self.env.foreign(script).timeout(Duration::from_secs(150)).run()
    }

    /// The events of a kind.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.watchdog().join("journal.jsonl")).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["kind"] == kind).collect()
    }
}
