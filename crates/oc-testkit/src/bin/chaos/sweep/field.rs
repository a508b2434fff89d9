//! Where one point of the sweep happens: a HOME with a gateway under a supervisor that starts no passes by itself.

use super::Scenario;
use crate::arena::SECRETS;
use oc_testkit::providers::Providers;
use oc_testkit::{
    Event, Hostile, Journal, Output, Running, Signal, Supervised, TestEnv, at_once, bin, commented, merged, process,
    scripts, wait_until,
};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::time::Duration;

/// The longest that any one thing may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

pub(super) struct Field {
    pub(super) service: Supervised,
    pub(super) hook: Providers,
    /// What a person last wrote; `None` when there is nothing to compare with.
    pub(super) config: Option<Vec<u8>>,
    /// Dropped with it: what a scenario starts beside.
    pub(super) kept: Vec<Box<dyn std::any::Any>>,
}

impl Field {
    pub(super) fn new(settings: &Value) -> Self {
        let service = Supervised::new();
        let hook = Providers::new();
        let common = json!({
            "service": {"stop_timeout": "60s"},
            "notify": {"webhook": {"url": hook.url("/chaos-hook-5ecret")}, "opened_after": "0s"},
        });
        let common = merged(at_once(), &common);
        service.env.oc_config(&merged(common, settings));
        let mut field = Self {
            service,
            hook,
            config: None,
            kept: Vec::new(),
        };
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(field.env().watchdog(), private).unwrap_or_else(|e| panic!("{e}"));
        let good = field.good_config();
        field.write_config(&good);
        field
    }

    pub(super) fn good_config(&self) -> String {
        commented(self.service.port, SECRETS[0], "")
    }

    /// Writes the service's configuration as a person does.
    pub(super) fn write_config(&mut self, text: &str) {
        self.env().write(".openclaw/openclaw.json", text);
        self.config = Some(text.as_bytes().to_vec());
    }

    pub(super) fn config_text(&self) -> String {
        std::fs::read_to_string(self.env().config_path()).unwrap_or_default()
    }

    pub(super) const fn env(&self) -> &TestEnv {
        &self.service.env
    }

    /// The words that supervise the gateway.
    pub(super) fn supervise(&self) -> Vec<String> {
        let mut words = self.service.words(&bin("stand-in-gateway"));
        words.insert(1, "--no-heal".to_owned());
        words
    }

    /// Starts supervisor and gateway.
    pub(super) fn start(&mut self) {
        let words = self.supervise();
        let command = self.env().cmd("oc-guardian").args(words);
        self.service.start_as(command);
    }

    /// Starts them and waits until it serves and the supervisor knows that.
    pub(super) fn serve(&mut self) {
        self.start();
        self.wait("it serves", |field| field.service.is_ready() && field.phase() == "up");
    }

    pub(super) fn phase(&self) -> String {
        let phase = self.service.status().map(|status| status["phase"].clone());
        phase
            .and_then(|phase| Some(phase.as_str()?.to_owned()))
            .unwrap_or_default()
    }

    /// The process that runs now answers 503; its successor is well. (A hang would be measured, and with it the machine.)
    pub(super) fn fail(&self) {
        let pid = self.service.pid();
        self.env().fault(|f| {
            f.only_pid = pid;
            f.hostile = Some(Hostile::Status(503));
        });
        self.wait("it fails", |field| !field.service.is_ready());
    }

    pub(super) fn wait(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        wait_until(what, PATIENCE, || holds(self));
    }

