//! What an instance needs registered on this host. Reads the definition that the service has; otherwise only words.

use super::render::{self, Words};
use super::templates;
use crate::registration::{Definition, Job, JobKind, Owner, Programs};
use crate::supervise::heal;
use oc_core::clock::Stamp;
use oc_core::fault::{Fault, Result};
use oc_core::paths::DEFAULT_INSTANCE;
use oc_core::proc::which;
use oc_core::report::ManagerKind;
use oc_core::service::systemd::Unit;
use oc_core::world::World;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Cursor;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// Variables that say which service is meant: a job sees them only when they stand in it.
const PINNED: [&str; 7] = [
    "OC_SERVICE_MANAGER",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_GATEWAY_URL",
    "OPENCLAW_GATEWAY_PORT",
    "OPENCLAW_LAUNCHD_LABEL",
    "OPENCLAW_SYSTEMD_UNIT",
    "LANG",
];

/// What a pass calls, directly or through the service's own doctor, and where it is usually found. Not every system keeps its
/// managers in `/usr/bin`; a watchdog that does not find them takes the service's manager for deaf and calls a person.
const CALLED: [&str; 7] = [
    "openclaw",
    "node",
    "claude",
    "tmux",
    "systemctl",
    "launchctl",
    "crontab",
];
const USUAL: [&str; 7] = [
    "/opt/homebrew/bin",
    "/usr/local/bin",
    "/usr/bin",
    "/bin",
    "/usr/sbin",
    "/sbin",
    "/usr/local/sbin",
];

/// The places and words of this host.
#[derive(Debug, Clone)]
pub(super) struct Host {
    /// The manager where jobs are registered.
    pub(super) manager: ManagerKind,
    /// What the jobs start.
    pub(super) programs: Programs,
    label: String,
    unit: String,
    home: PathBuf,
    units: PathBuf,
    words: Words,
}

