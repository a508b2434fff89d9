//! One gateway under one supervisor. `serving`, `supervised` and `faulty`: every time scaled down, and passes run only when the
//! test says so. `bare` and `supervise_with`: the defaults, with passes as the supervisor starts them.

use oc_testkit::{Cmd, Output, Running, Signal, TestEnv, at_once, free_port, get, merged, wait_for, wait_until};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
pub(crate) const CEILING: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) env: TestEnv,
    pub(crate) port: u16,
    pub(crate) supervisor: Option<Running>,
    /// What is supervised.
    pub(crate) gateway: PathBuf,
    /// The longest that a start takes.
    pub(crate) patience: Duration,
}

impl Stage {
    /// A gateway that serves.
    pub(crate) fn serving() -> Self {
        let stage = Self::supervised(&json!({}));
        stage.wait_ready();
        stage
    }

    /// A gateway under a supervisor, started but not waited for; `config` is laid over the scaled settings.
    pub(crate) fn supervised(config: &Value) -> Self {
        Self::faulty(config, |_| {})
    }

    /// As [`Stage::supervised`], with something wrong from the first boot on.
    pub(crate) fn faulty(config: &Value, fault: impl FnOnce(&mut oc_testkit::Faults)) -> Self {
        let mut stage = Self::bare();
        stage.env.fault(fault);
        stage.env.oc_config(&merged(at_once(), config));
        stage.supervise();
        stage
    }

    /// A place for a gateway, the stand-in unless changed; nothing runs, and nothing is set.
    pub(crate) fn bare() -> Self {
        let stage = Self {
            env: TestEnv::new(),
            port: free_port(),
            supervisor: None,
            gateway: oc_testkit::bin("stand-in-gateway"),
            patience: CEILING,
        };
        stage.write_gateway_config();
        stage
    }

    pub(crate) fn write_gateway_config(&self) {
        let gateway = json!({"mode": "local", "port": self.port, "bind": "loopback", "auth": {"mode": "token", "token": "tok-secret-1"}});
        self.env
            .write(".openclaw/openclaw.json", json!({"gateway": gateway}).to_string());
    }

    pub(crate) fn supervise(&mut self) {
        self.supervise_with(&["--no-heal"]);
    }

    pub(crate) fn supervise_with(&mut self, flags: &[&str]) {
        let port = self.port.to_string();
        let supervise = self.cmd("oc-guardian").arg("supervise").args(flags).arg("--");
        let gateway = supervise.arg(&self.gateway).args(["gateway", "run", "--port", &port]);
        self.supervisor = Some(gateway.spawn());
        // Before it has said that it is there, a pass finds nobody in charge and steps in.
        let status = self.env.watchdog().join("supervise/status.json");
        wait_until("the supervisor is there", Duration::from_secs(30), || status.exists());
    }

    pub(crate) fn cmd(&self, tool: &str) -> Cmd {
        self.env.cmd(tool)
    }

    /// The real script, found through its own directory like every installed copy.
    pub(crate) fn heal(&self) -> Cmd {
        self.env.foreign(script()).timeout(Duration::from_secs(60))
    }

    pub(crate) fn pass(&self) -> Output {
        self.heal().run()
    }

    /// Passes until one says that all is well.
    pub(crate) fn heal_until_well(&self) {
        let mut last = None;
        wait_until("a pass that exits 0", Duration::from_secs(60), || {
            let out = self.pass();
            let well = out.code == 0;
            last = Some(out);
            well
        });
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(oc_testkit::ask(self.port, "/readyz"), oc_testkit::Asked::Answered(a) if a.status == 200)
    }

    pub(crate) fn wait_ready(&self) {
        wait_until("the gateway is ready", self.patience, || self.is_ready());
    }

    pub(crate) fn status(&self) -> Value {
        self.env.read_json(".openclaw/watchdog/supervise/status.json")
    }

    /// The pid of the service's process, once there is one that is not `other`.
    pub(crate) fn pid_other_than(&self, other: i64) -> i64 {
        wait_for("another process", self.patience, || {
            let text = std::fs::read(self.env.watchdog().join("supervise/status.json")).ok()?;
            let status: Value = serde_json::from_slice(&text).ok()?;
            status["child"]["pid"].as_i64().filter(|p| *p != other)
        })
    }

    pub(crate) fn pid(&self) -> i64 {
        self.pid_other_than(0)
    }

    pub(crate) fn starts(&self) -> i64 {
        self.status()["starts"].as_i64().unwrap()
    }

    pub(crate) fn kill(&self, signal: Signal) -> i64 {
        let pid = self.pid();
        let raw = rustix_pid(pid);
        rustix::process::kill_process(raw, signal).unwrap();
        pid
    }

    /// Blocks the event loop of the process that runs now; its successor is well.
    pub(crate) fn hang(&self) -> i64 {
        let pid = self.pid();
        self.env.fault(|f| {
            f.only_pid = u32::try_from(pid).ok();
            f.block_ms = Some(0);
        });
        wait_until("the gateway hangs", CEILING, || !self.is_ready());
        pid
    }

    pub(crate) fn journal(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.watchdog().join("journal.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        self.journal().into_iter().filter(|e| e["kind"] == kind).collect()
    }

    /// What we did to the service, from the journal: every action is written there before it is made.
    pub(crate) fn attempts(&self) -> Vec<String> {
        let word = |e: &Value, key: &str| e["data"][key].as_str().unwrap_or("-").to_owned();
        self.events("attempt")
            .iter()
            .map(|e| format!("{} {}", word(e, "action"), word(e, "method")))
            .collect()
    }
}

pub(crate) fn rustix_pid(pid: i64) -> rustix::process::Pid {
    rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap()
}

pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/oc-heal")
}

/// A command for `oc-escalate run --` that writes its pid to `~/pid` and stays.
pub(crate) const STAY: [&str; 3] = ["sh", "-c", "echo $$ >$HOME/pid; exec sleep 600"];

impl Stage {
    /// Copies the script and the tools into `~/bin`, beside the stubs that are there already; returns the script.
    pub(crate) fn install(&self) -> PathBuf {
        for tool in ["oc-probe", "oc-escalate", "oc-guardian"] {
            let to = self.env.path("bin").join(tool);
            if !to.exists() {
                std::fs::copy(oc_testkit::bin(tool), &to).unwrap();
            }
        }
        let heal = self.env.path("bin/oc-heal");
        std::fs::copy(script(), &heal).unwrap();
        heal
    }

    /// A pass that does nothing but hold the lock, and the pid of its command.
    pub(crate) fn holding(&self) -> (Running, rustix::process::Pid) {
        drop(std::fs::remove_file(self.env.path("pid")));
        let holder = self.cmd("oc-escalate").args(["run", "--"]).args(STAY).spawn();
        let pid = wait_for("the command runs", CEILING, || {
            std::fs::read_to_string(self.env.path("pid"))
                .ok()?
                .trim()
                .parse::<i64>()
                .ok()
        });
        (holder, rustix_pid(pid))
    }
}

pub(crate) fn uptime_ms(port: u16) -> i64 {
    get(port, "/readyz").json()["uptimeMs"].as_i64().unwrap()
}
