//! One look at the service: run the checks that are of use, describe them, classify.

use crate::checks::liveness::{self, Liveness};
use crate::checks::process::{self, Process};
use crate::checks::{config, database, deep, disk, memory, port, readiness, service, timed, upgrade};
use crate::classify::{self, Seen};
use crate::cli::CheckName;
use crate::package::Package;
use crate::past::Past;
use crate::subject::Subject;
use crate::summary;
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::config::Kind;
use oc_core::identity::Identity;
use oc_core::intent::Intent;
use oc_core::redact::Redactor;
use oc_core::report::{Check, CheckStatus, Holder, Report, ServiceState, ServiceView};
use oc_core::stop_record;
use std::time::Duration;

/// More sleep than this while we looked makes the measurement worthless.
const SLEPT: Duration = Duration::from_secs(1);
/// A manager speaks of a process that it has just started within this time, even on a busy machine.
const ABREAST: Duration = Duration::from_secs(1);
/// Fewer answer times than this make no percentile.
const LATENCIES: usize = 3;

/// Looks once. Ends with `overall` at the latest; one attempt's HTTP takes at most `probe.timeout`, unless the service
/// stays silent: then up to `probe.hang_after`.
#[must_use]
pub fn attempt(subject: &Subject, overall: &Deadline) -> Report {
    let began = Stamp::now();
    let mut look = Look {
        subject,
        overall,
        past: if subject.only_asks() {
            Past::default()
        } else {
            Past::read(&subject.paths)
        },
        seen: Seen::default(),
        checks: Vec::new(),
    };
    look.will(&began);
    look.answer();
    look.process();
    if look.seen.serving() {
        look.readiness();
    } else {
        look.reasons();
    }
    look.surroundings();
    if look.seen.serving() {
        look.deep();
    }
    look.report(&began)
}

struct Look<'a> {
    subject: &'a Subject,
    overall: &'a Deadline,
    past: Past,
    seen: Seen,
    checks: Vec<Check>,
}

