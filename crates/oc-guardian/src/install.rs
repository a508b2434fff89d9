//! Registering the jobs of an instance, and taking them away again: look, plan, print the plan, carry it out, look again.

mod carry_out;
mod consent;
mod jobs;
pub(crate) mod manager;
mod plan;
mod predecessor;
pub mod render;
mod settings;
mod templates;

use crate::crontab::Crontab;
use crate::registration::{JobKind, Registration};
use carry_out::{Hand, State, Taken};
use jobs::Host;
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::out;
use oc_core::report::ManagerKind;
use oc_core::run::Answer;
use oc_core::service::systemd;
use oc_core::world::World;
use plan::{Seen, Step};
use serde::Serialize;
use settings::{Setting, SettingValue};
use std::path::PathBuf;
use std::time::Duration;

/// How long a healing that is under way is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What a person asked of install.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Time between two passes.
    pub interval: Option<Duration>,
    /// Leave the crontab alone.
    pub no_cron: bool,
    /// Leave launchd and systemd alone.
    pub no_service: bool,
    /// Put the predecessor's jobs out of action.
    pub takeover: bool,
    /// Consent to the AI doctor, by this agent.
    pub agent: Option<String>,
}

/// Body of `oc.guardian.install/1`.
#[derive(Debug, Serialize)]
struct Body {
    command: &'static str,
    outcome: crate::outcome::Verdict,
    reason: String,
    manager: ManagerKind,
    steps: Vec<Taken>,
    notes: Vec<String>,
    jobs: Vec<JobLine>,
    crontab: bool,
    took_ms: u64,
    dry_run: bool,
}

/// A registered job, for scripts.
#[derive(Debug, Serialize)]
struct JobLine {
    kind: JobKind,
    manager: ManagerKind,
    name: String,
    files: Vec<PathBuf>,
}

/// One run of install or uninstall.
struct Run<'w> {
    world: &'w World,
    command: &'static str,
    hand: Hand<'w>,
    taken: Vec<Taken>,
    took: Deadline,
}

/// See `oc-guardian install --help`. 0 done or nothing to do, 1 refused, 2 tried and not all of it done.
///
/// # Errors
/// 65 for paths that no definition can carry, 69 without oc-heal, 75 while a healing is under way, 74, 77, 78.
pub fn install(world: &World, wishes: &Wishes) -> Result<Answer> {
    let mut run = Run::new(world, "install");
    let record = run.recorded()?;
    let interval = wishes.interval.unwrap_or(world.config.policy.interval.get());
    let mut host = Host::look(world, interval)?;
    if wishes.no_service {
        host.manager = ManagerKind::Embedded;
    }
    let crontab = Crontab::new(world.instance(), world.common.timeout);
    let text = if wishes.no_cron { Ok(Vec::new()) } else { crontab.read() };
    let found = predecessor::search(&host, text.as_deref().unwrap_or_default());
    if !found.is_empty() && !wishes.takeover {
        let list: Vec<String> = found.iter().map(ToString::to_string).collect();
        let reason = format!(
            "an earlier self-healing system is still scheduled, and two healers fight: {}",
            list.join("; ")
        );
        run.hand.notes.push(
            "`oc-guardian install --takeover` puts it out of action and keeps its files; settings in .env go on working".to_owned(),
        );
        return run.answer(host.manager, record.as_ref(), crate::outcome::Verdict::Refused, reason);
    }
    let may_ask = !world.common.dry_run && !world.common.quiet && !world.common.json;
    let mut wanted = consent::settings(&world.config.agent, wishes.agent.as_deref(), may_ask);
    let consent = wanted.iter().any(|s| s.key == ("agent", "enabled")) != world.config.agent.enabled;
    wanted.extend(cadence(world, wishes));
    let mut first: Vec<Step> = found.into_iter().map(Step::TakeOver).collect();
    if !wanted.is_empty() {
        first.push(Step::Set(wanted));
    }
    let lock = if world.common.dry_run {
        None
    } else {
        Some(patient_lock(world)?)
    };
    let cron = match text {
        Err(fault) => Err(fault.what),
        Ok(_) if wishes.no_cron => Err("you said so (--no-cron)".to_owned()),
        Ok(_) => Ok(()),
    };
    let mut want = run.wanted(&host, record.as_ref(), cron)?;
    let mut steps = plan::steps(record.as_ref(), Some(&want), &run.seen(&want));
    steps.splice(0..0, first);
    run.announce(&steps);
    if let Some(fault) = run.carry_out(&steps, Some(&want)) {
        // Found out only when writing: another schedule takes its place.
        want = run.wanted(&host, record.as_ref(), Err(fault.what))?;
        let steps = plan::steps(record.as_ref(), Some(&want), &run.seen(&want));
        run.announce(&steps);
        run.carry_out(&steps, Some(&want));
    }
    drop(lock);
    run.finish(&mut want)?;
    run.advise(&host, &want, consent);
    let (verdict, reason) = run.verdict("installed", "all in place already; nothing changed");
    run.answer(host.manager, Some(&want), verdict, reason)
}

