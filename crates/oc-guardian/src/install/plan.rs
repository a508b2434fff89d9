//! What is to be done, from what is wanted, what was recorded and what is there. Pure; a dry run prints it.

use super::predecessor::Found;
use super::settings::Setting;
use crate::registration::{Definition, Job, JobKind, Owner, Registration};
use oc_core::report::ManagerKind;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// One step, in the order in which they are carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Put jobs of the predecessor out of action.
    TakeOver(Found),
    /// Write settings into our config.json.
    Set(Vec<Setting>),
    /// Write down what is about to be registered.
    Record,
    /// Take our lines out of the crontab.
    TakeOutCron(String),
    /// Take a job away from its manager.
    Unregister(ManagerKind, String),
    /// Remove a file of ours.
    Remove(PathBuf),
    /// Write a definition.
    Write(Definition),
    /// Have systemd read the units on disk.
    Reload,
    /// Have our lines in the crontab.
    PutCron(String),
    /// Have a job loaded, enabled and begun.
    Register(Job),
    /// Forget what was registered.
    Forget,
    /// Remove our state.
    Purge(PathBuf),
}

impl Step {
    /// One word for scripts.
    #[must_use]
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::TakeOver(_) => "take_over",
            Self::Set(_) => "set",
            Self::Record => "record",
            Self::TakeOutCron(_) | Self::PutCron(_) => "crontab",
            Self::Unregister(..) => "unregister",
            Self::Remove(_) => "remove",
            Self::Write(_) => "write",
            Self::Reload => "reload",
            Self::Register(_) => "register",
            Self::Forget => "forget",
            Self::Purge(_) => "purge",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |lines: &str| lines.trim_end().replace('\n', "\n      ");
        match self {
            Self::TakeOver(found) => write!(f, "take over from the predecessor: {found}"),
            Self::Set(settings) => {
                let settings: Vec<String> = settings.iter().map(Setting::to_string).collect();
                write!(f, "set in config.json: {}", settings.join("; "))
            }
            Self::Record => f.write_str("record what is registered"),
            Self::TakeOutCron(_) => f.write_str("take our lines out of the crontab"),
            Self::Unregister(manager, name) => write!(f, "take {name} away from {}", manager_name(*manager)),
            Self::Remove(path) => write!(f, "remove {}", path.display()),
            Self::Write(file) => write!(f, "write {}", file.path.display()),
            Self::Reload => f.write_str("have systemd read its units anew"),
            Self::PutCron(lines) => write!(f, "put into the crontab:\n      {}", list(lines)),
            Self::Register(job) => {
                let manager = manager_name(job.manager);
                write!(f, "register the {} at {manager}: {}", job.kind.name(), job.name)
            }
            Self::Forget => f.write_str("forget what was registered"),
            Self::Purge(dir) => write!(f, "remove our state: {}", dir.display()),
        }
    }
}

fn manager_name(manager: ManagerKind) -> &'static str {
    match manager {
        ManagerKind::Launchd => "launchd",
        ManagerKind::Systemd => "systemd",
        ManagerKind::Embedded => "the embedded supervisor",
    }
}

/// What is there already.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Files that are byte for byte as wanted.
    pub(super) files: BTreeSet<PathBuf>,
    /// Jobs that their manager has.
    pub(super) registered: BTreeSet<String>,
    /// Our lines are in the crontab, as wanted; where none are wanted: any.
    pub(super) crontab: bool,
}

/// The steps from `record` to `want`; `None` wants nothing registered.
#[must_use]
pub(super) fn steps(record: Option<&Registration>, want: Option<&Registration>, seen: &Seen) -> Vec<Step> {
    let (mut steps, mut reload) = (Vec::new(), false);
    let wanted_cron = want.and_then(|want| want.crontab.as_ref());
    // Before all else: where it is refused, another plan takes the place of this one.
    if let Some(lines) = wanted_cron.filter(|_| !seen.crontab) {
        steps.push(Step::PutCron(lines.clone()));
    }
    if want.is_some() && want != record {
        steps.push(Step::Record);
    }
    // The guardian goes first: it would put back what goes next.
    let recorded_cron = record.and_then(|record| record.crontab.as_ref());
    if wanted_cron.is_none() && (recorded_cron.is_some() || seen.crontab) {
        steps.push(Step::TakeOutCron(recorded_cron.cloned().unwrap_or_default()));
    }
    let mut old: Vec<&Job> = jobs(record)
        .filter(|job| !jobs(want).any(|new| new.name == job.name))
        .collect();
    old.sort_by_key(|job| job.kind != JobKind::Guardian);
    for job in old.iter().filter(|job| is_ours(job)) {
        steps.push(Step::Unregister(job.manager, job.name.clone()));
    }
    for (job, path) in our_files(record) {
        if !our_files(want).any(|(_, kept)| kept == path) {
            steps.push(Step::Remove(path.to_owned()));
            reload |= job.manager == ManagerKind::Systemd;
        }
    }
    let mut register = Vec::new();
    for job in jobs(want) {
        let written: Vec<&Definition> = job
            .files
            .iter()
            .filter(|file| !seen.files.contains(&file.path))
            .collect();
        steps.extend(written.iter().map(|file| Step::Write((*file).clone())));
        if is_ours(job) && (!written.is_empty() || !seen.registered.contains(&job.name)) {
            register.push(Step::Register(job.clone()));
        }
        reload |= job.manager == ManagerKind::Systemd && !written.is_empty();
    }
    if reload {
        steps.push(Step::Reload);
    }
    steps.extend(register);
    if want.is_none() && record.is_some() {
        steps.push(Step::Forget);
    }
    steps
}

fn jobs(record: Option<&Registration>) -> impl Iterator<Item = &Job> {
    record.into_iter().flat_map(|record| &record.jobs)
}

fn our_files(record: Option<&Registration>) -> impl Iterator<Item = (&Job, &Path)> {
    jobs(record).flat_map(|job| {
        let ours = job.files.iter().filter(|file| file.owner == Owner::Ours);
        ours.map(move |file| (job, file.path.as_path()))
    })
}

/// Whether we defined the job itself: one that the service's installer made is started and stopped by others.
fn is_ours(job: &Job) -> bool {
    job.files.first().is_some_and(|file| file.owner == Owner::Ours)
}
