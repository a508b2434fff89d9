//! The throw-away HOME with one gateway under one supervisor, and waiting with the ladder in view.

use crate::gateway::Gateway;
use crate::ladder::Ladder;
use crate::screen::{Screen, Step};
use oc_testkit::trial::{Result, within};
use oc_testkit::{Output, Signal, Supervised, wall_ms};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Short: what is shown is how fast it is.
const LOOK: Duration = Duration::from_millis(2);

pub(crate) struct Stage {
    pub(crate) gateway: Gateway,
    pub(crate) service: Supervised,
    pub(crate) screen: Screen,
    pub(crate) ladder: Ladder,
    begun: Instant,
    interrupted: Arc<AtomicBool>,
}

impl Stage {
    pub(crate) fn new(screen: Screen, gateway: Gateway, interrupted: Arc<AtomicBool>) -> Self {
        let mut service = Supervised::new();
        gateway.prepare(&mut service.env, service.port);
        service.env.oc_config(&gateway.settings());
        Self {
            ladder: Ladder::new(service.env.watchdog().join("journal.jsonl"), wall_ms()),
            gateway,
            service,
            screen,
            begun: Instant::now(),
            interrupted,
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// `oc-guardian supervise -- openclaw gateway run`, passes included.
    pub(crate) fn supervise(&mut self) {
        self.service.start(&self.gateway.program());
    }

    /// A command of ours, as a person types it.
    pub(crate) fn person(&self, words: &[&str]) -> Output {
        self.service.env.cmd("oc-guardian").args(words).run()
    }

    /// Says what is done to the gateway, and when (wall clock).
    pub(crate) fn act(&self, text: &str) -> i64 {
        let now = wall_ms();
        self.screen.event(now - self.ladder.zero_ms, Step::Act, "viewer", text);
        now
    }

    pub(crate) fn kill(&self, pid: u32) {
        self.service.env.signal(pid, Signal::KILL);
    }

    /// Waits, with the ladder in view, until it serves and is another process than `old`; how long that took. Then until the
    /// supervisor has seen it too: killed before that, it would count as a start that failed.
    pub(crate) fn serves_again(&mut self, old: Option<u32>) -> Result<Duration> {
        let took = self.wait("the gateway serves again", |stage| {
            let pid = stage.service.pid();
            pid.is_some() && pid != old && stage.service.is_ready()
        })?;
        self.wait("the supervisor sees it serve", |stage| {
            stage.service.status().is_some_and(|status| status["phase"] == "up")
        })?;
        Ok(took)
    }

    /// Waits until no incident is open and one more pass has begun.
    pub(crate) fn all_quiet(&mut self) -> Result<()> {
        let last = self.service.pass();
        self.wait("a pass finds all well", |stage| {
            let count = |kind: &str| stage.ladder.events.iter().filter(|event| event.kind == kind).count();
            stage.service.pass() != last && count("incident_opened") == count("incident_closed")
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
        let interrupted = Arc::clone(&self.interrupted);
        within(self.gateway.patience(), LOOK, &interrupted, what, || {
            self.ladder.follow(&self.screen);
            holds(self)
        })?;
        Ok(begun.elapsed())
    }

    /// For whoever has to find out why it did not heal.
    pub(crate) fn show_evidence(&self) {
        for file in [".openclaw/logs/watchdog.log", ".openclaw/watchdog/run/talk.log"] {
            let text = std::fs::read_to_string(self.service.env.path(file)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            self.screen.title(&format!("the end of ~/{file}"));
            self.screen.plain(&lines[lines.len().saturating_sub(30)..].join("\n"));
        }
    }
}
