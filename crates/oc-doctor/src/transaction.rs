//! A repair as a transaction: what is about to be done is recorded before it is done, so that whoever comes next (the
//! rest of the pass, a later pass, a person) can keep it or take it back. One may be open at a time. See docs/adr/0005.

mod undo;

use crate::checks;
use crate::disk::{self, Hash, OnDisk, Swap, crash_point};
use crate::evidence::Evidence;
use crate::finding::{Finding, weight};
use crate::generations::{Id, Store};
use crate::playbook::{self, Lesson};
use crate::scene::Scene;
use oc_core::clock::Stamp;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::journal::Kind;
use oc_core::state::{Loaded, Store as File};
use oc_core::world::World;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Format of the record.
const VERSION: u32 = 1;

/// One change of the world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Step {
    /// A file's content was replaced.
    Write(Swap),
    /// Permission bits were changed.
    Mode {
        /// Which file.
        path: PathBuf,
        /// As they were.
        before: u32,
        /// As they are now.
        after: u32,
    },
    /// Something was moved out of the way.
    Moved {
        /// Where it stood.
        from: PathBuf,
        /// Where it is now.
        to: PathBuf,
    },
    /// Another program (the service's own doctor) was let at a file.
    Foreign {
        /// Which file.
        target: PathBuf,
        /// What was in it before; null when it was not there.
        before: Option<Hash>,
        /// Its permission bits before.
        mode: Option<u32>,
    },
    /// Something that cannot be taken back: a process was ended, a rotated log removed.
    Final {
        /// What, as a sentence.
        what: String,
    },
}

/// The record of one repair.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Transaction {
    /// Its name.
    pub id: String,
    /// What opened it: `fix`, `apply`, `rollback`.
    pub by: String,
    /// When.
    pub opened: Stamp,
    /// In which pass.
    pub run: Option<String>,
    /// What was done, in order. A step is recorded before it is taken.
    pub steps: Vec<Step>,
    /// The same as sentences for people, known before it is done: whoever closes what a killed one left tells them.
    #[serde(default)]
    pub actions: Vec<String>,
    /// The journal has them.
    #[serde(default)]
    pub noted: bool,
    /// What was wrong before.
    pub findings: Vec<Finding>,
    /// How bad the configuration was.
    pub weight: usize,
    /// The configuration before.
    pub generation_before: Option<Id>,
    /// The configuration afterwards.
    pub generation_after: Option<Id>,
    /// What it teaches the playbook, should it heal.
    #[serde(default)]
    pub lesson: Option<Lesson>,
    /// The lesson of the playbook that was repeated.
    #[serde(default)]
    pub played: Option<String>,
}

/// How a transaction was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Closed {
    /// The change stays.
    Kept,
    /// Everything that could be taken back was.
    Undone,
}

impl Transaction {
    /// A repair that begins now.
    #[must_use]
    pub fn new(by: &str, findings: &[Finding]) -> Self {
        let about: Vec<Finding> = findings
            .iter()
            // A suspicion weighs nothing: only a service that serves without the plugin confirms it.
            .filter(|f| checks::about_configuration(f) && f.id != "plugin.broken")
            .cloned()
            .collect();
        let opened = Stamp::now();
        Self {
            id: format!("{}-{}", opened.wall_ms, std::process::id()),
            by: by.to_owned(),
            opened,
            run: std::env::var("OC_RUN_ID").ok(),
            steps: Vec::new(),
            actions: Vec::new(),
            noted: false,
            findings: findings.to_vec(),
            weight: weight(&about),
            generation_before: None,
            generation_after: None,
            lesson: None,
            played: None,
        }
    }

    /// The open one, if any.
    ///
    /// # Errors
    /// 74 or 77 when its record cannot be read; a damaged record is put aside.
    pub fn open(world: &World) -> Result<Option<Self>> {
        let file = record(world);
        match file.load::<Self>()? {
            Loaded::Found(transaction) => Ok(Some(transaction)),
            Loaded::Missing => Ok(None),
            Loaded::Unreadable { why } => {
                let kept = file.put_aside()?;
                oc_core::out::talk(format_args!("{why}; it is kept as {}", kept.display()));
                Ok(None)
            }
        }
    }

    /// Replaces a file's content.
    ///
    /// # Errors
    /// 75 when somebody else changed the file meanwhile (their edit stands), 74 or 77.
    pub fn write(&mut self, world: &World, file: &OnDisk, bytes: &[u8]) -> Result<()> {
        let swap = Swap::plan(file, bytes, &self.id);
        self.record(world, Step::Write(swap.clone()))?;
        let done = swap.perform(bytes);
        if done.is_err() {
            self.steps.pop();
            if self.steps.is_empty() {
                self.forget(world)?;
            } else {
                self.save(world)?;
            }
        }
        crash_point("written");
        done
    }

