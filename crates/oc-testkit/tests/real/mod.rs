//! The real gateway on a stage, and the table of what was measured.

use crate::stage::Stage;
use oc_testkit::{Faults, wall_ms};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

impl Stage {
    /// The `openclaw` that OC_REAL_OPENCLAW names; nothing runs yet, and all is at its default.
    pub(crate) fn real() -> Self {
        let gateway = oc_testkit::real::openclaw().expect("OC_REAL_OPENCLAW names the gateway, as in `make e2e`");
        let mut stage = Self::bare();
        oc_testkit::real::equip(&mut stage.env, &gateway);
        let log = stage.env.path("gateway.log");
        stage.edit(|config| {
            // It would log into a directory that everybody on the machine shares.
            config["logging"] = json!({"file": log});
        });
        stage.gateway = gateway;
        stage.patience = Duration::from_secs(180);
        stage.settings(&json!({}));
        stage
    }

    /// Our own settings, over the defaults.
    pub(crate) fn settings(&self, over: &Value) {
        // Fresh from npm the package on PATH looks like an upgrade under way, and nothing would be done for five minutes.
        let package = json!({"service": {"package_dir": self.env.path("no-package")}});
        self.env.oc_config(&oc_testkit::merged(package, over));
    }

    /// Changes OpenClaw's own configuration on disk.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut config = self.env.read_json(".openclaw/openclaw.json");
        change(&mut config);
        self.env.write(".openclaw/openclaw.json", config.to_string());
    }

    /// Blocks the event loop of the gateway that runs now until the answer is dropped; its successor is well.
    pub(crate) fn block(&self) -> Blocked {
        let pid = self.pid();
        self.env.fault(|f| {
            f.only_pid = u32::try_from(pid).ok();
            f.block_ms = Some(0);
        });
        oc_testkit::wait_until("the event loop is blocked", self.patience, || self.silent());
        Blocked {
            pid,
            state_dir: self.env.state_dir(),
            at: wall_ms(),
        }
    }

    fn silent(&self) -> bool {
        let host = std::net::Ipv4Addr::LOCALHOST.into();
        let asked = oc_testkit::ask_with(host, self.port, "GET", "/healthz", &[], Duration::from_millis(500));
        asked == oc_testkit::Asked::Silent
    }

    /// A pass of ours; those of the supervisor may hold the lock.
    pub(crate) fn own_pass(&self) -> oc_testkit::Output {
        oc_testkit::wait_for("a pass that is not busy", self.patience, || {
            Some(self.pass()).filter(|out| out.code != 75)
        })
    }

    /// Runs `oc-guardian`; a pass may hold the lock.
    pub(crate) fn guardian(&self, words: &[&str]) -> oc_testkit::Output {
        oc_testkit::wait_for("oc-guardian is not busy", self.patience, || {
            let guardian = self.cmd("oc-guardian").args(words).timeout(self.patience);
            Some(guardian.run()).filter(|out| out.code != 75)
        })
    }

    /// Waits for the `n`th event of a kind, counted from 1, and returns it.
    pub(crate) fn nth_event(&self, kind: &str, n: usize, ceiling: Duration) -> Value {
        oc_testkit::wait_for(&format!("event {n} of kind {kind}"), ceiling, || {
            self.events(kind).get(n - 1).cloned()
        })
    }

    /// Waits for the first event of a kind from then on (wall clock).
    pub(crate) fn event_since(&self, kind: &str, at: i64, ceiling: Duration) -> Value {
        oc_testkit::wait_for(&format!("an event of kind {kind}"), ceiling, || {
            self.events(kind).into_iter().find(|event| ms(event) >= at)
        })
    }

    /// Waits for the first end of the gateway with this exit status. That of a stop is journaled after the stop returned, so
    /// that counting would not do.
    pub(crate) fn exit_with(&self, status: i64, ceiling: Duration) -> Value {
        oc_testkit::wait_for(&format!("an exit with {status}"), ceiling, || {
            let exits = self.events("exited").into_iter();
            exits.into_iter().find(|e| e["data"]["status"] == status)
        })
    }

    /// Everything that there is to look at when a test fails.
    pub(crate) fn journal_text(&self) -> String {
        let short = |e: Value| {
            let word = |key: &str| e[key].as_str().unwrap_or_default().to_owned();
            format!("{} {} {}", word("at"), word("kind"), word("text"))
        };
        self.journal().into_iter().map(short).collect::<Vec<_>>().join("\n")
    }
}

/// A blocked event loop; dropped, it turns again.
pub(crate) struct Blocked {
    pub(crate) pid: i64,
    /// Since when, in ms since 1970.
    pub(crate) at: i64,
    state_dir: PathBuf,
}

impl Drop for Blocked {
    fn drop(&mut self) {
        Faults::change(&self.state_dir, |f| f.block_ms = None);
    }
}

/// When an event of the journal was, in ms since 1970.
pub(crate) fn ms(event: &Value) -> i64 {
    event["wall_ms"].as_i64().unwrap_or_else(|| panic!("no time: {event}"))
}

/// What was measured, shown when it is dropped: also what there was before a failure.
pub(crate) struct Table {
    title: &'static str,
    lines: std::sync::Mutex<Vec<String>>,
}

impl Table {
    pub(crate) fn new(title: &'static str) -> Self {
        Self {
            title,
            lines: std::sync::Mutex::default(),
        }
    }

    /// A fault, when it was seen and when the service served again, all in ms since 1970.
    pub(crate) fn healed(&self, what: &str, fault: i64, seen: i64, serving: i64) {
        self.line(
            what,
            &format!(
                "seen {:>8}   serving {:>8}",
                seconds(seen - fault),
                seconds(serving - fault)
            ),
        );
    }

    pub(crate) fn line(&self, what: &str, came: &str) {
        self.lines.lock().unwrap().push(format!("  {what:<58} {came}"));
    }
}

fn seconds(ms: i64) -> String {
    format!("{}.{:02} s", ms / 1000, (ms % 1000).abs() / 10)
}

impl Drop for Table {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        println!("\n{}\n{}\n", self.title, lines.join("\n"));
    }
}
