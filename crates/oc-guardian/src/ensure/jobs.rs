//! The jobs that were registered: their definitions on disk, and what the manager knows of them.

use super::{Care, Did, Part, told};
use crate::install::manager;
use crate::registration::{Difference, Job, JobKind, Owner, Registration};
use oc_core::clock::{Deadline, Stamp};
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::report::ManagerKind;
use oc_core::service::{launchd, systemd};
use serde::Deserialize;
use std::time::Duration;

/// One call of a manager.
const CALL: Duration = Duration::from_secs(10);
/// A watchdog that did not come by for as many of its intervals, and at least that long, does not run.
const SILENT: (u32, Duration) = (10, Duration::from_secs(300));

/// What the memory calls it.
const SILENCE: &str = "watchdog silent";

pub(super) fn look(care: &mut Care<'_>, record: &mut Registration) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    // The service first: that is what people miss.
    for kind in [JobKind::Gateway, JobKind::Watchdog, JobKind::Guardian] {
        parts.extend(one(care, record, kind)?);
    }
    Ok(parts)
}

/// One job; `None` when it is as it should be, or none was recorded.
pub(super) fn one(care: &mut Care<'_>, record: &mut Registration, kind: JobKind) -> Result<Option<Part>> {
    let Some(job) = record.job(kind).cloned() else {
        return Ok(None);
    };
    let subject = kind.name();
    let mut standing = standing(&job);
    let stale = standing == Standing::Stale;
    if stale && !care.dry_run {
        // What was written is worth something only once it is read: until then nobody knows whether it works.
        if let Err(fault) = manager::reload(job.manager) {
            return Ok(Some(Part::new(subject, Did::Failed, told(&fault))));
        }
        standing = self::standing(&job);
    }
    let forbidden = match &standing {
        Standing::Forbidden(how) => Some(how.clone()),
        Standing::Unclear(why) => return Ok(Some(Part::new(subject, Did::Failed, why.clone()))),
        Standing::Right | Standing::Stale | Standing::Wrong(_) => None,
    };
    if let Some(how) = forbidden
        && !care.policy.reenable_disabled
    {
        return Ok(Some(Part::new(subject, Did::Left, how)));
    }
    let differences = job.differences();
    let lost = differences.iter().find(|(_, what)| *what != Difference::Changed);
    let works = matches!(standing, Standing::Right | Standing::Stale);
    if lost.is_none() && works {
        return Ok(match differences.iter().any(|(file, _)| file.owner == Owner::Service) {
            true => Some(adopt(care, record, kind)),
            false if stale => Some(Part::new(subject, Did::PutRight, read_again(care.dry_run, &job))),
            // Ours, changed by hand, and it works: the person knows why.
            false => silent(care, &job, kind),
        });
    }
    let wrong = match (lost, &standing) {
        (Some((file, what)), _) => format!("{} {}", file.path.display(), how(what)),
        (None, Standing::Wrong(why)) => why.clone(),
        (None, _) => format!("{} is disabled", job.name),
    };
    Ok(Some(care.put_right(subject, &wrong, || mend(&job, kind, &standing))))
}

fn how(what: &Difference) -> String {
    match what {
        Difference::Missing => "was gone".to_owned(),
        Difference::Changed => "was changed and does not work".to_owned(),
        Difference::Unreadable(why) => format!("cannot be read: {why}"),
    }
}

fn read_again(dry_run: bool, job: &Job) -> String {
    let done = if dry_run { "would be" } else { "is" };
    format!(
        "{} changed on disk and was not read again; now it {done} read",
        job.name
    )
}

fn adopt(care: &Care<'_>, record: &mut Registration, kind: JobKind) -> Part {
    let text = "its definition was written anew and works: that is what is put back from now on";
    if care.dry_run {
        return Part::new(kind.name(), Did::Adopted, text);
    }
    match record.adopt(kind).and_then(|()| record.save(&care.world.paths)) {
        Ok(()) => Part::new(kind.name(), Did::Adopted, text),
        Err(fault) => Part::new(kind.name(), Did::Failed, told(&fault)),
    }
}

