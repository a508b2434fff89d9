//! One run of install or uninstall: what is wanted, what was done about it, and the answer.

use super::carry_out::{Hand, State, Taken};
use super::jobs::Host;
use super::manager;
use super::plan::{Seen, Step};
use crate::crontab::Crontab;
use crate::outcome::Verdict;
use crate::registration::{Job, JobKind, Registration};
use oc_core::clock::{Deadline, Stamp};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::out;
use oc_core::report::ManagerKind;
use oc_core::run::Answer;
use oc_core::service::systemd;
use oc_core::world::World;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Body of `oc.guardian.install/1`.
#[derive(Debug, Serialize)]
struct Body {
    command: &'static str,
    outcome: Verdict,
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
pub(super) struct Run<'w> {
    world: &'w World,
    command: &'static str,
    /// What does the steps.
    pub(super) hand: Hand<'w>,
    /// The steps so far.
    pub(super) taken: Vec<Taken>,
    took: Deadline,
}

impl<'w> Run<'w> {
    /// Nothing done yet.
    pub(super) fn new(world: &'w World, command: &'static str) -> Self {
        Self {
            world,
            command,
            hand: Hand::new(world),
            taken: Vec::new(),
            took: Deadline::after(Duration::ZERO),
        }
    }

    /// A record that cannot be understood is written anew; the old one is kept beside it.
    pub(super) fn recorded(&mut self) -> Result<Option<Registration>> {
        match Registration::load(&self.world.paths) {
            Err(fault) if fault.exit == Exit::Data => {
                self.hand.notes.push(fault.what);
                Ok(None)
            }
            loaded => loaded,
        }
    }

    /// What is to be registered; `cron` says why the crontab is out of the question.
    pub(super) fn wanted(
        &mut self,
        host: &Host,
        record: Option<&Registration>,
        cron: Result<(), String>,
    ) -> Result<Registration> {
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
        let files = want.jobs.iter().flat_map(|job| &job.files);
        let missing = files.flat_map(|file| file.path.ancestors().skip(1).take_while(|dir| !dir.exists()));
        want.made.extend(missing.map(Path::to_owned));
        want.made.sort();
        want.made.dedup();
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

    /// What of it is there already.
    pub(super) fn seen(&self, want: &Registration) -> Seen {
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
    pub(super) fn announce(&self, steps: &[Step]) {
        if !self.world.common.quiet && !self.world.common.dry_run {
            for step in steps {
                out::raw_talk(format_args!("  - {step}"));
            }
        }
    }

    /// Does the steps, or notes them on a dry run; stops where cron refuses, and returns why. Another step that fails does not keep
    /// the rest from being done, except that nothing is registered that could not be recorded.
    pub(super) fn carry_out(&mut self, steps: &[Step], want: Option<&Registration>) -> Option<Fault> {
        for step in steps {
            if self.world.common.dry_run {
                self.taken.push(Taken::planned(step));
                continue;
            }
            // The record is what the next uninstall goes by.
            let failed = self.taken.iter().any(|taken| taken.state == State::Failed);
            if failed && matches!(step, Step::Forget | Step::Purge(_)) {
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

    /// What the person should know besides.
    pub(super) fn advise(&mut self, host: &Host, consent: bool) {
        let notes = &mut self.hand.notes;
        let chosen = oc_core::service::chosen(self.world.config.service.manager, &self.world.paths);
        if chosen == ManagerKind::Embedded && !self.world.paths.supervise_recipe().exists() {
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

    /// How it went, with the sentence for when something, or nothing, was done.
    pub(super) fn verdict(&self, done: &str, nothing: &str) -> (Verdict, String) {
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

    /// The answer.
    pub(super) fn answer(
        self,
        manager: ManagerKind,
        record: Option<&Registration>,
        outcome: Verdict,
        reason: String,
    ) -> Result<Answer> {
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

fn job_line(job: &Job) -> JobLine {
    JobLine {
        kind: job.kind,
        manager: job.manager,
        name: job.name.clone(),
        files: job.files.iter().map(|file| file.path.clone()).collect(),
    }
}
