//! Where a fault is done: a HOME with one gateway under one supervisor, a webhook that hears the alerts, and an observer.

use crate::case::{Case, Keeper};
use crate::observer::{Life, Observer};
use crate::rivals::{Limits, Rival};
use crate::systemd::Cron;
use oc_testkit::providers::Providers;
use oc_testkit::trial;
pub(crate) use oc_testkit::trial::{Result, broken};
use oc_testkit::user_manager::UserManager;
use oc_testkit::{
    Cmd, Event, Journal, Output, Running, Signal, Supervised, TestEnv, bin, commented, in_seconds, merged, process,
    scripts, wall_ms,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(150);
const LOOK: Duration = Duration::from_millis(10);
/// In no file and no message but where they belong.
pub(crate) const SECRETS: [&str; 3] = ["chaos-token-5ecret", "chaos-hook-5ecret", "chaos-key-5ecret-of-nobody"];

pub(crate) struct Arena {
    // Dropped first: they may stand in the way of removing HOME.
    /// What the case started, and ends by dropping it.
    pub(crate) helpers: Vec<Running>,
    /// Anything else that must stay for as long as the fault does.
    pub(crate) kept: Vec<Box<dyn std::any::Any>>,
    pub(crate) cron: Option<Cron>,
    /// Who keeps the gateway, where that is systemd.
    pub(crate) manager: Option<UserManager>,
    pub(crate) service: Supervised,
    /// Who keeps the gateway alive in the place of our tools.
    pub(crate) rival: Option<Arc<dyn Rival>>,
    pub(crate) limits: Limits,
    pub(crate) hook: Providers,
    /// What the gateway depends on, where a case has that.
    pub(crate) upstream: Option<Providers>,
    /// What is supervised.
    pub(crate) program: PathBuf,
    /// Whether that is the real OpenClaw.
    pub(crate) real: bool,
    /// What a case wants to remember between its steps.
    pub(crate) note: String,
    pub(crate) events: Vec<Event>,
    /// The longest that any one thing may take; an outcome is never judged by it, only missed.
    pub(crate) patience: Duration,
    journal: Journal,
    observer: Option<Observer>,
    /// Who served before the fault.
    pub(crate) before: Option<Life>,
    /// The service's configuration as a person last wrote it; `None` when there is nothing to compare with.
    pub(crate) written: Option<Vec<u8>>,
    pub(crate) injected: Option<(Instant, i64)>,
    /// How many messages people had been sent before.
    told: usize,
    interrupted: Arc<AtomicBool>,
}

impl Arena {
    /// Nothing runs yet.
    pub(crate) fn new(case: &Case, real: Option<&Path>, interrupted: Arc<AtomicBool>) -> Self {
        let mut service = Supervised::new();
        let hook = Providers::new();
        let mut settings = merged(in_seconds(&hook.url("/chaos-hook-5ecret")), &calm());
        if let Some(openclaw) = real {
            oc_testkit::real::equip(&mut service.env, openclaw);
            settings = merged(settings, &crate::real::settings(&service.env));
        }
        service.env.oc_config(&merged(settings, &(case.settings)()));
        let mut arena = Self {
            cron: None,
            manager: None,
            journal: Journal::new(service.env.watchdog().join("journal.jsonl")),
            service,
            rival: None,
            limits: Limits::of(case),
            hook,
            upstream: None,
            program: real.map_or_else(|| bin("stand-in-gateway"), Path::to_owned),
            real: real.is_some(),
            patience: if real.is_some() {
                crate::real::PATIENCE
            } else {
                PATIENCE
            },
            helpers: Vec::new(),
            kept: Vec::new(),
            note: String::new(),
            events: Vec::new(),
            observer: None,
            before: None,
            written: None,
            injected: None,
            told: 0,
            interrupted,
        };
        arena.write_config(&arena.good_config());
        arena
    }

    pub(crate) const fn env(&self) -> &TestEnv {
        &self.service.env
    }

    /// From the start on, passes find a stub in `~/bin` before the tool of that name.
    pub(crate) fn stubs_first(&mut self) -> Result<()> {
        let heal = self.env().path("bin/oc-heal");
        std::fs::copy(scripts().join("oc-heal"), &heal).map_err(|e| broken(&e.to_string()))?;
        self.env()
            .configure(&json!({"service": {"supervise": {"heal_command": [heal]}}}));
        Ok(())
    }

    pub(crate) fn good_config(&self) -> String {
        // The real one would log into a directory that everybody on the machine shares.
        let log = self.env().path("gateway.log");
        let logging = format!(",\n  \"logging\": {{\"file\": \"{}\"}}", log.display());
        commented(self.service.port, SECRETS[0], &logging)
    }

    /// Writes the service's configuration as a person does.
    pub(crate) fn write_config(&mut self, text: &str) {
        self.env().write(".openclaw/openclaw.json", text);
        self.written = Some(text.as_bytes().to_vec());
    }

    /// Changes the good configuration to a bad one.
    pub(crate) fn spoil_config(&mut self, spoil: impl FnOnce(String) -> String) {
        let text = spoil(self.good_config());
        self.write_config(&text);
    }

    pub(crate) fn config_text(&self) -> String {
        std::fs::read_to_string(self.env().config_path()).unwrap_or_default()
    }

    /// Starts everything and waits until it serves and a pass has seen that.
    pub(crate) fn open(&mut self, case: &Case) -> Result<()> {
        if let Some(rival) = self.rival.clone() {
            return self.open_under(&*rival);
        }
        let space = match case.keeper {
            Keeper::Supervisor => self.supervise(case)?,
            Keeper::Systemd => {
                self.register()?;
                None
            }
        };
        self.observer = Some(Observer::new(self.service.port, self.env().gateway_lock(), space));
        self.wait("the gateway serves at first", |arena| arena.serving().is_some())?;
        self.wait("its keeper sees it serve", |arena| arena.keeper_sees_it_serve())?;
        self.wait("its first start is over", |arena| arena.quiet())?;
        self.passes(2)?;
        // One slow look more, and the fault would be done to nobody.
        self.wait("it still serves", |arena| {
            arena.before = arena.serving();
            arena.before.is_some()
        })
    }

    /// Returns where to look for it, if that is a network of its own.
    fn supervise(&mut self, case: &Case) -> Result<Option<PathBuf>> {
        let words = self.service.words(&self.program);
        let namespace = case.namespace.map(|setup| {
            let script = format!("{setup}; exec \"$@\"");
            let guardian = bin("oc-guardian").display().to_string();
            let unshare = self
                .env()
                .foreign("unshare")
                .args(["--net", "sh", "-c", &script, "sh", &guardian]);
            unshare.args(&words)
        });
        let spaced = namespace.is_some();
        let command = namespace.unwrap_or_else(|| self.env().cmd("oc-guardian").args(&words));
        self.service.start_as(command);
        if !spaced {
            return Ok(None);
        }
        self.wait("the supervisor runs", |arena| arena.service.status().is_some())?;
        let pid = self.service.supervisor().map_or(0, |supervisor| supervisor.pid());
        Ok(Some(PathBuf::from(format!("/proc/{pid}/ns/net"))))
    }

    /// Ends in order what `open` started.
    pub(crate) fn end(&mut self) {
        self.cron = None;
        if let Some(mut manager) = self.manager.take() {
            manager.shut_down(self.env());
        }
        self.service.end();
    }

    /// The same under a rival, which is at rest when its grace for a start is over.
    fn open_under(&mut self, rival: &dyn Rival) -> Result<()> {
        let command = rival.command(self).map_err(|why| broken(&why))?;
        self.service.start_as(command);
        self.observer = Some(Observer::new(self.service.port, self.env().gateway_lock(), None));
        self.wait("the gateway serves at first", |arena| arena.serving().is_some())?;
        let served = Instant::now();
        self.wait("the grace for its start is over", |_| served.elapsed() > rival.grace())?;
        self.before = self.serving();
        Ok(())
    }

    /// Whether the supervisor that was started runs.
    pub(crate) fn supervised(&mut self) -> bool {
        if self.rival.is_some() {
            let supervisor = self.service.supervisor();
            return supervisor.is_some_and(|supervisor| supervisor.try_wait().is_none());
        }
        let pid = self
            .service
            .status()
            .and_then(|status| status["supervisor"]["pid"].as_u64());
        pid.and_then(|pid| u32::try_from(pid).ok()).is_some_and(process::alive)
    }

    /// What brings a supervisor back that has died: cron's guardian; for a rival, whatever starts it at boot.
    pub(crate) fn revive(&mut self) -> Result<()> {
        if let Some(rival) = self.rival.clone() {
            let command = rival.command(self).map_err(|why| broken(&why))?;
            self.service.start_as(command);
            return Ok(());
        }
        self.wait("the guardian puts a supervisor back", |arena| {
            let ensure = arena.env().cmd("oc-guardian").arg("ensure");
            ensure.timeout(arena.patience).run();
            arena.supervised()
        })
    }

    /// Marks the moment of the fault: the beginning of its injection, unless that says otherwise.
    pub(crate) fn mark(&mut self) {
        self.injected = Some((Instant::now(), wall_ms()));
        self.told = self.hook.accepted().len();
    }

    /// What people were sent since then, as `event: title`.
    pub(crate) fn alerts(&self) -> Vec<String> {
        let word = |body: &Value, key: &str| body[key].as_str().unwrap_or("?").to_owned();
        let accepted = self.hook.accepted();
        let messages = accepted.iter().skip(self.told);
        messages
            .filter(|taken| taken.body["schema"].is_string())
            .map(|taken| format!("{}: {}", word(&taken.body, "event"), word(&taken.body, "title")))
            .collect()
    }

    pub(crate) fn serving(&self) -> Option<Life> {
        self.observer.as_ref().and_then(Observer::serving)
    }

    pub(crate) fn sights(&self) -> Vec<crate::observer::Sight> {
        self.observer.as_ref().map(Observer::sights).unwrap_or_default()
    }

    /// It was seen not to serve since the fault, or somebody else serves.
    pub(crate) fn out(&self) -> bool {
        let Some((since, _)) = self.injected else { return false };
        let differs = |sight: &crate::observer::Sight| sight.at >= since && sight.serving != self.before;
        self.sights().iter().any(differs)
    }

    /// Systemd takes it for up as soon as it is started; what a rival thinks, we do not ask.
    pub(crate) fn keeper_sees_it_serve(&self) -> bool {
        let up = |status: Value| status["phase"] == "up";
        self.manager.is_some() || self.rival.is_some() || self.service.status().is_some_and(up)
    }

    /// The service's process, which there must be.
    pub(crate) fn pid(&self) -> Result<u32> {
        let pid = self.service.pid().or_else(|| self.env().gateway_pid());
        pid.ok_or_else(|| broken("nobody knows its process"))
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.env().signal(self.pid()?, signal);
        Ok(())
    }

    pub(crate) fn upstream(&self) -> Result<&Providers> {
        self.upstream.as_ref().ok_or_else(|| broken("the case has no upstream"))
    }

    /// The process that runs now has these faults; its successor is well.
    pub(crate) fn fault_here(&self, change: impl FnOnce(&mut oc_testkit::Faults)) -> Result<()> {
        let pid = self.pid()?;
        self.env().fault(|f| {
            f.only_pid = Some(pid);
            change(f);
        });
        Ok(())
    }

    /// One pass by hand.
    pub(crate) fn heal(&self) -> Cmd {
        self.env().foreign(scripts().join("oc-heal")).timeout(self.patience)
    }

    /// A command of ours, as a person types it; it must exit with one of `codes`.
    ///
    /// A rival gets its own word for it, whose exit code says nothing to us.
    pub(crate) fn person(&self, words: &[&str], codes: &[i32]) -> Result<Output> {
        if let Some(rival) = &self.rival {
            let line = rival.person(words).unwrap_or_else(|| ":".to_owned());
            let shell = self.env().foreign("sh").args(["-c", &line]);
            return Ok(shell.timeout(self.patience).run());
        }
        trial::person(self.env(), words, codes, self.patience)
    }

    /// Waits until so many passes have begun and the last of them, hence all, is followed by another.
    ///
    /// A rival gets the time for as many of its rounds.
    pub(crate) fn passes(&mut self, count: usize) -> Result<()> {
        if let Some(rival) = &self.rival {
            let (begun, time) = (Instant::now(), rival.time(count));
            return self.wait("a rival's rounds", |_| begun.elapsed() > time);
        }
        let (mut seen, mut last) = (0, self.service.pass());
        self.wait(&format!("{count} passes"), |arena| {
            let now = arena.service.pass();
            if now.is_some() && now != last {
                seen += 1;
                last = now;
            }
            seen > count
        })
    }

    /// Waits until the journal says so after the fault.
    pub(crate) fn hears(&mut self, kind: &str) -> Result<()> {
        self.wait(&format!("the journal says {kind}"), |arena| arena.heard(kind).is_some())
    }

    /// The first event of this kind since the fault.
    pub(crate) fn heard(&self, kind: &str) -> Option<&Event> {
        let since = self.injected.map_or(0, |(_, wall_ms)| wall_ms);
        self.events
            .iter()
            .find(|event| event.wall_ms >= since && event.kind == kind)
    }

    /// How often the journal says so, ever.
    pub(crate) fn count(&self, kind: &str) -> usize {
        self.events.iter().filter(|event| event.kind == kind).count()
    }

    /// No incident is open.
    pub(crate) fn quiet(&self) -> bool {
        self.count("incident_opened") <= self.count("incident_closed")
    }

    /// Waits for a condition.
    pub(crate) fn wait(&mut self, what: &str, holds: impl FnMut(&mut Self) -> bool) -> Result<()> {
        self.within(self.patience, what, holds)
    }

    /// Waits for a condition this long at most.
    pub(crate) fn within(
        &mut self,
        ceiling: Duration,
        what: &str,
        mut holds: impl FnMut(&mut Self) -> bool,
    ) -> Result<()> {
        let interrupted = Arc::clone(&self.interrupted);
        trial::within(ceiling, LOOK, &interrupted, what, || {
            self.follow();
            holds(self)
        })
    }

    pub(crate) fn follow(&mut self) {
        self.events.extend(self.journal.fresh());
    }
}

/// A machine under load must not be taken for one that has slept.
fn calm() -> Value {
    json!({"policy": {"hold": {"wake_intervals": 60}}})
}