    /// Runs the scenario's command and kills it at this step; returns the steps that were made.
    pub(super) fn under_kill(&mut self, scenario: &Scenario, step: Option<usize>) -> Vec<String> {
        let list = self.env().path("steps");
        let mut command = self
            .env()
            .cmd("kill-at")
            .args(["--tool", scenario.tool, "--list"])
            .arg(&list);
        if let Some(step) = step {
            command = command.args(["--step", &step.to_string()]);
        }
        let mut running = command.arg("--").args((scenario.command)(self)).spawn();
        (scenario.beside)(self, &mut running);
        self.hour_passes();
        let text = std::fs::read_to_string(list).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What a writer leaves unfinished counts as left only after a while.
    fn hour_passes(&self) {
        for file in oc_testkit::invariants::unfinished(self.env().home()) {
            let hour_ago = std::time::SystemTime::now() - Duration::from_secs(3600);
            let aged = std::fs::File::open(&file).and_then(|file| file.set_modified(hour_ago));
            // A writer that lives may have finished meanwhile.
            aged.or_else(|error| {
                if error.kind() == ErrorKind::NotFound {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .unwrap_or_else(|error| panic!("cannot age {}: {error}", file.display()));
        }
    }

    pub(super) fn wait_end(running: &mut Running) {
        wait_until("the command ends", PATIENCE, || running.try_wait().is_some());
    }

    /// A command of ours, as a person or cron calls it.
    pub(super) fn call(&self, words: &[&str]) -> Output {
        self.env().cmd(words[0]).args(&words[1..]).timeout(PATIENCE).run()
    }

    pub(super) fn pass(&self) -> i32 {
        self.env()
            .foreign(scripts().join("oc-heal"))
            .timeout(PATIENCE)
            .run()
            .code
    }

    /// Passes until one says that all is well.
    pub(super) fn heal_until_well(&mut self) {
        let mut codes = Vec::new();
        wait_until("a pass that exits 0, and it serves", PATIENCE, || {
            codes.push(self.pass());
            codes.last() == Some(&0) && self.service.is_ready() && self.phase() == "up"
        });
    }

    /// Passes until one says that all is well, and what is done now and then beside them.
    pub(super) fn passes(&mut self) {
        self.heal_until_well();
        self.upkeep();
    }

    /// What supervisor and cron call every few minutes.
    pub(super) fn upkeep(&self) {
        self.call(&["oc-doctor", "snapshot", "--auto", "--quiet"]);
        self.call(&["oc-notify", "heartbeat", "--quiet"]);
        self.call(&["oc-guardian", "ensure", "--quiet"]);
    }

    /// As cron does it: whatever was there before is put back.
    pub(super) fn ensure_until_well(&mut self) {
        wait_until("the guardian says that all is in place", PATIENCE, || {
            self.call(&["oc-guardian", "ensure"]).code == 0
        });
        self.passes();
    }

    pub(super) fn events(&self) -> Vec<Event> {
        Journal::new(self.env().watchdog().join("journal.jsonl")).fresh()
    }

    /// Starts it with a configuration without the required key, so that it exits with 78.
    pub(super) fn start_broken(&mut self) {
        let broken = self
            .good_config()
            .replace("\"mode\": \"local\", // important\n    ", "");
        self.write_config(&broken);
        self.start();
        self.wait("it exits with 78", |field| {
            let status = field.service.status();
            status.is_some_and(|status| status["exits"].as_array().is_some_and(|exits| !exits.is_empty()))
        });
    }

    /// The comments are a person's.
    pub(super) fn repaired_in_place(&self) -> Option<String> {
        let text = self.config_text();
        (!text.contains("\"mode\": \"local\"") || !text.contains("// mine"))
            .then(|| "the configuration was not repaired in place".to_owned())
    }

    /// As [`Field::call`], by somebody who needs it to work.
    pub(super) fn must(&self, words: &[&str]) {
        let output = self.call(words);
        let said = format!("{words:?} exited with {}: {}", output.code, output.stderr);
        if output.code != 0 {
            panic!("{said}");
        }
    }

    /// Exactly one gateway, and it has been started at most so often by others than a pass.
    pub(super) fn one_gateway(&self, most: u64) -> Vec<String> {
        let running = self.gateways().len();
        let boots = self.boots();
        // A machine under load lets a probe fail; what is done then is in the journal.
        let most = most.saturating_add(self.count("attempt") as u64);
        let mut found = Vec::new();
        if running != 1 {
            found.push(format!("{running} gateways run"));
        }
        if boots > most {
            found.push(format!("it was started {boots} times where {most} are right"));
        }
        found
    }

    pub(super) fn gateways(&self) -> Vec<u32> {
        self.running("stand-in-gateway")
    }

    /// Processes here whose program is called so.
    fn running(&self, name: &str) -> Vec<u32> {
        let is = |pid: &u32| {
            let line = process::command_line(*pid);
            line.split(' ').next().is_some_and(|program| program.ends_with(name))
        };
        self.env().processes().into_iter().filter(is).collect()
    }

    pub(super) fn count(&self, kind: &str) -> usize {
        self.events().iter().filter(|event| event.kind == kind).count()
    }

    /// How often a gateway began to run, by its own record.
    pub(super) fn boots(&self) -> u64 {
        self.env().boots()
    }

    /// Messages that people were sent about this.
    pub(super) fn told(&self, event: &str) -> Vec<Value> {
        let accepted = self.hook.accepted().into_iter().map(|taken| taken.body);
        accepted.filter(|body| body["event"] == event).collect()
    }

    pub(super) fn all_told(&self) -> Vec<String> {
        let accepted = self.hook.accepted().into_iter();
        accepted
            .map(|taken| format!("{}: {}", taken.body["event"], taken.body["title"]))
            .collect()
    }

    /// One incident, begun and ended and told of in the journal; at most so many attempts; no start that is not accounted for.
    pub(super) fn one_incident(&self, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        for kind in ["incident_opened", "incident_closed"] {
            let count = self.count(kind);
            if count != 1 {
                found.push(format!("{count} times {kind} instead of once"));
            }
        }
        let attempts = self.count("attempt");
        if attempts == 0 || attempts > most {
            found.push(format!("{attempts} attempts where 1 to {most} are right"));
        }
        let (boots, starts) = (self.boots(), self.count("started") as u64);
        if boots > starts {
            found.push(format!(
                "{boots} processes of the gateway and only {starts} in the journal"
            ));
        }
        let acted = |event: &&Event| event.kind == "outcome" && event.tool == "oc-guardian";
        for event in self.events().iter().filter(acted) {
            let (Some(incident), Some(run)) = (&event.incident, &event.run) else {
                continue;
            };
            if !self
                .env()
                .watchdog()
                .join("incidents")
                .join(incident)
                .join(run)
                .is_dir()
            {
                found.push(format!("the files of pass {run}, which acted, are lost"));
            }
        }
        found.extend(self.one_gateway(u64::MAX));
        found
    }

    /// Ends everything in order; whatever is still there after that was forgotten.
    pub(super) fn end(&mut self) {
        self.kept.clear();
        self.service.end();
        // A gateway whose supervisor was killed is nobody's; launchd first, or it would start another.
        for name in ["launchctl", "stand-in-gateway"] {
            for pid in self.running(name) {
                self.env().signal(pid, Signal::KILL);
            }
        }
        self.wait("every process has ended", |field| field.env().processes().is_empty());
    }
}