/// See `oc-guardian uninstall --help`. 0 done or nothing to do, 1 refused, 2 tried and not all of it done.
///
/// # Errors
/// 65 when the record cannot be understood, 75 while a healing is under way, 74, 77.
pub fn uninstall(world: &World, purge: bool) -> Result<Answer> {
    let mut run = Run::new(world, "uninstall");
    let record = Registration::load(&world.paths)?;
    let manager = oc_core::service::chosen(world.config.service.manager, &world.paths);
    let supervised = oc_core::service::embedded::Dir::new(world.paths.supervise()).supervised();
    if purge && supervised {
        let reason = "the embedded supervisor of this instance is at work in that directory; end it first";
        return run.answer(
            manager,
            record.as_ref(),
            crate::outcome::Verdict::Refused,
            reason.to_owned(),
        );
    }
    // An install that was ended between its first two steps left lines without a record.
    let crontab = record.is_none()
        && run
            .hand
            .crontab()
            .read()
            .is_ok_and(|text| crate::crontab::mentions(&text, world.instance()));
    let seen = Seen {
        crontab,
        ..Seen::default()
    };
    let mut steps = plan::steps(record.as_ref(), None, &seen);
    if purge && world.paths.watchdog().is_dir() {
        steps.push(Step::Purge(world.paths.watchdog().to_owned()));
    }
    let lock = if world.common.dry_run || steps.is_empty() {
        None
    } else {
        Some(patient_lock(world)?)
    };
    run.announce(&steps);
    run.carry_out(&steps, None);
    if let Some(record) = record.as_ref().filter(|_| !world.common.dry_run) {
        carry_out::remove_made(&record.made);
    }
    drop(lock);
    if !purge && !run.taken.is_empty() && !world.common.dry_run {
        world
            .journal
            .note(&world.event(Kind::Guardian, "the jobs of this instance were uninstalled"));
    }
    if world.paths.taken_over().join("undo").exists() {
        let place = world.paths.taken_over().join("undo");
        run.hand.notes.push(format!(
            "how the earlier system comes back stands in {}",
            place.display()
        ));
    }
    let (verdict, reason) = run.verdict("uninstalled", "nothing is installed");
    run.answer(manager, None, verdict, reason)
}

/// A pass is over within a moment, mostly; a person is not sent away for that.
fn patient_lock(world: &World) -> Result<HealingLock> {
    let deadline = Deadline::after(world.common.deadline.unwrap_or(PATIENCE));
    loop {
        match HealingLock::acquire(&world.paths.healing_lock()) {
            Err(fault) if fault.exit == Exit::Busy && !deadline.passed() => {
                pause(Duration::from_millis(100));
            }
            done => return done,
        }
    }
}

/// A time between passes that is not the configured one is written down: the policy measures lateness by it.
fn cadence(world: &World, wishes: &Wishes) -> Option<Setting> {
    let interval = wishes
        .interval
        .filter(|interval| *interval != world.config.policy.interval.get())?;
    Some(Setting {
        key: ("policy", "interval"),
        value: SettingValue::Text(format!("{}s", interval.as_secs().max(1))),
    })
}