    /// Changes permission bits.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn set_mode(&mut self, world: &World, path: &Path, before: u32, after: u32) -> Result<()> {
        self.record(
            world,
            Step::Mode {
                path: path.to_owned(),
                before,
                after,
            },
        )?;
        disk::set_mode(path, after)
    }

    /// Moves something out of the way; returns where it is now.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn move_aside(&mut self, world: &World, from: &Path) -> Result<PathBuf> {
        let mut name = from.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".aside.{}", self.id));
        let to = from.with_file_name(name);
        self.record(
            world,
            Step::Moved {
                from: from.to_owned(),
                to: to.clone(),
            },
        )?;
        std::fs::rename(from, &to).map_err(|e| Fault::io("move aside", from, e))?;
        Ok(to)
    }

    /// Notes that another program is let at a file.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn foreign(&mut self, world: &World, file: &OnDisk) -> Result<()> {
        self.record(
            world,
            Step::Foreign {
                target: file.target.clone(),
                before: file.hash.clone(),
                mode: file.mode,
            },
        )
    }

    /// Notes something that cannot be taken back, before it is done.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn note_final(&mut self, world: &World, what: &str) -> Result<()> {
        self.record(world, Step::Final { what: what.to_owned() })
    }

    fn record(&mut self, world: &World, step: Step) -> Result<()> {
        self.steps.push(step);
        self.save(world)?;
        crash_point("recorded");
        Ok(())
    }

    /// All is done: tells the journal what was, and remembers that.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn done(&mut self, world: &World, actions: &[String]) -> Result<()> {
        self.actions = actions.to_vec();
        self.note(world);
        self.save(world)
    }

    fn note(&mut self, world: &World) {
        let findings: Vec<&str> = self.findings.iter().map(|f| f.id.as_str()).collect();
        world.journal.note(
            &world
                .event(Kind::Repair, self.actions.join("; "))
                .with("transaction", &self.id)
                .with("findings", findings)
                .with("generation_before", &self.generation_before)
                .with("generation_after", &self.generation_after),
        );
        self.noted = true;
    }

    /// Writes the record.
    ///
    /// # Errors
    /// 74 or 77: without the record nothing may be changed.
    pub fn save(&self, world: &World) -> Result<()> {
        fsx::private_dir(world.paths.watchdog())?;
        record(world).save(self)
    }

    /// Closes it: the change stays.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn keep(self, world: &World, why: &str) -> Result<Closed> {
        self.settle_all()?;
        self.end(world, &format!("the repair stays: {why}"))?;
        Ok(Closed::Kept)
    }

    /// Closes it: everything that can be taken back is, newest first. What somebody else changed since stays as they left
    /// it.
    ///
    /// # Errors
    /// 74 or 77; what was taken back so far stays so, and the record stays open.
    pub fn undo(self, world: &World, why: &str) -> Result<Closed> {
        self.settle_all()?;
        let store = Store::new(&world.paths);
        for step in self.steps.iter().rev() {
            undo::step(step, &store)?;
        }
        self.end(world, &format!("the repair was taken back: {why}"))?;
        Ok(Closed::Undone)
    }

    fn end(mut self, world: &World, how: &str) -> Result<()> {
        if !self.noted && !self.actions.is_empty() {
            self.note(world);
        }
        self.forget(world)?;
        world
            .journal
            .note(&world.event(Kind::Repair, how.to_owned()).with("transaction", &self.id));
        Ok(())
    }

    fn settle_all(&self) -> Result<()> {
        for step in &self.steps {
            if let Step::Write(swap) = step {
                undo::settle(swap)?;
            }
        }
        Ok(())
    }

    fn forget(&self, world: &World) -> Result<()> {
        crash_point("closing");
        let path = world.paths.transaction();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Fault::io("remove", &path, e)),
            _ => Ok(()),
        }
    }
}

fn record(world: &World) -> File {
    File::new(&world.paths.transaction(), VERSION)
}

/// Who wrote, when a person went back to a generation. Whether that helps is theirs to judge.
pub const ROLLBACK: &str = "rollback";

/// Closes an open transaction by what is known now: kept when the service serves, when a person chose what was written, or
/// when less is wrong than before; else undone.
///
/// # Errors
/// 74 or 77.
pub fn close_by_evidence(world: &World, transaction: Transaction, evidence: Evidence) -> Result<(Closed, String)> {
    let scene = Scene::look(world, evidence);
    let serving = scene.evidence.serving() == Some(true);
    let now = weight(&checks::configuration(&scene));
    if !serving && scene.evidence.refused(&scene.file) {
        reject(world, scene.file.hash.as_ref())?;
    }
    let (closed, why) = if serving {
        (Closed::Kept, "the service serves again".to_owned())
    } else if transaction.by == ROLLBACK {
        (Closed::Kept, "a person chose that generation".to_owned())
    } else if now < transaction.weight {
        (
            Closed::Kept,
            "less is wrong with the configuration than before".to_owned(),
        )
    } else {
        (Closed::Undone, "it did not help".to_owned())
    };
    let done = close(world, transaction, closed, serving, &why)?;
    Ok((done, why))
}

/// Closes it as told, and lets the playbook learn from it.
///
/// # Errors
/// 74 or 77.
pub fn close(world: &World, transaction: Transaction, how: Closed, serving: bool, why: &str) -> Result<Closed> {
    let taught = transaction.clone();
    let done = match how {
        Closed::Kept => transaction.keep(world, why)?,
        Closed::Undone => transaction.undo(world, why)?,
    };
    playbook::closed(world, &taught, done, serving);
    Ok(done)
}

/// Marks a content as refused by the service, so that it is never restored.
///
/// # Errors
/// 74 or 77.
pub fn reject(world: &World, hash: Option<&Hash>) -> Result<()> {
    let Some(hash) = hash else { return Ok(()) };
    Store::new(&world.paths).change(|index| index.reject(hash, "the service refused it (exit status 78)"))
}
