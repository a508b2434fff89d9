//! launchd, by its stand-in: what is said to it in each of its states, and what a person is told where nothing can be done.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_core::identity::Identity;
use oc_testkit::launchd::{Fault, Launchd};
use oc_testkit::{Asked, Output, Signal, TestEnv, ask, wait_for, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const LABEL: &str = "ai.openclaw.gateway";
const EIO: &str = "Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n";

struct Rig {
    env: TestEnv,
    port: u16,
    plist: PathBuf,
}

impl Rig {
    /// A gateway whose property list is there, loaded by nobody.
    fn unloaded() -> Self {
        let env = TestEnv::with_launchd();
        let port = env.gateway_agent();
        let plist = env.path(format!("Library/LaunchAgents/{LABEL}.plist"));
        env.oc_config(&json!({
            "service": {"stop_timeout": "5s", "supervise": {"ready_poll": "20ms"}},
            "probe": {"url": format!("http://127.0.0.1:{port}"), "timeout": "1s", "tries": 2, "interval": "50ms",
                "hang_after": "600ms", "startup_grace": "2s"},
            "policy": {
                "interval": "60s",
                "hold": {"manager": "0s", "manager_starting": "0s", "draining": "3s", "http_error": "0s"},
                "backoff": {"steps": ["0s"], "jitter_percent": 0},
                "kill": {"unclean_limit": 20},
                "healthy": {"stable": "200ms", "stable_same_process": "300ms"},
            },
        }));
        Self { env, port, plist }
    }

    /// One that serves.
    fn serving() -> Self {
        let rig = Self::unloaded();
        assert_eq!(
            rig.say(&["bootstrap", &Launchd::domain(), &rig.plist.display().to_string()]),
            0
        );
        rig.wait_up();
        rig
    }

    fn say(&self, words: &[&str]) -> i32 {
        self.env.launchd().say(words).code
    }

    fn bootout(&self) {
        assert_eq!(self.say(&["bootout", &Launchd::target(LABEL)]), 0);
        wait_until("it is unloaded", SOON, || self.env.launchd().state(LABEL).is_none());
    }

    fn guardian(&self, args: &[&str]) -> Output {
        self.env.cmd("oc-guardian").args(args).run()
    }

    fn status(&self) -> Value {
        self.guardian(&["status", "--json"]).json()
    }

    fn wait_up(&self) -> Identity {
        wait_until(
            "it answers",
            SOON,
            || matches!(ask(self.port, "/healthz"), Asked::Answered(answer) if answer.status == 200),
        );
        wait_for("its pid", SOON, || Identity::of(self.env.launchd().pid(LABEL)?))
    }

    /// Carries a decision out, as a healing pass does.
    fn apply(&self, method: &str, identity: Option<&Identity>) -> Output {
        let decision = json!({"schema": "oc.decision/1", "tool": "oc-escalate", "version": "0", "instance": "default",
            "run": null, "at": "2026-01-01T00:00:00Z", "verdict": "restart", "exit": 2, "action": "restart",
            "method": method, "recorded": true, "reason": "a test", "class": "hung", "incident": "i1", "attempt": 1,
            "next_allowed_at": null, "budget": {}, "identity": identity, "command": null});
        let file = self
            .env
            .write("decision.json", decision.to_string())
            .display()
            .to_string();
        self.guardian(&["apply", "--json", "--decision", &file])
    }

    fn reason(&self, method: &str, code: i32) -> String {
        let answer = self.apply(method, None).expect_code(code).json();
        answer["reason"].as_str().unwrap().to_owned()
    }

    /// What was said to launchd and changes something, in order.
    fn changes(&self) -> Vec<String> {
        let calls = self.env.launchd().calls().into_iter();
        let changes = calls.filter(|call| !call.starts_with("print"));
        changes.map(|call| call.split(' ').next().unwrap().to_owned()).collect()
    }

    fn heal(&self) -> Output {
        self.env
            .foreign(oc_testkit::scripts().join("oc-heal"))
            .timeout(Duration::from_secs(60))
            .run()
    }

    fn heal_until_well(&self) {
        let mut last = None;
        wait_until("a pass that exits 0", Duration::from_secs(60), || {
            last.insert(self.heal()).code == 0
        });
    }
}

#[test]
fn status_tells_the_states_apart() {
    let rig = Rig::unloaded();
    let state = |code| {
        let out = rig.guardian(&["status", "--json"]).expect_code(code).json();
        (
            out["state"].as_str().unwrap().to_owned(),
            out["identity"]["pid"].as_i64(),
        )
    };
    assert_eq!(state(4), ("unregistered".to_owned(), None));
    rig.say(&["disable", &Launchd::target(LABEL)]);
    assert_eq!(state(3), ("masked".to_owned(), None));
    rig.say(&["enable", &Launchd::target(LABEL)]);
    rig.env.launchd().knobs(|k| k.pend = Some("speculative".to_owned()));
    rig.say(&["bootstrap", &Launchd::domain(), &rig.plist.display().to_string()]);
    assert_eq!(state(3), ("failed".to_owned(), None), "a withheld start is none");
    rig.say(&["kickstart", &Launchd::target(LABEL)]);
    let process = rig.wait_up();
    assert_eq!(state(0), ("running".to_owned(), Some(process.pid.into())));
    rig.env.launchd().knobs(|k| (k.pend, k.second_ms) = (None, 60_000));
    process.signal(Signal::KILL).unwrap();
    wait_until("it is scheduled", SOON, || {
        rig.env.launchd().state(LABEL).as_deref() == Some("spawn scheduled")
    });
    assert_eq!(state(1), ("starting".to_owned(), None));
    assert_eq!(rig.status()["exits"][0]["signal"], 9);
}

#[test]
fn what_was_unloaded_is_put_back_enabled_loaded_kicked_and_seen() {
    let rig = Rig::unloaded();
    let answer = rig.apply("register", None).expect_code(0).json();
    let process = rig.wait_up();
    assert_eq!(answer["after"]["pid"], process.pid);
    assert_eq!(rig.changes()[..2], ["enable", "bootstrap"]);
    rig.apply("register", None).expect_code(0);
    assert_eq!(rig.wait_up(), process, "what runs is left alone");
    assert!(!rig.env.launchd().calls().iter().any(|call| call.contains("-k")));
}

#[test]
fn a_withheld_start_is_kicked_whatever_the_reason() {
    for reason in ["speculative", "inefficient", "semaphore"] {
        let rig = Rig::unloaded();
        rig.env.launchd().knobs(|k| k.pend = Some(reason.to_owned()));
        rig.apply("register", None).expect_code(0);
        assert_eq!(rig.changes(), ["enable", "bootstrap", "kickstart"], "{reason}");
        // A death is met with a withheld start, too.
        let process = rig.wait_up();
        process.signal(Signal::KILL).unwrap();
        wait_until("it is withheld", SOON, || rig.status()["state"] == "failed");
        rig.apply("start", None).expect_code(0);
        assert_ne!(rig.wait_up(), process);
    }
}

#[test]
fn errors_that_pass_are_outlasted_and_a_race_is_no_error() {
    let rig = Rig::unloaded();
    rig.env.launchd().knobs(|k| {
        let mut race = Fault::new(
            "bootstrap",
            1,
            37,
            "Bootstrap failed: 37: Operation already in progress\n",
        );
        race.done = true;
        k.faults = vec![Fault::new("bootstrap", 1, 5, EIO), race];
    });
    rig.apply("register", None).expect_code(0);
    rig.wait_up();
    assert_eq!(rig.env.launchd().calls_of("bootstrap").len(), 2);
}

#[test]
fn a_job_that_is_still_ending_is_waited_for() {
    let rig = Rig::unloaded();
    let script = "trap '' TERM; echo x >>$HOME/starts; while :; do sleep 0.05; done";
    let words = ["/bin/sh", "-c", script].map(str::to_owned);
    let plist = rig.env.launchd().agent(LABEL, &words, "").display().to_string();
    rig.env.launchd().knobs(|k| k.second_ms = 50);
    assert_eq!(rig.say(&["bootstrap", &Launchd::domain(), &plist]), 0);
    wait_until("it ignores TERM", SOON, || rig.env.path("starts").exists());
    let before = rig.env.launchd().pid(LABEL);
    assert_eq!(rig.say(&["bootout", &Launchd::target(LABEL)]), 0);
    let status = rig.status();
    assert_eq!(
        (status["state"].as_str(), status["exit"].as_i64()),
        (Some("stopping"), Some(1))
    );
    // Its process still lives: for the chain that is a drain, so by hand.
    rig.guardian(&["start"]).expect_code(0);
    let after = rig.env.launchd().pid(LABEL);
    assert!(after.is_some() && after != before);
}

#[test]
fn a_lost_or_broken_definition_comes_from_openclaw_and_from_nobody_else() {
    let rig = Rig::unloaded();
    let good = std::fs::read(&rig.plist).unwrap();
    let copy = rig.env.write("good.plist", &good).display().to_string();
    let damages: [fn(&PathBuf); 3] = [
        |plist| std::fs::remove_file(plist).unwrap(),
        |plist| std::fs::write(plist, "garbage").unwrap(),
        |plist| {
            let text = std::fs::read_to_string(plist).unwrap();
            std::fs::write(plist, text.replace(LABEL, "ai.openclaw.gateway-watchdog")).unwrap();
        },
    ];
    damages[0](&rig.plist);
    let out = rig.apply("register", None).expect_code(2).json();
    let reason = out["reason"].as_str().unwrap();
    assert!(reason.contains("is gone"), "{reason}");
    assert!(!rig.plist.exists(), "it is never made up");
    let script = format!(
        "[ \"$*\" = 'gateway install --force' ] && cat '{copy}' >'{}'",
        rig.plist.display()
    );
    rig.env.stub("openclaw", &script);
    for damage in damages {
        std::fs::write(&rig.plist, &good).unwrap();
        damage(&rig.plist);
        rig.apply("register", None).expect_code(0);
        rig.wait_up();
        rig.bootout();
    }
}

#[test]
fn a_definition_that_others_may_write_is_made_private() {
    let rig = Rig::unloaded();
    std::fs::set_permissions(&rig.plist, PermissionsExt::from_mode(0o666)).unwrap();
    rig.apply("register", None).expect_code(0);
    rig.wait_up();
}

#[test]
fn a_disabled_job_is_a_persons_decision() {
    for old in [false, true] {
        let rig = Rig::unloaded();
        rig.env.launchd().knobs(|k| k.old = old);
        rig.say(&["disable", &Launchd::target(LABEL)]);
        let reason = rig.reason("register", 1);
        let command = format!("launchctl enable {}", Launchd::target(LABEL));
        assert!(reason.contains(&command), "{reason}");
        assert_eq!(rig.changes(), ["disable"]);
        rig.say(&["enable", &Launchd::target(LABEL)]);
        rig.guardian(&["start", "--wait"]).expect_code(0);
        rig.wait_up();
    }
}

#[test]
fn without_a_session_nothing_is_tried_and_the_reason_is_named() {
    for code in [112, 125] {
        let rig = Rig::unloaded();
        rig.env.launchd().knobs(|k| k.no_session = Some(code));
        let reason = rig.reason("start", 1);
        assert!(reason.contains("nobody is logged in at the screen"), "{reason}");
        let status = rig.status();
        assert_eq!(
            (status["state"].as_str(), status["verdict"].as_str()),
            (Some("unknown"), Some("unknown"))
        );
        assert!(status["obstacle"].as_str().unwrap().contains("logged in"), "{status}");
        // The chain asks a person, climbs nowhere, and says so once.
        for _ in 0..3 {
            assert_eq!(rig.heal().code, 2);
        }
        let journal = std::fs::read_to_string(rig.env.watchdog().join("journal.jsonl")).unwrap();
        assert!(!journal.contains("\"kind\":\"attempt\""), "{journal}");
        assert_eq!(rig.changes(), Vec::<String>::new());
        assert!(
            !rig.env
                .launchd()
                .calls()
                .iter()
                .any(|call| call.starts_with("bootstrap user/"))
        );
    }
}

#[test]
fn a_second_owner_is_never_made() {
    let uid = rustix::process::getuid().as_raw();
    for domain in ["system".to_owned(), format!("user/{uid}")] {
        let rig = Rig::unloaded();
        assert_eq!(rig.say(&["bootstrap", &domain, &rig.plist.display().to_string()]), 0);
        let reason = rig.reason("register", 1);
        assert!(
            reason.contains(&format!("launchctl bootout {domain}/{LABEL}")),
            "{reason}"
        );
        assert_eq!(rig.changes(), ["bootstrap"]);
    }
}

#[test]
fn answers_that_are_not_understood_change_nothing() {
    let rig = Rig::serving();
    let process = rig.wait_up();
    let mut odd = Fault::new("print", 99, 0, "");
    odd.stdout = format!("{{\"{LABEL}\": \"fine\"}}\n");
    rig.env.launchd().knobs(|k| k.faults = vec![odd]);
    let reason = rig.reason("start", 1);
    assert!(reason.contains("in a form that is not known"), "{reason}");
    rig.env
        .launchd()
        .knobs(|k| k.faults = vec![Fault::new("print", 99, 3, "What?\n")]);
    assert!(rig.reason("start", 1).contains("exited with 3: What?"));
    assert_eq!(rig.changes(), ["bootstrap"]);
    rig.env.launchd().knobs(|k| k.faults.clear());
    assert_eq!(rig.wait_up(), process);
}

#[test]
fn without_launchctl_the_reason_is_named() {
    let rig = Rig::unloaded();
    std::fs::remove_file(rig.env.path("bin/launchctl")).unwrap();
    assert!(rig.reason("start", 1).contains("launchctl is not there"));
    assert_eq!(rig.status()["state"], "unknown");
}

#[test]
fn a_launchctl_that_hangs_holds_nobody() {
    let rig = Rig::unloaded();
    let mut hang = Fault::new("print", 99, 0, "");
    hang.sleep_ms = 60_000;
    rig.env.launchd().knobs(|k| k.faults = vec![hang]);
    let begun = std::time::Instant::now();
    let out = rig.guardian(&["status", "--json"]).expect_code(3).json();
    assert!(out["obstacle"].as_str().unwrap().contains("did not answer"), "{out}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_hung_service_is_killed_and_started_without_unloading_it() {
    let rig = Rig::serving();
    rig.env.launchd().knobs(|k| k.second_ms = 60_000);
    let process = rig.wait_up();
    process.signal(Signal::STOP).unwrap();
    let answer = rig.apply("kill", Some(&process)).expect_code(0).json();
    let next = rig.wait_up();
    assert_ne!(next, process);
    assert_eq!(answer["after"]["pid"], next.pid);
    assert_eq!(rig.changes(), ["bootstrap", "kickstart"]);
    let refused = rig.apply("kill", Some(&process)).expect_code(1).json();
    assert!(
        refused["reason"].as_str().unwrap().contains("another process"),
        "{refused}"
    );
    assert_eq!(rig.wait_up(), next);
}

#[test]
fn a_graceful_restart_lets_it_finish_and_never_unloads_it() {
    let rig = Rig::serving();
    let process = rig.wait_up();
    rig.apply("graceful", Some(&process)).expect_code(0);
    assert_ne!(rig.wait_up(), process);
    assert!(!rig.changes().contains(&"bootout".to_owned()));
    let boots = rig.env.read_json(".openclaw/stand-in-boots.json").to_string();
    assert!(boots.contains("clean_stop"), "it ended by itself: {boots}");
}

#[test]
fn a_person_stops_and_starts_it() {
    let rig = Rig::serving();
    let process = rig.wait_up();
    rig.guardian(&["stop"]).expect_code(0);
    assert!(!process.alive());
    assert_eq!(rig.env.launchd().state(LABEL), None);
    assert_eq!(rig.heal().code, 0, "a stop on purpose is left alone");
    assert!(rig.reason("register", 1).contains("stopped on purpose"));
    assert_eq!(rig.env.launchd().state(LABEL), None);
    rig.guardian(&["start", "--wait"]).expect_code(0);
    assert_ne!(rig.wait_up(), process);
}

#[test]
fn a_dry_run_only_asks() {
    let rig = Rig::unloaded();
    let decision = rig.apply("register", None);
    decision.expect_code(0);
    rig.bootout();
    let before = rig.changes().len();
    for command in ["start", "stop", "restart"] {
        rig.guardian(&[command, "--dry-run"]).expect_code(0);
    }
    assert_eq!(rig.changes().len(), before);
}

#[test]
fn the_chain_starts_what_died_and_launchd_withholds() {
    let rig = Rig::serving();
    rig.heal_until_well();
    rig.env.launchd().knobs(|k| k.pend = Some("inefficient".to_owned()));
    let process = rig.wait_up();
    process.signal(Signal::KILL).unwrap();
    rig.heal_until_well();
    assert_ne!(rig.wait_up(), process);
}

#[test]
fn the_chain_puts_back_what_was_unloaded_once_and_takes_the_second_time_for_a_will() {
    let rig = Rig::serving();
    rig.heal_until_well();
    rig.bootout();
    rig.heal_until_well();
    rig.wait_up();
    rig.bootout();
    let before = rig.env.launchd().calls_of("bootstrap").len();
    for _ in 0..3 {
        assert_ne!(rig.heal().code, 0);
    }
    assert_eq!(rig.env.launchd().state(LABEL), None);
    assert_eq!(rig.env.launchd().calls_of("bootstrap").len(), before);
}

#[test]
fn the_chain_ends_what_hangs_and_launchd_starts_the_next_one() {
    let rig = Rig::serving();
    rig.heal_until_well();
    let process = rig.wait_up();
    rig.env
        .fault(|f| (f.only_pid, f.block_ms) = (u32::try_from(process.pid).ok(), Some(0)));
    rig.heal_until_well();
    assert_ne!(rig.wait_up(), process);
    assert!(!rig.changes().contains(&"bootout".to_owned()));
}

#[test]
fn the_chain_repairs_what_ends_with_78_again_and_again() {
    let rig = Rig::serving();
    rig.heal_until_well();
    let process = rig.wait_up();
    let text = std::fs::read_to_string(rig.env.config_path()).unwrap();
    std::fs::write(rig.env.config_path(), text.replace("\"mode\":\"local\",", "")).unwrap();
    // It may have noticed and ended by itself.
    _ = process.signal(Signal::KILL);
    wait_until("it ended with 78", SOON, || rig.status()["exits"][0]["status"] == 78);
    rig.heal_until_well();
    assert_ne!(rig.wait_up(), process);
}

/// Gateway and watchdog unloaded as people do it, every definition deleted, the configuration too, and the crontab empty.
#[test]
fn the_nuclear_option_is_survived_within_one_pass_of_the_guardian() {
    let rig = Rig::serving();
    rig.env.crontab(oc_testkit::Crontab::Works);
    rig.env.launchd().knobs(|k| k.second_ms = 1000);
    rig.guardian(&["install"]).expect_code(0);
    rig.heal_until_well();
    // The watchdog first: it would put the gateway back meanwhile.
    for label in ["ai.openclaw.watchdog", LABEL] {
        let path = rig.env.path(format!("Library/LaunchAgents/{label}.plist"));
        assert_eq!(rig.say(&["unload", &path.display().to_string()]), 0);
        wait_until("it is unloaded", SOON, || rig.env.launchd().state(label).is_none());
        std::fs::remove_file(path).unwrap();
    }
    std::fs::remove_file(rig.env.config_path()).unwrap();
    std::fs::write(rig.env.crontab_path(), "").unwrap();
    let out = rig
        .env
        .cmd("oc-guardian")
        .arg("ensure")
        .timeout(Duration::from_secs(60))
        .run();
    assert!(matches!(out.code, 0 | 1), "{} {}", out.stdout, out.stderr);
    rig.wait_up();
    for label in [LABEL, "ai.openclaw.watchdog"] {
        assert!(rig.env.launchd().state(label).is_some(), "{label} is not loaded");
    }
    assert!(rig.env.config_path().exists());
    let crontab = std::fs::read_to_string(rig.env.crontab_path()).unwrap();
    assert!(crontab.contains("oc-guardian"), "{crontab}");
}
