//! `registration.json`: what `install` registered where, so that `ensure` can put it back and `uninstall` takes away exactly
//! that.
//!
//! ```no_run
//! # use oc_guardian::registration::{JobKind, Registration};
//! # fn example(world: &oc_core::world::World) -> oc_core::fault::Result<()> {
//! let Some(mut record) = Registration::load(&world.paths)? else { return Ok(()) };
//! if let Some(watchdog) = record.job(JobKind::Watchdog) {
//!     for definition in &watchdog.files {
//!         if definition.difference().is_some() {
//!             definition.restore()?; // then tell the manager: daemon-reload, bootstrap
//!         }
//!     }
//! }
//! record.adopt(JobKind::Gateway)?; // it differs, and it works: from now on that is what is put back
//! record.save(&world.paths)
//! # }
//! ```

mod definition;
mod meaning;

pub use definition::{Definition, Difference, Owner};

use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::paths::Paths;
use oc_core::report::ManagerKind;
use oc_core::state::{Loaded, Store};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

const VERSION: u32 = 1;

/// What a job is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// The service itself.
    Gateway,
    /// A pass of oc-heal every few seconds.
    Watchdog,
    /// `oc-guardian ensure` where cron is refused or absent.
    Guardian,
}

impl JobKind {
    /// Its name in sentences and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Watchdog => "watchdog",
            Self::Guardian => "guardian",
        }
    }
}

/// One job at a service manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What it is for.
    pub kind: JobKind,
    /// Who runs it; never the embedded supervisor, which needs no definition.
    pub manager: ManagerKind,
    /// launchd: the label. systemd: the unit that is enabled and started (a timer, for ours).
    pub name: String,
    /// Its definition, and what belongs to it: of a launchd job the first is the plist to bootstrap.
    pub files: Vec<Definition>,
    /// When it was recorded.
    pub recorded: Stamp,
}

impl Job {
    /// What of its definition is not as recorded, in meaning.
    #[must_use]
    pub fn differences(&self) -> Vec<(&Definition, Difference)> {
        self.files
            .iter()
            .filter_map(|file| Some((file, file.difference()?)))
            .collect()
    }

    /// Writes back every file that is missing or differs; says how many.
    ///
    /// # Errors
    /// 74 or 77 with the path.
    pub fn restore(&self) -> Result<usize> {
        let differ = self.differences();
        differ.iter().try_for_each(|(file, _)| file.restore())?;
        Ok(differ.len())
    }
}

/// The programs that the jobs start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programs {
    /// oc-guardian, absolute.
    pub guardian: PathBuf,
    /// oc-heal, absolute.
    pub heal: PathBuf,
    /// PATH of every job.
    pub path: String,
}

/// What is registered for one instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Which instance.
    pub instance: String,
    /// When install last changed something.
    pub installed: Stamp,
    /// What the jobs start.
    pub programs: Programs,
    /// Jobs at service managers, at most one of a kind.
    #[serde(default)]
    pub jobs: Vec<Job>,
    /// The lines between our two marks in the crontab; `None` without cron.
    #[serde(default)]
    pub crontab: Option<String>,
    /// Directories that were not there before; uninstall removes them when they are empty.
    #[serde(default)]
    pub made: Vec<PathBuf>,
}

impl Registration {
    /// The record of the instance; `None` when nothing was ever installed.
    ///
    /// # Errors
    /// 65 when it cannot be understood (it stays where it is), 74 or 77 when it cannot be read.
    pub fn load(paths: &Paths) -> Result<Option<Self>> {
        match store(paths).load()? {
            Loaded::Missing => Ok(None),
            Loaded::Found(record) => Ok(Some(record)),
            Loaded::Unreadable { why } => Err(Fault::new(
                Exit::Data,
                format_args!("what was installed cannot be told: {why}"),
            )
            .hint("`oc-guardian install` writes it anew; the old file is kept beside it")),
        }
    }

    /// Writes the record durably; one that could not be understood is put aside first.
    ///
    /// # Errors
    /// 74 or 77 with the path.
    pub fn save(&self, paths: &Paths) -> Result<()> {
        oc_core::fsx::private_dir(paths.watchdog())?;
        let store = store(paths);
        if let Loaded::Unreadable { .. } = store.load::<Self>()? {
            store.put_aside()?;
        }
        store.save(self)
    }

    /// Forgets everything.
    ///
    /// # Errors
    /// 74 or 77 with the path.
    pub fn forget(paths: &Paths) -> Result<()> {
        let path = paths.registration();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Fault::io("remove", &path, e)),
            _ => Ok(()),
        }
    }

    /// The job of this kind, if there is one.
    #[must_use]
    pub fn job(&self, kind: JobKind) -> Option<&Job> {
        self.jobs.iter().find(|job| job.kind == kind)
    }

    /// Records a job in place of the one of its kind.
    pub fn put(&mut self, job: Job) {
        self.jobs.retain(|known| known.kind != job.kind);
        self.jobs.push(job);
    }

    /// Records the service's own files of this job as they are now; ours stay as recorded, and a missing one too. For a
    /// definition that changed and works.
    ///
    /// # Errors
    /// 74 or 77 when a file cannot be read.
    pub fn adopt(&mut self, kind: JobKind) -> Result<()> {
        for job in self.jobs.iter_mut().filter(|job| job.kind == kind) {
            for file in job.files.iter_mut().filter(|file| file.owner == Owner::Service) {
                if let Some(now) = Definition::read(&file.path, file.owner)? {
                    *file = now;
                }
            }
            job.recorded = Stamp::now();
        }
        Ok(())
    }
}

fn store(paths: &Paths) -> Store {
    Store::new(&paths.registration(), VERSION)
}
