//! The throw-away HOME with one gateway under one supervisor, and waiting with the ladder in view.

use crate::gateway::Gateway;
use crate::ladder::Ladder;
use crate::screen::{Screen, Step};
use oc_testkit::{Asked, Output, Running, Signal, TestEnv, ask_with, free_port};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Why the demonstration ended early.
pub(crate) enum Stop {
    Interrupted,
    /// Something did not heal as promised.
    Broken(String),
}

pub(crate) type Result<T> = std::result::Result<T, Stop>;

pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) env: TestEnv,
    pub(crate) screen: Screen,
    pub(crate) ladder: Ladder,
    supervisor: Option<Running>,
    port: u16,
    begun: Instant,
    interrupted: Arc<AtomicBool>,
}

impl Stage {
    pub(crate) fn new(screen: Screen, gateway: Gateway, interrupted: Arc<AtomicBool>) -> Self {
        let mut env = TestEnv::new();
        let port = free_port();
        gateway.prepare(&mut env, port);
        env.oc_config(&gateway.settings());
        Self {
            ladder: Ladder::new(env.watchdog().join("journal.jsonl"), wall_ms()),
            gateway,
            env,
            screen,
            supervisor: None,
            port,
            begun: Instant::now(),
            interrupted,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `oc-guardian supervise -- openclaw gateway run`, passes included.
    pub(crate) fn supervise(&mut self) {
        let gateway = self.gateway.program().display().to_string();
        let port = self.port.to_string();
        let words = ["supervise", "--", &gateway, "gateway", "run", "--port", &port];
        self.supervisor = Some(self.env.cmd("oc-guardian").args(words).spawn());
    }

    /// A command of ours, as a person types it.
    pub(crate) fn person(&self, words: &[&str]) -> Output {
        self.env.cmd("oc-guardian").args(words).run()
    }

    /// Says what is done to the gateway, and when (wall clock).
    pub(crate) fn act(&self, text: &str) -> i64 {
        let now = wall_ms();
        self.screen.event(now - self.ladder.zero_ms, Step::Act, "viewer", text);
        now
    }

    /// The service's process, as the supervisor knows it.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.status()?["child"]["pid"].as_u64()?.try_into().ok()
    }

    fn status(&self) -> Option<Value> {
        let text = std::fs::read(self.env.watchdog().join("supervise/status.json")).ok()?;
        serde_json::from_slice(&text).ok()
    }

    pub(crate) fn kill(&self, pid: u32) {
        self.env.signal(pid, Signal::KILL);
    }

    /// Which pass was the latest to begin.
    pub(crate) fn pass(&self) -> Option<String> {
        let text = std::fs::read(self.env.watchdog().join("run/run.json")).ok()?;
        let run: Value = serde_json::from_slice(&text).ok()?;
        run["id"].as_str().map(str::to_owned)
    }

    pub(crate) fn is_ready(&self) -> bool {
        let limit = Duration::from_millis(500);
        matches!(
            ask_with(Ipv4Addr::LOCALHOST.into(), self.port, "GET", "/readyz", &[], limit),
            Asked::Answered(answer) if answer.status == 200
        )
    }

    /// Waits, with the ladder in view, until it serves and is another process than `old`; how long that took. Then until the
    /// supervisor has seen it too: killed before that, it would count as a start that failed.
    pub(crate) fn serves_again(&mut self, old: Option<u32>) -> Result<Duration> {
        let took = self.wait("the gateway serves again", |stage| {
            let pid = stage.pid();
            pid.is_some() && pid != old && stage.is_ready()
        })?;
        self.wait("the supervisor sees it serve", |stage| {
            stage.status().is_some_and(|status| status["phase"] == "up")
        })?;
        Ok(took)
    }

    /// Waits until no incident is open and one more pass has begun.
    pub(crate) fn all_quiet(&mut self) -> Result<()> {
        let last = self.pass();
        self.wait("a pass finds all well", |stage| {
            let count = |kind: &str| stage.ladder.events.iter().filter(|event| event.kind == kind).count();
            stage.pass() != last && count("incident_opened") == count("incident_closed")
        })?;
        Ok(())
    }

    /// Waits for an event of this kind that happened at `since` (wall clock) or later; how long after that.
    pub(crate) fn hears(&mut self, kinds: &[&str], since: i64) -> Result<Duration> {
        let mut after = 0;
        self.wait(&format!("the journal says {}", kinds.join(" or ")), |stage| {
            let heard = stage
                .ladder
                .events
                .iter()
                .find(|event| event.wall_ms >= since && kinds.contains(&&*event.kind));
            after = heard.map_or(0, |event| event.wall_ms - since);
            heard.is_some()
        })?;
        Ok(Duration::from_millis(u64::try_from(after).unwrap_or(0)))
    }

    /// Waits for a condition, with the ladder in view; how long that took.
    pub(crate) fn wait(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) -> Result<Duration> {
        let begun = Instant::now();
        loop {
            let late = begun.elapsed() > self.gateway.patience();
            self.ladder.follow(&self.screen);
            if holds(self) {
                return Ok(begun.elapsed());
            }
            if self.interrupted.load(Ordering::SeqCst) {
                return Err(Stop::Interrupted);
            }
            if late {
                return Err(Stop::Broken(format!(
                    "waited {:?} in vain: {what}",
                    self.gateway.patience()
                )));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// For whoever has to find out why it did not heal.
    pub(crate) fn show_evidence(&self) {
        for file in [".openclaw/logs/watchdog.log", ".openclaw/watchdog/run/talk.log"] {
            let text = std::fs::read_to_string(self.env.path(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            self.screen.title(&format!("the end of ~/{file}"));
            self.screen.plain(&lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // Asked first, so that it stops its service in order; what is left after that is killed by pid with the HOME.
        if let Some(supervisor) = &mut self.supervisor {
            supervisor.signal(Signal::TERM);
            let begun = Instant::now();
            while supervisor.try_wait().is_none() && begun.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

fn wall_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
