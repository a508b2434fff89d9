//! One supervised stand-in gateway in a world of its own.
#![allow(dead_code, reason = "each test file uses its own part")]

use oc_core::identity::Identity;
use oc_core::service::embedded::{Phase, Status};
use oc_testkit::{Asked, Cmd, Output, Running, TestEnv, ask, wait_for, wait_until};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

pub const SOON: Duration = Duration::from_secs(15);

pub struct Rig {
    pub env: TestEnv,
    pub port: u16,
    pub words: Vec<String>,
}

impl Rig {
    /// With waits that a test can afford.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// As [`Rig::new`], with another configuration.
    pub fn with(change: impl FnOnce(&mut Value)) -> Self {
        let env = TestEnv::new();
        let gateway = env.gateway();
        let (port, words) = (gateway.port(), gateway.prepare());
        let mut config = json!({
            "service": {
                "stop_timeout": "10s",
                "supervise": {"backoff_step": "100ms", "backoff_max": "1s", "ready_poll": "20ms",
                    "heal_command": ["/bin/sh", "-c", "echo pass >> \"$HOME/passes\""]},
            },
            "probe": {"url": format!("http://127.0.0.1:{port}")},
        });
        change(&mut config);
        env.oc_config(&config);
        Self { env, port, words }
    }

    pub fn guardian(&self, args: &[&str]) -> Output {
        self.env.cmd("oc-guardian").args(args).run()
    }

    pub fn supervise_cmd(&self, flags: &[&str]) -> Cmd {
        self.env
            .cmd("oc-guardian")
            .arg("supervise")
            .args(flags)
            .arg("--")
            .args(&self.words)
    }

    /// Without healing passes.
    pub fn supervise(&self) -> Running {
        self.supervise_cmd(&["--no-heal"]).spawn()
    }

    /// Any other service, which is never seen ready.
    pub fn supervise_script(&self, script: &str) -> Running {
        let words = ["supervise", "--no-heal", "--", "/bin/sh", "-c", script];
        self.env.cmd("oc-guardian").args(words).spawn()
    }

    pub fn status_path(&self) -> PathBuf {
        self.env.watchdog().join("supervise/status.json")
    }

    pub fn status(&self) -> Option<Status> {
        serde_json::from_slice(&std::fs::read(self.status_path()).ok()?).ok()
    }

    #[track_caller]
    pub fn wait_status(&self, what: &str, good: impl Fn(&Status) -> bool) -> Status {
        wait_for(what, SOON, || self.status().filter(&good))
    }

    /// Waits until a living process is up and answers; returns it.
    #[track_caller]
    pub fn wait_up(&self) -> Identity {
        let status = self.wait_status("the service is up", |s| {
            s.phase == Phase::Up && s.child.as_ref().is_some_and(Identity::alive)
        });
        wait_until("it answers", SOON, || self.serving());
        status.child.unwrap()
    }

    /// As [`Rig::wait_up`], for another process than this one.
    #[track_caller]
    pub fn wait_successor(&self, of: &Identity) -> Identity {
        self.wait_status("a successor", |s| {
            s.phase == Phase::Up && s.child.as_ref().is_some_and(|c| c != of)
        });
        self.wait_up()
    }

    pub fn serving(&self) -> bool {
        matches!(ask(self.port, "/healthz"), Asked::Answered(answer) if answer.status == 200)
    }

    pub fn passes(&self) -> usize {
        std::fs::read_to_string(self.env.path("passes")).map_or(0, |text| text.lines().count())
    }

    /// The journal's lines of one kind.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.env.watchdog().join("journal.jsonl")).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|e| e["kind"] == kind).collect()
    }

    /// The answer of `oc-escalate decide`, as a file.
    pub fn decision(&self, method: &str, identity: Option<&Identity>) -> String {
        let decision = json!({"schema": "oc.decision/1", "tool": "oc-escalate", "version": "0", "instance": "default",
            "run": null, "at": "2026-01-01T00:00:00Z", "verdict": "restart", "exit": 2, "action": "restart",
            "method": method, "recorded": true, "reason": "a test", "class": "hung", "incident": "i1", "attempt": 1,
            "next_allowed_at": null, "budget": {}, "identity": identity, "command": null});
        self.env
            .write("decision.json", decision.to_string())
            .display()
            .to_string()
    }

    pub fn apply(&self, method: &str, identity: Option<&Identity>) -> Output {
        let file = self.decision(method, identity);
        self.guardian(&["apply", "--json", "--decision", &file])
    }
}

/// Waits until a process is gone and collected: for a gateway that starts, the zombie of another still owns the lock.
#[track_caller]
pub fn wait_gone(process: &Identity) {
    wait_until("the process is gone", SOON, || process.info().is_none());
}

pub fn kill9(process: &Identity) {
    process.signal(oc_testkit::Signal::KILL).unwrap();
}

pub fn identity(running: &Running) -> Identity {
    Identity::of(i32::try_from(running.pid()).unwrap()).unwrap()
}

/// How many stand-in gateways live in this environment.
pub fn gateways(env: &TestEnv) -> usize {
    let home = [b"HOME=", env.home().as_os_str().as_encoded_bytes(), b"\0"].concat();
    let holds = |file: &str, pid: i32, what: &[u8]| {
        std::fs::read(format!("/proc/{pid}/{file}")).is_ok_and(|b| b.windows(what.len()).any(|w| w == what))
    };
    std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|e| e.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe.ends_with("stand-in-gateway")))
        .filter(|pid| holds("environ", *pid, &home))
        .filter(|pid| Identity::of(*pid).is_some_and(|i| i.alive()))
        .filter(|pid| std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|c| c.contains("gateway")))
        .count()
}
