//! A broken configuration, an incident, and agents that do as they are told.

use oc_testkit::{Cmd, Output, TestEnv, process};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// Longer than anything here takes on a busy machine.
pub(crate) const CEILING: Duration = Duration::from_secs(20);
/// Only in the configuration, in `.env` and in the environment.
pub(crate) const TOKEN: &str = "tok-4f1c9a7be2d05538";
pub(crate) const KEY: &str = "sk-ant-api03-Zx81kQ0vWmT5yB7nR2cJ4hL9pD3sF6gA";

/// The comma after "local" is missing.
const BROKEN: &str = r#"{
  // kept by hand
  "gateway": {
    "mode": "local"
    "port": PORT,
    "bind": "loopback",
    "auth": {"mode": "token", "token": "TOKEN"}
  }
}
"#;

pub(crate) struct Stage {
    pub(crate) env: TestEnv,
    pub(crate) port: u16,
    settings: Value,
}

impl Stage {
    /// Consent is given, nothing serves, `claude` is on PATH and does this.
    pub(crate) fn new(script: &Value) -> Self {
        let mut env = TestEnv::new();
        let port = oc_testkit::free_port();
        let broken = BROKEN.replace("PORT", &port.to_string()).replace("TOKEN", TOKEN);
        env.write(".openclaw/openclaw.json", broken);
        env.set("ANTHROPIC_API_KEY", KEY);
        let stage = Self {
            env,
            port,
            settings: json!({"agent": {"enabled": true}}),
        };
        stage.agent("claude", script);
        stage.configure(&json!({}));
        stage
    }

    /// Puts a scripted agent on PATH.
    pub(crate) fn agent(&self, name: &str, script: &Value) {
        let file = self.env.write(format!("{name}.script.json"), script.to_string());
        let agent = oc_testkit::bin("stand-in-agent");
        let record = self.record_path(name);
        let words = [
            &agent,
            &PathBuf::from("--script"),
            &file,
            &PathBuf::from("--record"),
            &record,
        ];
        let words: Vec<_> = words.iter().map(|word| format!("'{}'", word.display())).collect();
        self.env.stub(name, &format!("exec {} \"$@\"", words.join(" ")));
    }

    /// Our own settings, in the section `agent`.
    pub(crate) fn configure(&self, over: &Value) {
        let mut settings = self.settings.clone();
        for (key, value) in over.as_object().unwrap() {
            settings["agent"][key] = value.clone();
        }
        self.env.oc_config(&settings);
    }

    pub(crate) fn incident(&self) -> PathBuf {
        self.env.watchdog().join("incidents/I-1")
    }

    /// `oc-claude-pty run`, with a driver, not started yet.
    pub(crate) fn session(&self, driver: &str) -> Cmd {
        std::fs::create_dir_all(self.incident()).unwrap();
        let cmd = self
            .env
            .cmd("oc-claude-pty")
            .args(["run", "--json", "--driver", driver, "--incident"]);
        cmd.arg(self.incident()).timeout(CEILING)
    }

    pub(crate) fn run(&self, driver: &str) -> Output {
        self.session(driver).run()
    }

    fn record_path(&self, name: &str) -> PathBuf {
        self.env.path(format!("{name}.record.jsonl"))
    }

    /// What an agent saw and did.
    pub(crate) fn record(&self, name: &str, event: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.record_path(name)).unwrap_or_default();
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        events.filter(|e| e["event"] == event).collect()
    }

    pub(crate) fn starts(&self, name: &str) -> usize {
        self.record(name, "start").len()
    }

    /// Waits for the session to reach this point.
    pub(crate) fn wait_for(&self, event: &str) -> Value {
        oc_testkit::wait_for(&format!("the agent's {event}"), CEILING, || {
            self.record("claude", event).last().cloned()
        })
    }

    pub(crate) fn config(&self) -> Vec<u8> {
        std::fs::read(self.env.config_path()).unwrap()
    }

    /// Nothing that was started for the session is there any more, whoever its parent became.
    #[track_caller]
    pub(crate) fn expect_nobody_left(&self) {
        let begun = std::time::Instant::now();
        while begun.elapsed() < CEILING && !self.left().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(self.left().is_empty(), "they live on: {:#?}", self.left());
    }

    /// The processes of this environment, by their command lines.
    pub(crate) fn left(&self) -> Vec<String> {
        process::living_in(self.env.home())
            .into_iter()
            .map(process::command_line)
            .collect()
    }
}

/// Acts that mend the working copy.
pub(crate) fn mend() -> Value {
    json!([
        {"say": "A comma is missing."},
        {"call": {"name": "Read", "input": {"file_path": "{{dir}}/work/openclaw.json"}}},
        {"call": {"name": "Edit", "input": {"file_path": "{{dir}}/work/openclaw.json",
            "old_string": "\"local\"\n", "new_string": "\"local\",\n"}}},
        {"say": "The comma after local was missing; I put it in the working copy."},
    ])
}

pub(crate) fn acts(acts: &Value) -> Value {
    json!({"acts": acts})
}

/// Runs the cases side by side: most of each is waiting.
pub(crate) fn side_by_side<T: Sync>(cases: &[T], test: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| test(case));
        }
    });
}

/// A test with each driver.
pub(crate) fn with_each_driver(test: impl Fn(&str) + Sync) {
    side_by_side(&["tmux", "headless"], |driver| test(driver));
}