/// Loaded and enabled, and yet no pass comes by.
fn silent(care: &mut Care<'_>, job: &Job, kind: JobKind) -> Option<Part> {
    #[derive(Deserialize)]
    struct Carry {
        previous: Option<Stamp>,
    }
    if kind != JobKind::Watchdog {
        return None;
    }
    let bytes = fsx::read_capped(&care.world.paths.carry(), 1 << 20).ok()??;
    let previous = serde_json::from_slice::<Carry>(&bytes).ok()?.previous?;
    let (times, least) = SILENT;
    let limit = (care.policy.interval.get() * times).max(least);
    let now = Stamp::now();
    // Asleep together is no silence, and neither is a machine that has just started.
    let awake = now.since(&previous).saturating_sub(now.slept_since(&previous));
    if previous.boot != now.boot || awake < limit {
        return None;
    }
    let wrong = format!("no pass came by for {} s", awake.as_secs());
    // Nobody takes that away, so it is never a person's will; at most so often, because it ends a pass that just begins.
    let again = care.memory.put_back(SILENCE).is_some_and(|ago| ago < least * 2);
    if again {
        let text =
            format!("{wrong}, although its job was registered anew; `oc-guardian self-check` looks for the cause");
        return Some(Part::new(kind.name(), Did::Failed, text));
    }
    if care.dry_run {
        return Some(Part::new(
            kind.name(),
            Did::PutRight,
            format!("{wrong}; would be registered anew"),
        ));
    }
    care.memory.note(SILENCE);
    Some(Part::of(
        kind.name(),
        manager::register(job),
        format!("{wrong}; registered anew"),
    ))
}

/// What the manager says about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Standing {
    Right,
    /// It changed on disk, and the manager does not know.
    Stale,
    Wrong(String),
    /// A person masked or disabled it.
    Forbidden(String),
    Unclear(String),
}

fn standing(job: &Job) -> Standing {
    match job.manager {
        ManagerKind::Systemd => in_systemd(job),
        ManagerKind::Launchd => in_launchd(job),
        ManagerKind::Embedded => Standing::Right,
    }
}

fn in_systemd(job: &Job) -> Standing {
    use systemd::{Call, Looked, Unit};
    let unit = Unit::new(&job.name);
    match unit.look(&Deadline::after(CALL)) {
        Looked::Shown(shown) if shown.masked() => Standing::Forbidden(format!(
            "{} is masked, which only a person does; `{}` undoes it",
            job.name,
            unit.line(Call::Unmask)
        )),
        Looked::Shown(shown) if !shown.exists() => Standing::Wrong(format!("{} was not loaded", job.name)),
        Looked::Shown(shown) if !shown.enabled() => Standing::Wrong(format!("{} was disabled", job.name)),
        // Whether the service itself runs is the business of the pass.
        Looked::Shown(shown) if job.kind != JobKind::Gateway && shown.active != "active" => {
            Standing::Wrong(format!("{} was not running", job.name))
        }
        Looked::Shown(shown) if shown.needs_reload => Standing::Stale,
        Looked::Shown(_) => Standing::Right,
        Looked::NoManager(why) => Standing::Unclear(format!(
            "systemd's user manager is not there ({why}): it ends with the last login; `{}` keeps it",
            systemd::LINGER
        )),
        Looked::Unclear(why) => Standing::Unclear(why),
    }
}

fn in_launchd(job: &Job) -> Standing {
    use launchd::{Agent, Call, Looked};
    let agent = Agent::labelled(&job.name);
    let deadline = Deadline::after(CALL);
    match agent.look(&deadline) {
        Looked::Loaded(_) => Standing::Right,
        Looked::NotLoaded if agent.disabled(&deadline) == Some(true) => Standing::Forbidden(format!(
            "{} is disabled in launchd, which only a person does; `{}` undoes it",
            job.name,
            agent.line(Call::Enable)
        )),
        Looked::NotLoaded => Standing::Wrong(format!("{} was not loaded", job.name)),
        Looked::NoSession => Standing::Unclear(format!(
            "nobody is logged in at the screen, and {} belongs to that session; log in there",
            job.name
        )),
        Looked::Unclear(why) => Standing::Unclear(why),
    }
}

/// The service's own job is defined, known and enabled here, and started by the pass; ours are started too.
fn mend(job: &Job, kind: JobKind, standing: &Standing) -> Result<()> {
    job.restore()?;
    if job.manager == ManagerKind::Systemd && matches!(standing, Standing::Forbidden(_)) {
        let unit = systemd::Unit::new(&job.name);
        unit.call(systemd::Call::Unmask, CALL)?;
    }
    if kind != JobKind::Gateway || job.manager != ManagerKind::Systemd {
        return manager::register(job);
    }
    use systemd::{Call, Unit};
    let unit = Unit::new(&job.name);
    unit.call(Call::Reload, CALL)?;
    let reply = unit.call(Call::Enable, CALL)?;
    if reply.good() {
        return Ok(());
    }
    Err(Fault::new(oc_core::exit::Exit::Io, reply.complaint))
}