impl<'w> Run<'w> {
    fn new(world: &'w World, command: &'static str) -> Self {
        Self {
            world,
            command,
            hand: Hand::new(world),
            taken: Vec::new(),
            took: Deadline::after(Duration::ZERO),
        }
    }

    /// A record that cannot be understood is written anew; the old one is kept beside it.
    fn recorded(&mut self) -> Result<Option<Registration>> {
        match Registration::load(&self.world.paths) {
            Err(fault) if fault.exit == Exit::Data => {
                self.hand.notes.push(fault.what);
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// What is to be registered; `cron` says why the crontab is out of the question.
    fn wanted(&mut self, host: &Host, record: Option<&Registration>, cron: Result<(), String>) -> Result<Registration> {
        let with_manager = host.manager != ManagerKind::Embedded;
        let mut want = Registration {
            instance: self.world.instance().to_owned(),
            installed: Stamp::now(),
            programs: host.programs.clone(),
            jobs: Vec::new(),
            crontab: None,
            made: record.map(|record| record.made.clone()).unwrap_or_default(),
        };
        let cron = cron.and_then(|()| host.cron(!with_manager).map_err(|fault| fault.what));
        if with_manager {
            let known = record.and_then(|record| record.job(JobKind::Gateway));
            match host.gateway(known)? {
                Some(gateway) => want.put(gateway),
                None => self.hand.notes.push(format!(
                    "the service has no definition at {}: after `openclaw gateway install` (or with service.command in config.json) run this again",
                    host.gateway_path().display()
                )),
            }
            want.put(host.watchdog()?);
        }
        match cron {
            Ok(lines) => want.crontab = Some(lines),
            Err(why) if with_manager => {
                self.hand.notes.push(format!(
                    "no cron: {why}; the guardian is a job of its own instead, in the same house as what it guards"
                ));
                want.put(host.guardian()?);
            }
            Err(why) => self.hand.notes.push(format!(
                "no cron: {why}; have something else run `oc-guardian ensure` every 3 minutes"
            )),
        }
        // What stays the same keeps its time, so that a second install changes nothing.
        if let Some(record) = record {
            for job in &mut want.jobs {
                let same = record
                    .jobs
                    .iter()
                    .find(|old| old.kind == job.kind && old.name == job.name && old.files == job.files);
                if let Some(old) = same {
                    job.recorded = old.recorded.clone();
                }
            }
            let now = std::mem::replace(&mut want.installed, record.installed.clone());
            if want != *record {
                want.installed = now;
            }
        }
        Ok(want)
    }

    fn seen(&self, want: &Registration) -> Seen {
        let files = want.jobs.iter().flat_map(|job| &job.files);
        let same = files.filter(|file| file.is_there());
        let cron = Crontab::new(self.world.instance(), self.world.common.timeout);
        Seen {
            files: same.map(|file| file.path.clone()).collect(),
            registered: want
                .jobs
                .iter()
                .filter(|job| manager::registered(job))
                .map(|job| job.name.clone())
                .collect(),
            crontab: want
                .crontab
                .as_ref()
                .is_some_and(|lines| cron.present(lines).unwrap_or(false)),
        }
    }

    /// Says what will be done before it is done.
    fn announce(&self, steps: &[Step]) {
        if !self.world.common.quiet && !self.world.common.dry_run {
            for step in steps {
                out::raw_talk(format_args!("  - {step}"));
            }
        }
    }

    /// Does the steps, or notes them on a dry run; stops where cron refuses, and returns why. Another step that fails does not keep
    /// the rest from being done, except that nothing is registered that could not be recorded.
    fn carry_out(&mut self, steps: &[Step], want: Option<&Registration>) -> Option<Fault> {
        for step in steps {
            if self.world.common.dry_run {
                self.taken.push(Taken::planned(step));
                continue;
            }
            match self.hand.take(step, want) {
                Ok(()) => self.taken.push(Taken::new(step, Ok(()))),
                Err(fault) if matches!(step, Step::PutCron(_)) => return Some(fault),
                Err(fault) => {
                    self.taken.push(Taken::new(step, Err(&fault)));
                    if matches!(step, Step::Record | Step::TakeOver(_)) {
                        break;
                    }
                }
            }
        }
        None
    }

    /// Writes down what had to be made on the way, and who changed something.
    fn finish(&mut self, want: &mut Registration) -> Result<()> {
        if self.world.common.dry_run || self.taken.is_empty() {
            return Ok(());
        }
        if !self.hand.made.is_empty() {
            want.made.append(&mut self.hand.made);
            want.made.sort();
            want.made.dedup();
            want.save(&self.world.paths)?;
        }
        self.world.journal.note(
            &self
                .world
                .event(Kind::Guardian, "the jobs of this instance were installed"),
        );
        Ok(())
    }

    /// What the person should know besides.
    fn advise(&mut self, host: &Host, want: &Registration, consent: bool) {
        let notes = &mut self.hand.notes;
        if want.jobs.is_empty() {
            notes.push("no service manager is used: something has to run `oc-guardian supervise -- COMMAND` once; cron then keeps it there".to_owned());
        }
        if !consent {
            notes.push("the AI doctor is off (agent.enabled): after restarts and repairs a person is called; `oc-guardian install --agent claude` switches it on".to_owned());
        }
        if host.manager == ManagerKind::Systemd && systemd::lingers() == Some(false) {
            notes.push(format!(
                "your units end when you log out; `{}` keeps them",
                systemd::LINGER
            ));
        }
        let elsewhere = host.home().join("openclaw/.env");
        if elsewhere.exists() {
            let (from, to) = (elsewhere.display(), self.world.paths.dotenv());
            notes.push(format!("{from} is not read; put its lines into {}", to.display()));
        }
    }

    fn verdict(&self, done: &str, nothing: &str) -> (crate::outcome::Verdict, String) {
        use crate::outcome::Verdict;
        let failed: Vec<String> = self
            .taken
            .iter()
            .filter_map(|taken| Some(format!("{}: {}", taken.text, taken.error.as_ref()?)))
            .collect();
        if !failed.is_empty() {
            return (Verdict::Failed, failed.join("; "));
        }
        if self.taken.is_empty() {
            return (Verdict::Unchanged, nothing.to_owned());
        }
        let reason = if self.world.common.dry_run {
            format!("{} steps, none done", self.taken.len())
        } else {
            done.to_owned()
        };
        (Verdict::Done, reason)
    }

    fn answer(
        self,
        manager: ManagerKind,
        record: Option<&Registration>,
        outcome: crate::outcome::Verdict,
        reason: String,
    ) -> Result<Answer> {
        use crate::outcome::Verdict;
        let dry_run = self.world.common.dry_run;
        let mut text = String::new();
        if dry_run {
            text.push_str("dry run: ");
        }
        text.push_str(&format!("{reason}\n"));
        for taken in self.taken.iter().filter(|taken| taken.state == State::Planned) {
            text.push_str(&format!("  - {}\n", taken.text));
        }
        for note in &self.hand.notes {
            text.push_str(&format!("  note: {note}\n"));
        }
        let (exit, verdict) = match outcome {
            Verdict::Done => (Exit::Good, "done"),
            Verdict::Unchanged => (Exit::Good, "unchanged"),
            Verdict::Refused => (Exit::Answer(1), "refused"),
            Verdict::Failed => (Exit::Answer(2), "failed"),
        };
        let body = Body {
            command: self.command,
            outcome,
            reason,
            manager,
            steps: self.taken,
            notes: self.hand.notes,
            jobs: record
                .into_iter()
                .flat_map(|record| &record.jobs)
                .map(job_line)
                .collect(),
            crontab: record.is_some_and(|record| record.crontab.is_some()),
            took_ms: u64::try_from(self.took.elapsed().as_millis()).unwrap_or(u64::MAX),
            dry_run,
        };
        Ok(Answer::new("oc.guardian.install/1", exit, verdict, &body)?.text(text))
    }
}

fn job_line(job: &crate::registration::Job) -> JobLine {
    JobLine {
        kind: job.kind,
        manager: job.manager,
        name: job.name.clone(),
        files: job.files.iter().map(|file| file.path.clone()).collect(),
    }
}