impl Look<'_> {
    fn note(&mut self, mut check: Check, took_ms: u64) {
        check.took_ms = took_ms;
        self.checks.push(check);
    }

    fn wants(&self, check: CheckName) -> bool {
        self.subject.wants(check)
    }

    /// What a person said about it.
    fn will(&mut self, now: &Stamp) {
        let reason = |reason: &Option<String>| reason.clone().unwrap_or_else(|| "no reason given".to_owned());
        match Intent::peek(&self.subject.paths.intent()) {
            Ok(intent) => {
                self.seen.maintenance = intent.maintenance_now(now).map(|m| reason(&m.reason));
                self.seen.stopped = intent.stopped.map(|s| format!("{}, by {}", reason(&s.reason), s.by));
            }
            Err(fault) => self.seen.blind = Some(fault.what),
        }
    }

    /// What a person told OpenClaw instead of us.
    fn will_told_to_openclaw(&mut self, view: &ServiceView) {
        let ours = self.subject.config.service.kind == Kind::Openclaw;
        if ours && self.seen.stopped.is_none() && view.state == ServiceState::Unregistered {
            self.seen.stopped = stop_record::in_force(&self.subject.paths).map(|stopped| format!("by {}", stopped.by));
        }
    }

    fn answer(&mut self) {
        if !self.wants(CheckName::Liveness) {
            return;
        }
        let Subject { target, config, .. } = self.subject;
        let (seen, took_ms) = timed(|| liveness::look(target, &config.probe, self.overall));
        self.note(seen.check(&config.probe), took_ms);
        self.seen.liveness = Some(seen);
    }

    /// Who it is, by the records; by the port where no record knows and it answers.
    fn process(&mut self) {
        if !self.wants(CheckName::Process) && !self.wants(CheckName::Memory) {
            return;
        }
        let (seen, took_ms) = timed(|| {
            let mut seen = process::look(&self.past);
            if seen.identity().is_none() && self.seen.serving() {
                let holder = port::look(&self.subject.target, []);
                if let Some(found) = holder.and_then(|holder| Process::alive(&holder.identity, &self.past)) {
                    seen = found;
                }
            }
            seen
        });
        if self.seen.serving() && self.wants(CheckName::Process) {
            self.note(seen.check(), took_ms);
        }
        self.seen.process = Some(seen);
    }

    fn readiness(&mut self) {
        if !self.wants(CheckName::Readiness) {
            return;
        }
        let Subject { target, config, .. } = self.subject;
        let deadline = self.overall.within(config.probe.timeout.get());
        let (seen, took_ms) = timed(|| readiness::look(target, &config.probe, &deadline));
        if let Some(seen) = seen {
            self.note(seen.check(&config.probe), took_ms);
            self.seen.readiness = Some(seen);
        }
    }

    /// It does not serve: now everybody is asked.
    fn reasons(&mut self) {
        let Subject {
            target, config, paths, ..
        } = self.subject;
        let answered = matches!(
            self.seen.liveness,
            Some(Liveness::Status { .. } | Liveness::Body { .. } | Liveness::Broken { .. })
        );
        if answered && self.wants(CheckName::Readiness) {
            let deadline = self.overall.within(config.probe.timeout.get());
            let (stage, took_ms) = timed(|| readiness::stage(target, &config.probe, &deadline));
            if let Some(stage) = stage {
                self.note(stage.check(&config.probe), took_ms);
                self.seen.readiness = Some(stage);
            }
        }
        let ((), service_ms) = timed(|| self.manager());
        let refused = self.seen.liveness == Some(Liveness::Refused);
        // Where connections are refused nobody listens: that needs no scan of /proc.
        let scan = self.subject.insists(CheckName::Port) || (self.wants(CheckName::Port) && !refused);
        let (_, port_ms) = timed(|| scan.then(|| self.listener()));
        if let Some(view) = self.seen.service.clone() {
            self.note(service::line(&view), service_ms);
            self.will_told_to_openclaw(&view);
        }
        if self.wants(CheckName::Process)
            && let Some(process) = &self.seen.process
        {
            let line = process.check();
            self.note(line, 0);
        }
        if scan {
            self.note(port::line(target, self.seen.holder.as_ref()), port_ms);
        }
        if config.service.kind == oc_core::config::Kind::Openclaw && !self.subject.is_narrowed() {
            self.seen.database = database::look(paths);
            let package = Package::find(&config.service);
            let service = self.seen.process.as_ref().and_then(Process::identity);
            self.seen.upgrade = upgrade::look(package.as_ref(), &self.past, service);
        }
    }

    /// What the manager says. Its word about the process is better than a record.
    fn manager(&mut self) {
        if !self.wants(CheckName::Service) {
            return;
        }
        let Subject { config, paths, .. } = self.subject;
        let view = oc_core::service::view(self.subject.manager(), &config.service, paths);
        if let Some(identity) = &view.identity {
            if let Some(found) = Process::alive(identity, &self.past) {
                self.seen.process = Some(found);
            }
        } else if view.state != ServiceState::Unknown && matches!(self.seen.process, Some(Process::Unknown)) {
            self.seen.process = Some(Process::Gone { identity: None });
        }
        self.seen.service = Some(view);
    }

    /// Who listens. The service's next process may do so before its manager or a record names it, and a killed one until its
    /// end is complete: a stranger is who still listens, and is still unknown, a moment later.
    fn listener(&mut self) {
        self.seen.holder = port::look(&self.subject.target, self.known());
        let Some(stranger) = self.seen.holder.take_if(|holder| !holder.ours) else {
            return;
        };
        pause(ABREAST.min(self.overall.left()));
        self.past = Past::read(&self.subject.paths);
        if let Some(process) = &mut self.seen.process {
            *process = process::look(&self.past);
        }
        self.manager();
        self.seen.holder = port::look(&self.subject.target, self.known());
        let same = |holder: &Holder| holder.identity == stranger.identity;
        if let Some(answer) = &mut self.seen.liveness
            && !self.seen.holder.as_ref().is_some_and(same)
        {
            // Whose answer it was cannot be told any more.
            let what = format!("pid {} listened, and a moment later did not", stranger.identity.pid);
            *answer = Liveness::Unmeasured { what };
        }
    }

    fn known(&self) -> impl Iterator<Item = &Identity> {
        let by_manager = self.seen.service.as_ref().and_then(|view| view.identity.as_ref());
        self.past.candidates().chain(by_manager)
    }

    /// What is looked at whether or not it serves.
    fn surroundings(&mut self) {
        let Subject {
            target, config, paths, ..
        } = self.subject;
        if self.subject.insists(CheckName::Service) && self.seen.service.is_none() {
            let view = oc_core::service::view(self.subject.manager(), &config.service, paths);
            self.note(service::line(&view), 0);
            self.seen.service = Some(view);
        }
        if self.subject.insists(CheckName::Port) && self.seen.holder.is_none() && self.seen.serving() {
            let mut known: Vec<Identity> = self.known().cloned().collect();
            known.extend(self.seen.process.as_ref().and_then(Process::identity).cloned());
            let holder = port::look(target, &known);
            self.note(port::line(target, holder.as_ref()), 0);
            self.seen.holder = holder;
        }
        let identity = self.seen.process.as_ref().and_then(Process::identity);
        if self.wants(CheckName::Memory)
            && let Some(identity) = identity
        {
            let (seen, took_ms) = timed(|| memory::look(identity, &self.past.memory, &config.probe, &Stamp::now()));
            if let Some(seen) = seen {
                self.note(seen.check(&config.probe), took_ms);
                self.seen.memory = Some(seen);
            }
        }
        if self.wants(CheckName::Config) {
            let path = paths.service_config();
            let (seen, took_ms) = timed(|| config::look(path, &config.service, self.past.config_seen.as_ref()));
            if let Some(seen) = seen {
                self.note(seen.check(path), took_ms);
                self.seen.config = Some(seen);
            }
        }
        if self.wants(CheckName::Disk) {
            let (seen, took_ms) = timed(|| disk::look(paths.openclaw()));
            if let Some(seen) = seen {
                self.note(seen.check(config.probe.disk_min_free.get()), took_ms);
                self.seen.disk = Some(seen);
            }
        }
        self.seen.latency_p95 = self.latency_p95();
    }

    fn deep(&mut self) {
        if !self.wants(CheckName::Deep) {
            return;
        }
        let Subject { target, config, .. } = self.subject;
        for one in &config.probe.deep {
            let (line, took_ms) = timed(|| deep::look(one, &config.probe, target, self.overall));
            if line.status == CheckStatus::Fail {
                self.seen.deep_failed.push(one.name.clone());
            }
            self.note(line, took_ms);
        }
    }

    fn latency_ms(&self) -> Option<u64> {
        match self.seen.liveness {
            Some(Liveness::Serving { latency_ms, .. }) => Some(latency_ms),
            _ => None,
        }
    }

    fn latency_p95(&self) -> Option<Duration> {
        let mut all = self.past.latencies_ms.clone();
        all.extend(self.latency_ms());
        all.sort_unstable();
        let last = all.len().checked_sub(1).filter(|_| all.len() >= LATENCIES)?;
        all.get((last * 95).div_ceil(100)).copied().map(Duration::from_millis)
    }

    fn report(mut self, began: &Stamp) -> Report {
        let stamp = Stamp::now();
        self.seen.slept = stamp.slept_since(began) > SLEPT;
        let latency_ms = self.latency_ms();
        let seen = self.seen;
        let conditions = classify::conditions(&seen, &self.subject.config.probe);
        let class = conditions.first().copied();
        let process = seen.process.as_ref();
        let mut report = Report {
            target: self.subject.target.url(""),
            class,
            summary: summary::summary(&seen, class),
            conditions,
            identity: process.and_then(Process::identity).cloned(),
            checks: self.checks,
            uptime_ms: seen.readiness.as_ref().and_then(|readiness| readiness.uptime_ms),
            rss_bytes: seen.memory.map(|memory| memory.rss_bytes),
            latency_ms,
            stalled_ms: seen.liveness.as_ref().map_or(0, Liveness::stalled_ms),
            holder: seen.holder,
            config_hash: seen.config.as_ref().and_then(|config| config.hash.clone()),
            config_seen: seen.config.and_then(|config| serde_json::to_value(config).ok()),
            served_before: process.is_some_and(Process::served_before),
            service: seen.service,
            stamp,
        };
        // A healthy report quotes nobody.
        if class.is_some() {
            redact(&mut report, &self.subject.redactor());
        }
        report
    }
}

/// Takes secrets out of everything that quotes others: answers, command lines, outputs.
fn redact(report: &mut Report, redactor: &Redactor) {
    let clean = |text: &mut String| *text = redactor.redact(text).into_owned();
    clean(&mut report.summary);
    report.checks.iter_mut().for_each(|check| clean(&mut check.actual));
    if let Some(holder) = &mut report.holder {
        clean(&mut holder.command);
    }
}
