//! One gateway under one supervisor, with every time scaled down; passes run only when the test says so.

use oc_testkit::{Cmd, Output, Running, Signal, TestEnv, free_port, get, wait_for, wait_until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
pub const CEILING: Duration = Duration::from_secs(20);

pub struct Stage {
    pub env: TestEnv,
    pub port: u16,
    pub supervisor: Option<Running>,
}

/// Everything a hundred times faster than the defaults, so that a test is about order and not about waiting.
pub fn scaled() -> Value {
    json!({
        "service": {"supervise": {"backoff_step": "100ms", "backoff_max": "300ms", "ready_poll": "10ms"}, "stop_timeout": "5s"},
        "probe": {"timeout": "1s", "tries": 2, "interval": "50ms", "hang_after": "600ms", "startup_grace": "2s"},
        "policy": {
            "interval": "60s", "interval_embedded": "60s",
            "hold": {"manager": "0s", "manager_starting": "1s", "draining": "3s", "http_error": "0s"},
            "backoff": {"steps": ["0s"], "jitter_percent": 0},
            "kill": {"unclean_limit": 20},
            "healthy": {"stable": "200ms", "stable_same_process": "300ms"},
        },
    })
}

/// `base` with the leaves of `over` in place.
pub fn merged(mut base: Value, over: &Value) -> Value {
    match (&mut base, over) {
        (Value::Object(to), Value::Object(from)) => {
            for (key, value) in from {
                let old = to.remove(key).unwrap_or(Value::Null);
                to.insert(key.clone(), merged(old, value));
            }
            base
        }
        _ => over.clone(),
    }
}

impl Stage {
    /// A gateway that serves.
    pub fn serving() -> Self {
        let stage = Self::supervised(&json!({}));
        stage.wait_ready();
        stage
    }

    /// A gateway under a supervisor, started but not waited for; `config` is laid over the scaled settings.
    pub fn supervised(config: &Value) -> Self {
        let env = TestEnv::new();
        let port = free_port();
        env.oc_config(&merged(scaled(), config));
        let mut stage = Self { env, port, supervisor: None };
        stage.write_gateway_config();
        stage.supervise();
        stage
    }

    pub fn write_gateway_config(&self) {
        let gateway = json!({"mode": "local", "port": self.port, "bind": "loopback", "auth": {"mode": "token", "token": "tok-secret-1"}});
        self.env.write(".openclaw/openclaw.json", json!({"gateway": gateway}).to_string());
    }

    pub fn supervise(&mut self) {
        let gateway = oc_testkit::bin("stand-in-gateway").display().to_string();
        let words = ["supervise", "--no-heal", "--", &gateway, "gateway", "run", "--port", &self.port.to_string()];
        self.supervisor = Some(self.cmd("oc-guardian").args(words).spawn());
    }

    pub fn cmd(&self, tool: &str) -> Cmd {
        self.env.cmd(tool)
    }

    /// The real script, found through its own directory like every installed copy.
    pub fn heal(&self) -> Cmd {
        self.env.foreign(script()).timeout(Duration::from_secs(60))
    }

    pub fn pass(&self) -> Output {
        self.heal().run()
    }

    /// Passes until one says that all is well.
    pub fn heal_until_well(&self) {
        let mut last = None;
        wait_until("a pass that exits 0", Duration::from_secs(60), || {
            let out = self.pass();
            let well = out.code == 0;
            last = Some(out);
            well
        });
    }

    pub fn is_ready(&self) -> bool {
        matches!(oc_testkit::ask(self.port, "/readyz"), oc_testkit::Asked::Answered(a) if a.status == 200)
    }

    pub fn wait_ready(&self) {
        wait_until("the gateway is ready", CEILING, || self.is_ready());
    }

    pub fn status(&self) -> Value {
        self.env.read_json(".openclaw/watchdog/supervise/status.json")
    }

    /// The pid of the service's process, once there is one that is not `other`.
    pub fn pid_other_than(&self, other: i64) -> i64 {
        wait_for("another process", CEILING, || self.status()["child"]["pid"].as_i64().filter(|p| *p != other))
    }

    pub fn pid(&self) -> i64 {
        self.pid_other_than(0)
    }

    pub fn starts(&self) -> i64 {
        self.status()["starts"].as_i64().unwrap()
    }

    pub fn kill(&self, signal: Signal) -> i64 {
        let pid = self.pid();
        let raw = rustix_pid(pid);
        rustix::process::kill_process(raw, signal).unwrap();
        pid
    }

    /// Blocks the event loop of the process that runs now; its successor is well.
    pub fn hang(&self) -> i64 {
        let pid = self.pid();
        self.env.fault(|f| {
            f.only_pid = u32::try_from(pid).ok();
            f.block_ms = Some(0);
        });
        wait_until("the gateway hangs", CEILING, || !self.is_ready());
        pid
    }

    pub fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.watchdog().join("journal.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn events(&self, kind: &str) -> Vec<Value> {
        self.journal().into_iter().filter(|e| e["kind"] == kind).collect()
    }

    /// What we did to the service, from the journal: every action is written there before it is made.
    pub fn attempts(&self) -> Vec<String> {
        let word = |e: &Value, key: &str| e["data"][key].as_str().unwrap_or("-").to_owned();
        self.events("attempt").iter().map(|e| format!("{} {}", word(e, "action"), word(e, "method"))).collect()
    }
}

pub fn rustix_pid(pid: i64) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

pub fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/oc-heal")
}

pub fn uptime_ms(port: u16) -> i64 {
    get(port, "/readyz").json()["uptimeMs"].as_i64().unwrap()
}
