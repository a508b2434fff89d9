//! The steps of a plan, done. The one place of install and uninstall that changes anything.

use super::manager;
use super::plan::Step;
use super::predecessor::{self, Found};
use super::settings;
use crate::crontab::Crontab;
use crate::registration::Registration;
use oc_core::fault::{Fault, Result};
use oc_core::paths::Paths;
use oc_core::world::{World, request};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Would be done.
    Planned,
    /// Done.
    Done,
    /// Tried, without success.
    Failed,
}

/// A step and how it went.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Taken {
    /// One word.
    pub(super) step: &'static str,
    /// One sentence.
    pub(super) text: String,
    /// How it went.
    pub(super) state: State,
    /// Why it failed.
    pub(super) error: Option<String>,
}

impl Taken {
    /// A step as it went.
    #[must_use]
    pub(super) fn new(step: &Step, done: Result<(), &Fault>) -> Self {
        Self {
            step: step.name(),
            text: step.to_string(),
            state: if done.is_ok() { State::Done } else { State::Failed },
            error: done.err().map(|fault| {
                let hint = fault
                    .hint
                    .as_ref()
                    .map_or_else(String::new, |hint| format!(" ({hint})"));
                format!("{}{hint}", fault.what)
            }),
        }
    }

    /// A step of a dry run.
    #[must_use]
    pub(super) fn planned(step: &Step) -> Self {
        Self {
            state: State::Planned,
            ..Self::new(step, Ok(()))
        }
    }
}

/// Carries out steps, and keeps what is worth telling.
#[derive(Debug)]
pub(super) struct Hand<'w> {
    world: &'w World,
    /// Sentences for the person.
    pub(super) notes: Vec<String>,
}

impl<'w> Hand<'w> {
    /// Nothing done yet.
    #[must_use]
    pub(super) fn new(world: &'w World) -> Self {
        Self {
            world,
            notes: Vec::new(),
        }
    }

    /// Does one step. `want` is what [`Step::Record`] writes down.
    ///
    /// # Errors
    /// What the step says.
    pub(super) fn take(&mut self, step: &Step, want: Option<&Registration>) -> Result<()> {
        let paths = &self.world.paths;
        match step {
            Step::TakeOver(found) => self.take_over(found),
            Step::Set(wanted) => settings::write(&request(&self.world.common, true), wanted),
            Step::Record => want.map_or(Ok(()), |want| want.save(paths)),
            Step::TakeOutCron(lines) => self.crontab().take_out(lines).map(drop),
            Step::Unregister(manager, name) => manager::unregister(*manager, name),
            Step::Remove(path) => remove(path),
            Step::Write(file) => file.restore(),
            Step::Reload => manager::reload(oc_core::report::ManagerKind::Systemd),
            Step::PutCron(lines) => self.crontab().put_back(lines).map(drop),
            Step::Register(job) => manager::register(job),
            Step::Forget => Registration::forget(paths),
            Step::Purge(_) => self.purge(paths),
        }
    }

    /// The crontab of this instance.
    pub(super) fn crontab(&self) -> Crontab<'w> {
        Crontab::new(self.world.instance(), self.world.common.timeout)
    }

    fn take_over(&mut self, found: &Found) -> Result<()> {
        let undo = predecessor::take_over(found, &self.world.paths)?;
        if let Found::Line(_) = found {
            let gone = [found.clone()];
            self.crontab().change(|text| predecessor::without_lines(text, &gone))?;
        }
        self.notes.push(format!("to undo the takeover: {undo}"));
        Ok(())
    }

    /// Only what is known to be ours, by name; what else lies there stays, and is named.
    fn purge(&mut self, paths: &Paths) -> Result<()> {
        let dir = paths.watchdog();
        let io = |verb: &'static str, path: &Path| {
            let path = path.to_owned();
            move |e| Fault::io(verb, &path, e)
        };
        let mut strangers = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(io("read", dir))? {
            let entry = entry.map_err(io("read", dir))?;
            let (path, name) = (entry.path(), entry.file_name());
            if !Paths::is_ours(&name) {
                strangers.push(name.to_string_lossy().into_owned());
            } else if entry.file_type().map_err(io("look at", &path))?.is_dir() {
                std::fs::remove_dir_all(&path).map_err(io("remove", &path))?;
            } else {
                std::fs::remove_file(&path).map_err(io("remove", &path))?;
            }
        }
        if strangers.is_empty() {
            return std::fs::remove_dir(dir).map_err(io("remove", dir));
        }
        let strangers = strangers.join(", ");
        self.notes
            .push(format!("{} stays: {strangers} is not ours", dir.display()));
        Ok(())
    }
}

/// Removes directories that install made, as far as nobody put anything there since.
pub(super) fn remove_made(dirs: &[PathBuf]) {
    let mut dirs: Vec<&PathBuf> = dirs.iter().collect();
    dirs.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    for dir in dirs {
        drop(std::fs::remove_dir(dir));
    }
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Fault::io("remove", path, e)),
        _ => Ok(()),
    }
}
