//! What decide and settle look at: the report, the person's will, the state of the store.

use crate::history::MemoryLimits;
use crate::pass::RunDir;
use crate::policy::{Context, Maintenance, RungResult, Stopped, Store};
use crate::state::State;
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::config::{Policy, Span};
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::intent::Intent;
use oc_core::report::{Envelope, ManagerKind, Report, parse};
use oc_core::service::embedded;
use oc_core::stop_record;
use oc_core::world::World;
use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A report larger than this is none.
const REPORT_CAP: u64 = 4 << 20;

/// The run directory, inside a pass: `run` named it, and its lock was inherited.
pub(super) fn pass_dir(world: &World) -> Option<PathBuf> {
    let dir = PathBuf::from(std::env::var_os("OC_RUN_DIR")?);
    oc_core::lock::inside(&world.paths.healing_lock()).then_some(dir)
}

/// The probe's report. Inside a pass a probe that left nothing usable (missing, crashed, killed) is a report that says so:
/// not knowing is not down. By hand it is an error.
pub(super) fn report(file: &Path, inside: bool) -> Result<Report> {
    let bytes = read(file);
    match bytes.and_then(|b| parse::<Report>(&b, &format!("report in {}", file.display()))) {
        Ok(Envelope { body, .. }) => Ok(body),
        Err(fault) if inside => Ok(nothing_measured(&fault)),
        Err(fault) => Err(fault.hint("make one with `oc-probe --json`")),
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .take(REPORT_CAP)
            .read_to_end(&mut bytes)
            .map_err(|e| Fault::io("read", Path::new("stdin"), e))?;
        return Ok(bytes);
    }
    fsx::read_capped(file, REPORT_CAP)?.ok_or_else(|| Fault::data(format_args!("{} does not exist", file.display())))
}

fn nothing_measured(fault: &Fault) -> Report {
    Report {
        class: Some(Class::Inconclusive),
        conditions: vec![Class::Inconclusive],
        summary: format!("nothing could be measured: {fault}"),
        ..Report::empty(Stamp::now())
    }
}

/// A person's will, also when it was told to OpenClaw and not to us: then the probe has seen that nobody wants the service.
///
/// # Errors
/// 74 or 77 when it cannot be read.
pub(super) fn will(world: &World, report: &Report) -> Result<Intent> {
    let mut intent = world.intent()?;
    if intent.stopped.is_none() && report.class == Some(Class::StoppedOnPurpose) {
        intent.stopped = stop_record::in_force(&world.paths);
    }
    Ok(intent)
}

/// The report, or what a probe would say now that the supervisor was told to end.
pub(super) fn unless_told_to_end<'a>(world: &World, report: &'a Report) -> Cow<'a, Report> {
    let embedded = oc_core::service::chosen(world.config.service.manager, &world.paths) == ManagerKind::Embedded;
    if report.class.is_none() || !embedded || !embedded::Dir::of(&world.paths).told_to_end() {
        return Cow::Borrowed(report);
    }
    Cow::Owned(Report {
        class: Some(Class::StoppedOnPurpose),
        ..report.clone()
    })
}

/// The parts of a [`Context`] that must live as long as it does.
#[derive(Debug)]
pub(super) struct Surroundings {
    now: Stamp,
    previous: Option<Stamp>,
    began: Stamp,
    interval: Duration,
    stopped: Option<Stopped>,
    maintenance: Option<Maintenance>,
    consent: bool,
    label: String,
    memory: MemoryLimits,
    jitter_permille: u16,
}

impl Surroundings {
    pub(super) fn look(world: &World, previous: Option<Stamp>, intent: Intent) -> Self {
        let service = &world.config.service;
        let manager = oc_core::service::chosen(service.manager, &world.paths);
        let policy = &world.config.policy;
        let now = Stamp::now();
        // By hand there is no pass, and what is asked now begins now.
        let record = pass_dir(world).and_then(|_| RunDir::new(&world.paths).record());
        Self {
            began: record.map_or_else(|| now.clone(), |record| record.started),
            now,
            previous,
            interval: match manager {
                ManagerKind::Embedded => policy.interval_embedded.get(),
                ManagerKind::Launchd | ManagerKind::Systemd => policy.interval.get(),
            },
            stopped: intent.stopped.map(|s| Stopped {
                since: s.since,
                reason: s.reason.unwrap_or_else(|| format!("by {}", s.by)),
            }),
            maintenance: intent.maintenance.map(|m| Maintenance {
                since: m.since,
                lasts: Some(Span::secs(m.for_s)),
                reason: m.reason.unwrap_or_else(|| "no reason given".to_owned()),
            }),
            consent: world.config.agent.enabled,
            memory: MemoryLimits::from(&world.config.probe),
            label: match manager {
                ManagerKind::Launchd => service.label.clone(),
                ManagerKind::Systemd | ManagerKind::Embedded => service.unit.trim_end_matches(".service").to_owned(),
            },
            jitter_permille: jitter(),
        }
    }

    pub(super) fn now(&self) -> &Stamp {
        &self.now
    }

    pub(super) fn context<'a>(&'a self, store: Store<'a>, rung: RungResult) -> Context<'a> {
        Context {
            previous: self.previous.as_ref(),
            began: &self.began,
            stopped: self.stopped.as_ref(),
            maintenance: self.maintenance.as_ref(),
            store,
            consent: self.consent,
            jitter_permille: self.jitter_permille,
            rung,
            label: &self.label,
            memory: self.memory,
            ..Context::plain(&self.now, self.interval)
        }
    }
}

/// Whether the history can be trusted: one that had to be put aside is in doubt for as long as the policy waits between two
/// tries at the end of the ladder.
pub(super) fn store(state: &State, policy: &Policy, now: &Stamp) -> Store<'static> {
    let doubtful = state
        .doubt
        .as_ref()
        .is_some_and(|since| now.since(since) < policy.ladder.half_open.get());
    if doubtful { Store::Unreadable } else { Store::Sound }
}

fn jitter() -> u16 {
    oc_core::chance::bits() % 1001
}
