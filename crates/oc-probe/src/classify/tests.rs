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
            "the very first start is under way",
            Seen {
                service: Some(view(ServiceState::Starting)),
                ..refuses(gone())
            },
            "starting process_gone",
        ),
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

#[test]
fn a_manager_in_the_middle_of_stopping_is_left_to_it_when_the_process_is_over() {
    let seen = Seen {
        liveness: Some(Liveness::Refused),
        process: gone(),
        service: Some(view(ServiceState::Stopping)),
        ..Seen::default()
    };
    let found = conditions(&seen, &Probe::default());
    assert_eq!(found.first(), Some(&Class::Draining), "{found:?}");
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
        prop_assert!(!crate::summary::summary(&seen, found.first().copied()).is_empty());
    }

    #[test]
    fn a_stranger_is_never_called_hung(seen in any_seen()) {
        if seen.holder.as_ref().is_some_and(|holder| !holder.ours) {
            let found = conditions(&seen, &Probe::default());
            prop_assert!(!found.contains(&Class::Hung) && !found.contains(&Class::HttpError), "{:?}", found);
        }
    }
}