impl Host {
    /// Looks around: programs on PATH, places, variables.
    ///
    /// # Errors
    /// 69 when oc-heal is not installed beside us, 78 without HOME.
    pub(super) fn look(world: &World, interval: Duration) -> Result<Self> {
        let home = std::env::var_os("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute());
        let home = home.ok_or_else(|| Fault::config("HOME is not set; job definitions lie below it"))?;
        let programs = programs()?;
        let service = &world.config.service;
        let instance = world.instance().to_owned();
        let words = Words {
            watchdog: format!("{}.service", stem("openclaw-watchdog", &instance, '-')),
            guardian: text(&programs.guardian)?,
            heal: text(&programs.heal)?,
            command: service.command.clone(),
            logs: text(&crate::logs::dir(&world.paths))?,
            interval: interval.as_secs().max(1),
            environment: environment(world, &home, &programs)?,
            instance,
            ..Words::default()
        };
        words.check()?;
        Ok(Self {
            manager: oc_core::service::chosen(service.manager, &world.paths),
            programs,
            label: service.label.clone(),
            unit: service.unit.clone(),
            home,
            units: Unit::directory(),
            words,
        })
    }

    /// The directory of LaunchAgents.
    #[must_use]
    pub(super) fn agents(&self) -> PathBuf {
        self.home.join("Library/LaunchAgents")
    }

    /// The directory of the user's units.
    #[must_use]
    pub(super) fn units(&self) -> &Path {
        &self.units
    }

    /// The person's home.
    #[must_use]
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Where the service's own definition is, or would be.
    #[must_use]
    pub(super) fn gateway_path(&self) -> PathBuf {
        match self.manager {
            ManagerKind::Launchd => self.agents().join(format!("{}.plist", self.label)),
            _ => self.units.join(&self.unit),
        }
    }

    /// The service itself: its own definition as it is, or else as it was recorded; ours, where it has none and
    /// `service.command` says how it is run. `None` when neither is known.
    ///
    /// # Errors
    /// 65, 74 or 77 when the definition cannot be read.
    pub(super) fn gateway(&self, recorded: Option<&Job>) -> Result<Option<Job>> {
        let path = self.gateway_path();
        let mut files = Vec::new();
        let found = Definition::read(&path, Owner::Service)?;
        let rendered = match self.words.command.is_empty() {
            true => None,
            false => Some(self.define(&path, &self.label, templates::GATEWAY_PLIST, templates::GATEWAY_SERVICE)?),
        };
        // Also after the record was lost.
        let ours = recorded.is_some_and(|job| job.files.first().is_some_and(|file| file.owner == Owner::Ours))
            || found
                .as_ref()
                .zip(rendered.as_ref())
                .is_some_and(|(found, ours)| found.bytes() == ours.bytes());
        match found {
            Some(own) if !ours && (recorded.is_none() || starts_something(&own)) => {
                files.extend(self.companions(&own)?);
                files.insert(0, own);
            }
            // Gone, or damaged.
            _ if !ours && recorded.is_some() => {
                let kept = recorded.into_iter().flat_map(|job| &job.files);
                files.extend(kept.filter(|file| file.owner == Owner::Service).cloned());
            }
            _ => match rendered {
                Some(rendered) => files.push(rendered),
                None => return Ok(None),
            },
        }
        let own = files.first().is_some_and(|file| file.owner == Owner::Service);
        if self.manager == ManagerKind::Systemd && own {
            let drop_in = self.units.join(format!("{}.d/50-oc-guardian.conf", self.unit));
            let bytes = render::unit(templates::GATEWAY_DROP_IN, &self.words)?;
            files.push(Definition::new(&drop_in, Owner::Ours, bytes));
        }
        let name = if self.manager == ManagerKind::Launchd {
            &self.label
        } else {
            &self.unit
        };
        Ok(Some(self.job(JobKind::Gateway, name.clone(), files)))
    }

    /// The healing passes.
    ///
    /// # Errors
    /// 65 for a word that a definition cannot carry.
    pub(super) fn watchdog(&self) -> Result<Job> {
        self.timed(
            JobKind::Watchdog,
            (
                templates::WATCHDOG_PLIST,
                templates::WATCHDOG_SERVICE,
                templates::WATCHDOG_TIMER,
            ),
        )
    }

    /// The guardian, where cron is not to be had.
    ///
    /// # Errors
    /// 65 for a word that a definition cannot carry.
    pub(super) fn guardian(&self) -> Result<Job> {
        self.timed(
            JobKind::Guardian,
            (
                templates::GUARDIAN_PLIST,
                templates::GUARDIAN_SERVICE,
                templates::GUARDIAN_TIMER,
            ),
        )
    }

    /// The lines for the crontab: the guardian, and the passes where no manager starts them.
    ///
    /// # Errors
    /// 65 for a word that cron cannot carry.
    pub(super) fn cron(&self, passes: bool) -> Result<String> {
        let mut lines = render::cron(templates::GUARDIAN_CRON, &self.words)?;
        if passes {
            lines.push_str(&render::cron(templates::WATCHDOG_CRON, &self.words)?);
        }
        Ok(lines)
    }

    fn timed(&self, kind: JobKind, (plist, service, timer): (&str, &str, &str)) -> Result<Job> {
        if self.manager == ManagerKind::Launchd {
            let label = stem(&format!("ai.openclaw.{}", kind.name()), &self.words.instance, '.');
            let path = self.agents().join(format!("{label}.plist"));
            let file = self.define(&path, &label, plist, service)?;
            return Ok(self.job(kind, label, vec![file]));
        }
        let stem = stem(&format!("openclaw-{}", kind.name()), &self.words.instance, '-');
        let (service_name, timer_name) = (format!("{stem}.service"), format!("{stem}.timer"));
        let words = Words {
            service: service_name.clone(),
            ..self.words.clone()
        };
        let file = |name: &str, template: &str| {
            render::unit(template, &words).map(|bytes| Definition::new(&self.units.join(name), Owner::Ours, bytes))
        };
        let files = vec![file(&timer_name, timer)?, file(&service_name, service)?];
        Ok(self.job(kind, timer_name, files))
    }

    fn define(&self, path: &Path, label: &str, plist: &str, unit: &str) -> Result<Definition> {
        let words = Words {
            label: label.to_owned(),
            ..self.words.clone()
        };
        let bytes = match self.manager {
            ManagerKind::Launchd => render::plist(plist, &words)?,
            _ => render::unit(unit, &words)?,
        };
        Ok(Definition::new(path, Owner::Ours, bytes))
    }

    /// Files that the service's property list starts through and that are called like its label: OpenClaw's wrapper and its
    /// variables. Without them the list alone starts nothing.
    fn companions(&self, own: &Definition) -> Result<Vec<Definition>> {
        let list = plist::Value::from_reader(Cursor::new(own.bytes())).ok();
        let words = list
            .as_ref()
            .and_then(|list| list.as_dictionary()?.get("ProgramArguments")?.as_array());
        let mut files = Vec::new();
        for word in words.into_iter().flatten().filter_map(plist::Value::as_string) {
            let path = Path::new(word);
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            if path.is_absolute() && name.starts_with(&self.label) && path.is_file() {
                files.extend(Definition::read(path, Owner::Service)?);
            }
        }
        Ok(files)
    }

    fn job(&self, kind: JobKind, name: String, files: Vec<Definition>) -> Job {
        Job {
            kind,
            manager: self.manager,
            name,
            files,
            recorded: Stamp::now(),
        }
    }
}

/// Whether a definition names a program at all: what does not is no reason to forget the one that did.
fn starts_something(definition: &Definition) -> bool {
    let bytes = definition.bytes();
    if definition.path.extension() != Some(OsStr::new("plist")) {
        let text = String::from_utf8_lossy(bytes);
        return text.lines().any(|line| line.trim_start().starts_with("ExecStart"));
    }
    let list = plist::Value::from_reader(Cursor::new(bytes)).ok();
    let dict = list.as_ref().and_then(plist::Value::as_dictionary);
    dict.is_some_and(|dict| dict.contains_key("ProgramArguments") || dict.contains_key("Program"))
}

/// One name for the default instance, another for each further one.
fn stem(name: &str, instance: &str, separator: char) -> String {
    match instance {
        DEFAULT_INSTANCE => name.to_owned(),
        other => format!("{name}{separator}{other}"),
    }
}

fn programs() -> Result<Programs> {
    let me = std::env::current_exe().map_err(|e| Fault::internal(format_args!("who am I? {e}")))?;
    // The name on PATH rather than what it links to: an upgrade of a packaged program moves the latter.
    let guardian = which("oc-guardian")
        .filter(|found| found.canonicalize().ok() == me.canonicalize().ok())
        .unwrap_or(me);
    let heal = which(&heal::program().to_string_lossy()).ok_or_else(|| {
        Fault::new(
            oc_core::Exit::Unavailable,
            "oc-heal is neither beside oc-guardian nor on PATH",
        )
        .hint("install the whole suite: `make install`")
    })?;
    // In the source tree it is found by way of `..`.
    let heal = if heal.components().any(|part| part == Component::ParentDir) {
        heal.canonicalize().map_err(|e| Fault::io("resolve", &heal, e))?
    } else {
        heal
    };
    let own = [guardian.parent(), heal.parent()];
    let called = CALLED.iter().filter_map(|program| which(program));
    let called: BTreeSet<PathBuf> = called.filter_map(|path| path.parent().map(Path::to_owned)).collect();
    // In the order of the person's PATH: a job has to find the same node as they do.
    let persons = std::env::var_os("PATH").unwrap_or_default();
    let persons: Vec<PathBuf> = std::env::split_paths(&persons)
        .filter(|dir| called.contains(dir))
        .collect();
    let mut seen = BTreeSet::new();
    let dirs: Vec<&Path> = own
        .into_iter()
        .flatten()
        .chain(persons.iter().map(PathBuf::as_path))
        .chain(USUAL.iter().map(Path::new))
        .filter(|dir| dir.is_absolute() && seen.insert(dir.to_path_buf()))
        .collect();
    let path = std::env::join_paths(dirs).map_err(|e| Fault::data(format_args!("PATH of the jobs: {e}")))?;
    let path = path.into_string().map_err(|path| not_utf8(Path::new(&path)))?;
    Ok(Programs { guardian, heal, path })
}

fn environment(world: &World, home: &Path, programs: &Programs) -> Result<Vec<(String, String)>> {
    let mut pairs = vec![
        ("HOME".to_owned(), text(home)?),
        ("PATH".to_owned(), programs.path.clone()),
        ("OC_INSTANCE".to_owned(), world.instance().to_owned()),
        ("OC_STATE_DIR".to_owned(), text(world.paths.watchdog())?),
        ("OPENCLAW_STATE_DIR".to_owned(), text(world.paths.openclaw())?),
    ];
    if let Some(config) = &world.common.config {
        let config = std::path::absolute(config).map_err(|e| Fault::io("resolve", config, e))?;
        pairs.push(("OC_CONFIG".to_owned(), text(&config)?));
    }
    for name in PINNED {
        if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
            pairs.push((name.to_owned(), text(Path::new(&value))?));
        }
    }
    Ok(pairs)
}

fn text(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| not_utf8(path))
}

fn not_utf8(path: &Path) -> Fault {
    Fault::data(format_args!(
        "{} is not UTF-8, which no job definition can carry",
        path.display()
    ))
    .hint("rename that directory")
}
