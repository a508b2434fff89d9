//! From what was seen to what it means. Pure: no clock, no file, no process.

use crate::checks::config::ConfigSeen;
use crate::checks::disk::Disk;
use crate::checks::liveness::Liveness;
use crate::checks::memory::Memory;
use crate::checks::process::Process;
use crate::checks::readiness::{Readiness, Stage};
use oc_core::class::Class;
use oc_core::config::Probe;
use oc_core::report::{Holder, ManagerKind, ServiceState, ServiceView};
use std::time::Duration;

/// Ends in a row of processes that were never ready, from which on it is a crash loop.
const CRASHES: u32 = 3;
/// The exit status that says "my configuration does not let me run; do not start me again".
const EX_CONFIG: i32 = 78;

/// Everything that one attempt saw; `None` is what was not looked at.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// A person stopped it: who and why.
    pub stopped: Option<String>,
    /// Maintenance is declared: why.
    pub maintenance: Option<String>,
    /// Why it cannot be told what a person wants.
    pub blind: Option<String>,
    /// The machine slept while we looked.
    pub slept: bool,
    /// The answer.
    pub liveness: Option<Liveness>,
    /// What it says about itself.
    pub readiness: Option<Readiness>,
    /// The process.
    pub process: Option<Process>,
    /// The manager.
    pub service: Option<ServiceView>,
    /// Who holds the port.
    pub holder: Option<Holder>,
    /// Memory of the tree.
    pub memory: Option<Memory>,
    /// The configuration file.
    pub config: Option<ConfigSeen>,
    /// Space.
    pub disk: Option<Disk>,
    /// What is wrong with the state database.
    pub database: Option<String>,
    /// Why it looks like an upgrade.
    pub upgrade: Option<String>,
    /// 95th percentile of the recent answer times.
    pub latency_p95: Option<Duration>,
    /// Names of the deep probes that fail.
    pub deep_failed: Vec<String>,
}

impl Seen {
    /// True when the service itself answered as it should.
    #[must_use]
    pub fn serving(&self) -> bool {
        self.liveness.as_ref().is_some_and(Liveness::serving)
    }

    fn state(&self) -> Option<ServiceState> {
        self.service.as_ref().map(|view| view.state)
    }

    fn alive(&self) -> bool {
        matches!(self.process, Some(Process::Alive { .. }))
    }

    fn gone(&self) -> bool {
        matches!(self.process, Some(Process::Gone { .. }))
    }

    /// A stranger answers in the place of the service.
    fn stranger(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| !holder.ours)
    }
}

