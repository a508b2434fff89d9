//! From what was seen to what it means. Pure: no clock, no file, no process.

use crate::checks::config::ConfigSeen;
use crate::checks::disk::Disk;
use crate::checks::liveness::Liveness;
use crate::checks::memory::Memory;
use crate::checks::process::Process;
use crate::checks::readiness::{Readiness, Stage};
use oc_core::class::Class;
use oc_core::config::Probe;
use oc_core::report::{Holder, ServiceState, ServiceView};
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
            // The manager was told by a person that nobody wants it to run.
            ServiceState::Stopped if !seen.alive() => found.push(Class::StoppedOnPurpose),
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

/// One sentence for a person.
#[must_use]
pub fn summary(seen: &Seen, class: Option<Class>) -> String {
    let text = |option: &Option<String>| option.clone().unwrap_or_default();
    let pid = seen
        .process
        .as_ref()
        .and_then(Process::identity)
        .map_or(String::new(), |identity| format!(" (pid {})", identity.pid));
    let Some(class) = class else {
        return match seen.liveness {
            Some(_) => format!("the service answers as it should{pid}"),
            None => "nothing is wrong with what was looked at".to_owned(),
        };
    };
    let said = seen.readiness.as_ref().map_or("", |readiness| readiness.said.as_str());
    let config = || {
        let problem = seen.config.as_ref().and_then(|config| config.problem.as_ref());
        problem.map_or(String::new(), |problem| problem.what.clone())
    };
    let stalled_s = seen.liveness.as_ref().map_or(0, Liveness::stalled_ms) / 1000;
    match class {
        Class::StoppedOnPurpose => format!("the service was stopped on purpose: {}", text(&seen.stopped)),
        Class::Maintenance => format!("maintenance is declared: {}", text(&seen.maintenance)),
        Class::Upgrading => format!("an upgrade is under way: {}", text(&seen.upgrade)),
        Class::Inconclusive if seen.slept => "the machine slept while we looked".to_owned(),
        Class::Inconclusive => match &seen.liveness {
            _ if seen.blind.is_some() => format!(
                "could not tell whether it was stopped on purpose: {}",
                text(&seen.blind)
            ),
            Some(Liveness::Unmeasured { what }) => format!("could not tell: {what}"),
            Some(Liveness::Quiet { .. }) => {
                format!("no byte came for {stalled_s} s; that is too short to call it hung")
            }
            _ => "could not tell".to_owned(),
        },
        Class::Draining => format!("the service{pid} was told to stop and finishes its work first"),
        Class::Starting => format!("the service{pid} is starting"),
        Class::NewerConfig => format!("the configuration is newer than the program: {}", config()),
        Class::StateDb => format!("the state database cannot be read: {}", text(&seen.database)),
        Class::DiskFull => "there is no space left where the service writes".to_owned(),
        Class::ForeignListener => match &seen.holder {
            Some(holder) => format!(
                "another program answers on the port: pid {} ({})",
                holder.identity.pid, holder.command
            ),
            None => "another program answers on the port".to_owned(),
        },
        Class::ConfigMissing => format!("the configuration is missing: {}", config()),
        Class::ConfigInvalid => format!("the configuration is broken: {}", config()),
        Class::ExitConfig => "the service exited with 78: its configuration does not let it run".to_owned(),
        Class::Auth => "the service's credentials are refused".to_owned(),
        Class::StartLimit => "the service manager gave up after too many starts".to_owned(),
        Class::Unregistered => "the service manager does not know the service".to_owned(),
        Class::CrashLoop => {
            let times = seen.service.as_ref().map_or(0, |view| view.never_ready_in_a_row);
            format!("the service died {times} times in a row before it was ready once")
        }
        Class::Hung => format!("the service{pid} accepts connections but has not sent a byte for {stalled_s} s"),
        Class::ProcessGone => "the service has no process".to_owned(),
        Class::Refused => format!("the service{pid} refuses connections"),
        Class::HttpError => match &seen.liveness {
            Some(Liveness::Status { status, .. }) => format!("the service{pid} answers with HTTP {status}"),
            Some(Liveness::Broken { what }) => format!("the service{pid} does not answer properly: {what}"),
            _ => format!("the service{pid} does not answer properly"),
        },
        Class::WrongBody => format!("the service{pid} answers, but not what it should"),
        Class::NotReady => format!("the service{pid} lives, but is not ready: {said}"),
        Class::SafeMode => {
            let channels = seen
                .readiness
                .as_ref()
                .map_or(String::new(), |r| r.suppressed.join(", "));
            format!("the service{pid} keeps channels down after crashes: {channels}")
        }
        Class::MemoryHigh => format!("the service{pid} uses too much memory"),
        Class::MemoryLeak => format!("the service{pid} leaks memory"),
        Class::Slow => format!("the service{pid} answers slowly"),
        Class::DeepFailed => format!("behind the service fails: {}", seen.deep_failed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::config::Problem;
    use oc_core::class::Health;
    use oc_core::clock::Stamp;
    use oc_core::identity::Identity;
    use oc_core::report::{ManagerKind, ServiceExit};
    use proptest::prelude::*;

    fn identity() -> Identity {
        Identity {
            pid: 7,
            started: 1,
            boot: "b".into(),
        }
    }

    fn alive(age_s: u64, served_before: bool) -> Option<Process> {
        Some(Process::Alive {
            identity: identity(),
            stuck: None,
            age_ms: Some(age_s * 1000),
            served_before,
        })
    }

    fn gone() -> Option<Process> {
        Some(Process::Gone { identity: None })
    }

    fn view(state: ServiceState) -> ServiceView {
        ServiceView {
            manager: ManagerKind::Embedded,
            state,
            identity: None,
            exits: Vec::new(),
            never_ready_in_a_row: 0,
            next_start_at: None,
        }
    }

    fn exited(status: i32) -> ServiceView {
        let at = Stamp {
            wall_ms: 0,
            boot_ms: 0,
            awake_ms: 0,
            boot: "b".into(),
        };
        let exit = ServiceExit {
            at,
            status: Some(status),
            signal: None,
            was_ready: false,
            ran_ms: 0,
        };
        ServiceView {
            exits: vec![exit],
            ..view(ServiceState::Starting)
        }
    }

    fn holder(ours: bool) -> Option<Holder> {
        Some(Holder {
            identity: identity(),
            command: "x".into(),
            uid: None,
            ours,
        })
    }

    fn ready(stage: Stage) -> Option<Readiness> {
        Some(Readiness {
            stage,
            failing: Vec::new(),
            suppressed: Vec::new(),
            event_loop_late: false,
            uptime_ms: None,
            version: None,
            said: String::new(),
        })
    }

    fn broken_config() -> Option<ConfigSeen> {
        Some(ConfigSeen {
            stamp: None,
            hash: None,
            written_by: None,
            problem: Some(Problem::new(Class::ConfigInvalid, String::new())),
        })
    }

    fn serves() -> Seen {
        Seen {
            liveness: Some(Liveness::Serving {
                latency_ms: 1,
                said: String::new(),
            }),
            process: alive(1000, true),
            readiness: ready(Stage::Ready),
            ..Seen::default()
        }
    }

    fn refuses(process: Option<Process>) -> Seen {
        Seen {
            liveness: Some(Liveness::Refused),
            process,
            service: Some(view(ServiceState::Running)),
            ..Seen::default()
        }
    }

    fn answers(status: u16, process: Option<Process>, ours: bool) -> Seen {
        Seen {
            liveness: Some(Liveness::Status {
                status,
                said: String::new(),
            }),
            process,
            holder: holder(ours),
            ..Seen::default()
        }
    }

    fn silent(process: Option<Process>) -> Seen {
        Seen {
            liveness: Some(Liveness::Silent { stalled_ms: 45_000 }),
            process,
            holder: holder(true),
            ..Seen::default()
        }
    }

    fn names(seen: &Seen) -> String {
        let found = conditions(seen, &Probe::default());
        found.iter().map(|class| class.name()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_follows_from_what() {
        let some = |text: &str| Some(text.to_owned());
        let table: Vec<(&str, Seen, &str)> = vec![
            ("all is well", serves(), ""),
            ("nothing was looked at", Seen::default(), ""),
            (
                "a person's will beside a healthy service",
                Seen {
                    stopped: some("x"),
                    maintenance: some("x"),
                    ..serves()
                },
                "",
            ),
            (
                "an upgrade beside a healthy service",
                Seen {
                    upgrade: some("x"),
                    ..serves()
                },
                "",
            ),
            (
                "a broken file beside it",
                Seen {
                    config: broken_config(),
                    ..serves()
                },
                "config_invalid",
            ),
            (
                "a garbled database that it has open",
                Seen {
                    database: some("x"),
                    ..serves()
                },
                "",
            ),
            (
                "sidecars not there yet",
                Seen {
                    readiness: ready(Stage::Starting),
                    ..serves()
                },
                "starting",
            ),
            (
                "one channel is broken",
                Seen {
                    readiness: ready(Stage::NotReady),
                    ..serves()
                },
                "not_ready",
            ),
            (
                "an older version without /readyz",
                Seen {
                    readiness: ready(Stage::Unclear),
                    ..serves()
                },
                "",
            ),
            ("boots", refuses(alive(20, false)), "starting refused"),
            ("boots for too long", refuses(alive(400, false)), "refused"),
            ("served, then refuses", refuses(alive(4000, true)), "draining refused"),
            (
                "served for a moment, then refuses",
                refuses(alive(5, true)),
                "draining refused",
            ),
            (
                "is being stopped",
                Seen {
                    service: Some(view(ServiceState::Stopping)),
                    ..answers(503, alive(900, true), true)
                },
                "draining http_error",
            ),
            (
                "says that it drains",
                Seen {
                    readiness: ready(Stage::Draining),
                    ..answers(503, alive(900, true), true)
                },
                "draining http_error",
            ),
            ("no process", refuses(gone()), "process_gone"),
            (
                "exit 78",
                Seen {
                    service: Some(exited(78)),
                    ..refuses(gone())
                },
                "exit_config process_gone",
            ),
            (
                "exit 78 and started again",
                Seen {
                    service: Some(exited(78)),
                    ..refuses(alive(1, false))
                },
                "starting refused",
            ),
            (
                "exit 1",
                Seen {
                    service: Some(exited(1)),
                    ..refuses(gone())
                },
                "process_gone",
            ),
            (
                "unregistered",
                Seen {
                    service: Some(view(ServiceState::Unregistered)),
                    ..refuses(gone())
                },
                "unregistered process_gone",
            ),
            (
                "unregistered beside a live one",
                Seen {
                    service: Some(view(ServiceState::Unregistered)),
                    ..silent(alive(900, true))
                },
                "hung",
            ),
            (
                "stopped in its manager",
                Seen {
                    service: Some(view(ServiceState::Stopped)),
                    ..refuses(gone())
                },
                "stopped_on_purpose process_gone",
            ),
            ("hung", silent(alive(900, true)), "hung"),
            ("silent while it boots", silent(alive(60, false)), "starting hung"),
            (
                "silent, and a stranger",
                Seen {
                    holder: holder(false),
                    ..silent(gone())
                },
                "foreign_listener process_gone",
            ),
            (
                "silent, and a stranger beside our booting one",
                Seen {
                    holder: holder(false),
                    ..silent(alive(9, false))
                },
                "foreign_listener",
            ),
            ("500 of ours", answers(500, alive(900, true), true), "http_error"),
            (
                "404 of a stranger",
                answers(404, gone(), false),
                "foreign_listener process_gone",
            ),
            (
                "broken file, and down",
                Seen {
                    config: broken_config(),
                    ..refuses(gone())
                },
                "config_invalid process_gone",
            ),
            (
                "maintenance, and down",
                Seen {
                    maintenance: some("x"),
                    ..refuses(gone())
                },
                "maintenance process_gone",
            ),
            (
                "stopped, and down",
                Seen {
                    stopped: some("x"),
                    ..refuses(gone())
                },
                "stopped_on_purpose process_gone",
            ),
            (
                "upgrade, and down",
                Seen {
                    upgrade: some("x"),
                    ..refuses(gone())
                },
                "upgrading process_gone",
            ),
            (
                "slept, and hung",
                Seen {
                    slept: true,
                    ..silent(alive(900, true))
                },
                "inconclusive hung",
            ),
            (
                "slept, and dead",
                Seen {
                    slept: true,
                    ..refuses(gone())
                },
                "process_gone",
            ),
            (
                "slept, and well",
                Seen {
                    slept: true,
                    ..serves()
                },
                "",
            ),
            (
                "down, and perhaps on purpose",
                Seen {
                    blind: some("x"),
                    ..refuses(gone())
                },
                "inconclusive process_gone",
            ),
        ];
        for (what, seen, expected) in table {
            assert_eq!(names(&seen), expected, "{what}");
        }
    }

    fn any_seen() -> impl Strategy<Value = Seen> {
        let liveness = prop_oneof![
            Just(Liveness::Refused),
            Just(Liveness::Silent { stalled_ms: 45_000 }),
            Just(Liveness::Quiet { stalled_ms: 5 }),
            Just(Liveness::Unmeasured { what: "EMFILE".into() }),
            Just(Liveness::Broken { what: "reset".into() }),
            Just(Liveness::Serving {
                latency_ms: 1,
                said: String::new()
            }),
            Just(Liveness::Status {
                status: 500,
                said: String::new()
            }),
            Just(Liveness::Body {
                miss: String::new(),
                said: String::new()
            }),
        ];
        let process = prop_oneof![
            Just(gone()),
            Just(None),
            (0..900_u64, any::<bool>()).prop_map(|(s, b)| alive(s, b))
        ];
        let service = prop_oneof![
            Just(None),
            Just(Some(exited(78))),
            Just(Some(view(ServiceState::Stopping))),
            Just(Some(view(ServiceState::Unregistered))),
        ];
        let flag = || prop_oneof![Just(None), Just(Some("x".to_owned()))];
        (
            liveness,
            process,
            service,
            prop_oneof![Just(None), Just(holder(true)), Just(holder(false))],
            flag(),
            flag(),
        )
            .prop_map(|(liveness, process, service, holder, stopped, maintenance)| Seen {
                liveness: Some(liveness),
                process,
                service,
                holder,
                stopped,
                maintenance,
                ..Seen::default()
            })
    }

    proptest! {
        #[test]
        fn invariant_7_not_knowing_is_never_down(seen in any_seen()) {
            let found = conditions(&seen, &Probe::default());
            prop_assert!(found.is_sorted());
            if matches!(seen.liveness, Some(Liveness::Unmeasured { .. } | Liveness::Quiet { .. })) {
                prop_assert!(*found.first().unwrap() <= Class::Inconclusive, "{:?}", found);
            }
            if seen.serving() {
                prop_assert!(found.is_empty(), "{:?}", found);
            } else {
                prop_assert!(!found.is_empty());
                prop_assert_ne!(found[0].health(), Health::Healthy);
            }
            prop_assert!(!summary(&seen, found.first().copied()).is_empty());
        }

        #[test]
        fn a_stranger_is_never_called_hung(seen in any_seen()) {
            if seen.holder.as_ref().is_some_and(|holder| !holder.ours) {
                let found = conditions(&seen, &Probe::default());
                prop_assert!(!found.contains(&Class::Hung) && !found.contains(&Class::HttpError), "{:?}", found);
            }
        }
    }
}