/// Every condition that holds, in order of precedence.
#[must_use]
pub fn conditions(seen: &Seen, probe: &Probe) -> Vec<Class> {
    let mut found = Vec::new();
    if seen.serving() {
        serving(seen, probe, &mut found);
    } else if let Some(liveness) = &seen.liveness {
        not_serving(seen, liveness, probe, &mut found);
    } else {
        process(seen, &mut found);
    }
    surroundings(seen, probe, &mut found);
    if !found.is_empty() {
        // Sleep explains every measurement but the death of a process.
        if seen.blind.is_some() || (seen.slept && !found.contains(&Class::ProcessGone)) {
            found.push(Class::Inconclusive);
        }
        if seen.maintenance.is_some() {
            found.push(Class::Maintenance);
        }
        if !seen.serving() {
            found.extend(seen.upgrade.as_ref().map(|_| Class::Upgrading));
            found.extend(seen.stopped.as_ref().map(|_| Class::StoppedOnPurpose));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// It answers: is anything else wrong?
fn serving(seen: &Seen, probe: &Probe, found: &mut Vec<Class>) {
    if let Some(readiness) = &seen.readiness {
        match readiness.stage {
            Stage::Starting => found.push(Class::Starting),
            Stage::Draining => found.push(Class::Draining),
            Stage::NotReady => found.push(Class::NotReady),
            Stage::Ready if !readiness.suppressed.is_empty() => found.push(Class::SafeMode),
            Stage::Ready | Stage::Unclear => {}
        }
    }
    if seen.latency_p95.is_some_and(|p95| p95 > probe.slow_p95.get()) {
        found.push(Class::Slow);
    }
    if !seen.deep_failed.is_empty() {
        found.push(Class::DeepFailed);
    }
}

/// It does not answer as it should: why?
fn not_serving(seen: &Seen, liveness: &Liveness, probe: &Probe, found: &mut Vec<Class>) {
    match liveness {
        Liveness::Serving { .. } => return,
        Liveness::Unmeasured { .. } | Liveness::Quiet { .. } => {
            // Not even whether a process is there is worth anything now: we may be out of descriptors.
            found.push(Class::Inconclusive);
            return;
        }
        Liveness::Refused if seen.alive() || seen.process.is_none() || unknown(seen) => found.push(Class::Refused),
        Liveness::Refused => {}
        Liveness::Silent { .. } if seen.stranger() => found.push(Class::ForeignListener),
        Liveness::Silent { .. } => found.push(Class::Hung),
        Liveness::Status { .. } | Liveness::Body { .. } | Liveness::Broken { .. } if seen.stranger() => {
            found.push(Class::ForeignListener);
        }
        Liveness::Status { .. } | Liveness::Broken { .. } => found.push(Class::HttpError),
        Liveness::Body { .. } => found.push(Class::WrongBody),
    }
    process(seen, found);
    if seen.alive() && !found.contains(&Class::ForeignListener) {
        passing(seen, liveness, probe, found);
    }
}

fn unknown(seen: &Seen) -> bool {
    matches!(seen.process, Some(Process::Unknown))
}

/// On its way up or down: states that end by themselves.
fn passing(seen: &Seen, liveness: &Liveness, probe: &Probe, found: &mut Vec<Class>) {
    let Some(Process::Alive {
        age_ms, served_before, ..
    }) = &seen.process
    else {
        return;
    };
    let stage = seen.readiness.as_ref().map(|readiness| readiness.stage);
    let young = age_ms.is_some_and(|age| Duration::from_millis(age) < probe.startup_grace.get());
    let stopping = seen.state() == Some(ServiceState::Stopping);
    if stage == Some(Stage::Draining) || stopping || (*served_before && *liveness == Liveness::Refused) {
        found.push(Class::Draining);
    }
    if stage == Some(Stage::Starting) || (young && !served_before) {
        found.push(Class::Starting);
    }
}

/// What the process table and the manager say while nobody answers.
fn process(seen: &Seen, found: &mut Vec<Class>) {
    if let Some(view) = &seen.service {
        match view.state {
            // Beside a live process its own illness is what counts: registering would start a second one.
            ServiceState::Unregistered if !seen.alive() => found.push(Class::Unregistered),
            // Given up: after too many starts, or after an exit that it was told not to answer with another start.
            ServiceState::Failed if view.manager == ManagerKind::Systemd && !seen.alive() => {
                found.push(Class::StartLimit);
            }
            // The manager was told by a person that nobody wants it to run.
            ServiceState::Stopped if !seen.alive() => found.push(Class::StoppedOnPurpose),
            // Its process is over and the manager not done with it yet: it stops or restarts it, and nobody else should.
            ServiceState::Stopping if !seen.alive() => found.push(Class::Draining),
            _ => {}
        }
        if !seen.alive() {
            if view.last_exit().is_some_and(|exit| exit.status == Some(EX_CONFIG)) {
                found.push(Class::ExitConfig);
            }
            if view.never_ready_in_a_row >= CRASHES {
                found.push(Class::CrashLoop);
            }
        }
    }
    if seen.gone() {
        found.push(Class::ProcessGone);
        // Its very first start is under way: the manager has been asked, and there is no process to see yet.
        let never = matches!(seen.process, Some(Process::Gone { identity: None }));
        let first = |view: &ServiceView| {
            view.state == ServiceState::Starting && view.exits.is_empty() && view.never_ready_in_a_row == 0
        };
        if never && seen.service.as_ref().is_some_and(first) {
            found.push(Class::Starting);
        }
    }
}

/// What is true whether or not it answers.
fn surroundings(seen: &Seen, probe: &Probe, found: &mut Vec<Class>) {
    if let Some(problem) = seen.config.as_ref().and_then(|config| config.problem.as_ref()) {
        found.push(problem.class);
    }
    if seen.database.is_some() && !seen.serving() {
        found.push(Class::StateDb);
    }
    if seen.disk.is_some_and(|disk| disk.full(probe.disk_min_free.get())) {
        found.push(Class::DiskFull);
    }
    if let Some(memory) = &seen.memory {
        if memory.rss_bytes >= probe.memory_limit.get() {
            found.push(Class::MemoryHigh);
        } else if memory.leak.is_some() {
            found.push(Class::MemoryLeak);
        }
    }
}

#[cfg(test)]
mod tests;
