//! start, stop, restart, status, apply: what people and the healing chain say to the supervisor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use oc_core::identity::{self, Identity};
use oc_core::service::embedded::Phase;
use oc_testkit::{Signal, wait_for, wait_until};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{Rig, SOON, gateways, kill9, wait_gone};

#[test]
fn a_deliberate_stop_is_left_alone_and_survives_the_supervisor() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    rig.guardian(&["stop", "--reason", "new disk"]).expect_code(0);
    wait_gone(&process);
    let status = rig.guardian(&["status"]).expect_code(2);
    assert!(status.stdout.contains("new disk"), "{}", status.stdout);
    rig.guardian(&["ensure"]).expect_code(0);
    rig.apply("start", None).expect_code(1);
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    rig.guardian(&["ensure"]).expect_code(0);
    assert!(
        !rig.status().unwrap().supervisor.alive(),
        "nobody put the supervisor back"
    );
    let _again = rig.supervise();
    rig.wait_status("the new supervisor", |s| {
        s.supervisor.alive() && s.phase == Phase::Down && !s.wanted
    });
    assert_eq!(gateways(&rig.env), 0);
    rig.guardian(&["start", "--wait"]).expect_code(0);
    rig.wait_up();
    rig.guardian(&["start"]).expect_code(0);
    assert_eq!(gateways(&rig.env), 1);
}

#[test]
fn stop_ends_a_service_whose_supervisor_is_dead() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    rig.guardian(&["stop"]).expect_code(0);
    assert!(!process.alive());
    rig.guardian(&["start", "--wait"]).expect_code(0);
    assert_ne!(rig.wait_up(), process);
}

#[test]
fn a_restart_by_hand_is_a_new_start_in_the_same_process_or_a_new_one() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    let boots = |rig: &Rig| {
        rig.env
            .read_json(".openclaw/stand-in-boots.json")
            .as_array()
            .map_or(0, Vec::len)
    };
    let before = boots(&rig);
    let answer = rig.guardian(&["restart", "--wait", "--json"]).expect_code(0).json();
    assert_eq!(answer["after"]["pid"], process.pid);
    assert!(boots(&rig) > before || before == 0, "it really booted again");
    let in_place = || rig.events("ready").iter().any(|e| e["data"]["in_place"] == true);
    wait_until("the journal has it", SOON, in_place);
    drop(rig);

    let rig = Rig::with(|c| c["service"]["restart_signal"] = json!(null));
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    rig.guardian(&["restart", "--wait"]).expect_code(0);
    assert_ne!(rig.wait_up(), process);
    wait_gone(&process);
}

#[test]
fn a_hung_service_is_killed_with_its_whole_tree_and_started() {
    let rig = Rig::new();
    rig.env.fault(|f| f.own_session_child = true);
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    let child = wait_for("its child", SOON, || identity::descendants(process.pid).pop());
    process.signal(Signal::STOP).unwrap();
    let answer = rig.apply("kill", Some(&process)).expect_code(0).json();
    assert_eq!(
        (answer["outcome"].as_str(), answer["method"].as_str()),
        (Some("done"), Some("kill"))
    );
    assert_eq!(answer["before"]["pid"], process.pid);
    let successor = rig.wait_successor(&process);
    assert_eq!(answer["after"]["pid"], successor.pid);
    wait_gone(&process);
    wait_gone(&child.identity);
    let outcome = rig.events("outcome").pop().unwrap();
    assert_eq!(
        (outcome["incident"].as_str(), outcome["data"]["before"].as_i64()),
        (Some("i1"), Some(process.pid.into()))
    );
}

#[test]
fn a_hung_service_is_ended_also_where_its_manager_cannot_be_asked() {
    let mut rig = Rig::new();
    rig.env.set("OC_SERVICE_MANAGER", "systemd");
    let gone = "echo 'Failed to connect to bus: No such file or directory' >&2; exit 1";
    rig.env.stub("systemctl", gone);
    let service = rig.env.foreign(&rig.words[0]).args(&rig.words[1..]).spawn();
    let process = support::identity(&service);
    // What needs somebody who starts it is not begun.
    for method in ["graceful", "start", "register"] {
        rig.apply(method, Some(&process)).expect_code(1);
    }
    assert!(process.alive());
    let answer = rig.apply("kill", Some(&process)).expect_code(0).json();
    assert!(!process.alive());
    assert_eq!(answer["after"], serde_json::Value::Null);
    rig.apply("kill", Some(&process)).expect_code(1);
    drop(service);

    // A mask is a person's word, and the process may stay.
    rig.env
        .stub("systemctl", "echo LoadState=masked; echo ActiveState=active");
    let service = rig.env.foreign(&rig.words[0]).args(&rig.words[1..]).spawn();
    let process = support::identity(&service);
    rig.apply("kill", Some(&process)).expect_code(1);
    assert!(process.alive());
}

#[test]
fn a_hung_service_that_somebody_else_started_is_ended_and_the_managers_own_begun() {
    let mut rig = Rig::new();
    rig.env.set("OC_SERVICE_MANAGER", "systemd");
    let given_up = "[ \"$2\" = show ] || echo \"$2\" >>\"$HOME/calls\"; echo LoadState=loaded; echo ActiveState=failed";
    rig.env.stub("systemctl", given_up);
    let service = rig.env.foreign(&rig.words[0]).args(&rig.words[1..]).spawn();
    let process = support::identity(&service);
    let said = rig.apply("graceful", Some(&process)).expect_code(1).stdout;
    assert!(said.contains("beside its manager"), "{said}");
    assert!(process.alive());
    rig.apply("kill", Some(&process));
    assert!(!process.alive());
    let calls = std::fs::read_to_string(rig.env.path("calls")).unwrap();
    assert!(calls.lines().any(|call| call == "start"), "{calls}");
}

#[test]
#[cfg(target_os = "linux")]
fn what_was_registered_at_systemd_is_systemds_also_after_a_logout() {
    let mut rig = Rig::new();
    rig.env.unset("OC_SERVICE_MANAGER");
    // No user manager listens there.
    rig.env.set("XDG_RUNTIME_DIR", rig.env.path("none").display());
    rig.env.stub("systemctl", "echo 'Failed to connect to bus' >&2; exit 1");
    let manager = || rig.guardian(&["status", "--json"]).json()["manager"].clone();
    assert_eq!(manager(), "embedded");
    let jobs = json!([{"kind": "gateway", "manager": "systemd", "name": "x.service", "files": []}]);
    rig.env.write(
        ".openclaw/watchdog/registration.json",
        json!({"version": 1, "jobs": jobs}).to_string(),
    );
    assert_eq!(manager(), "systemd");
}

#[test]
fn a_graceful_restart_that_never_ends_is_ended() {
    let rig = Rig::with(|c| c["service"]["stop_timeout"] = "300ms".into());
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    rig.env
        .fault(|f| (f.only_pid, f.block_ms) = (Some(u32::try_from(process.pid).unwrap()), Some(0)));
    rig.apply("graceful", Some(&process)).expect_code(0);
    rig.wait_successor(&process);
}

#[test]
fn apply_is_refused_when_the_process_is_another_one() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let first = rig.wait_up();
    kill9(&first);
    let second = rig.wait_successor(&first);
    for method in ["kill", "graceful", "start", "register"] {
        let answer = rig.apply(method, Some(&first)).expect_code(1).json();
        assert_eq!(answer["outcome"], "refused");
        assert!(
            answer["reason"]
                .as_str()
                .unwrap()
                .contains(&format!("pid {}", second.pid)),
            "{answer}"
        );
    }
    assert_eq!(rig.wait_up(), second);
    // The last word is the supervisor's: a command about a process is nothing to its successor.
    let dir = oc_core::service::embedded::Dir::new(rig.env.watchdog().join("supervise"));
    let command = oc_core::service::embedded::Command::new(oc_core::service::Verb::Kill, Some(first));
    dir.send(&command).unwrap();
    rig.wait_status("a refusal", |s| {
        s.refused.as_ref().is_some_and(|r| r.number == command.number)
    });
    assert_eq!(rig.wait_up(), second);
}

#[test]
fn apply_starts_what_does_not_run_whether_or_not_a_supervisor_does() {
    let rig = Rig::with(|c| c["service"]["supervise"]["backoff_step"] = "1h".into());
    rig.env
        .fault(|f| (f.boot_ms, f.exit_after_ms, f.only_boots) = (60_000, Some(0), Some(1)));
    let mut supervisor = rig.supervise();
    rig.wait_status("backoff", |s| s.phase == Phase::Backoff && s.starts == 1);
    rig.apply("start", None).expect_code(0);
    let process = rig.wait_up();
    let answer = rig.apply("start", None).expect_code(0).json();
    assert_eq!(answer["outcome"], "unchanged");
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    kill9(&process);
    wait_gone(&process);
    rig.apply("register", None).expect_code(0);
    let process = rig.wait_up();
    // Dead supervisor, hung service: it is taken over first, then killed.
    rig.status().unwrap().supervisor.signal(Signal::KILL).unwrap();
    wait_until("the supervisor is gone", SOON, || {
        !rig.status().unwrap().supervisor.alive()
    });
    process.signal(Signal::STOP).unwrap();
    rig.apply("kill", Some(&process)).expect_code(0);
    rig.wait_successor(&process);
    assert_eq!(gateways(&rig.env), 1);
}

#[test]
fn maintenance_and_an_unreadable_will_forbid_apply() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    let now = oc_core::clock::Stamp::now();
    let intent =
        json!({"version": 1, "stopped": null, "maintenance": {"since": now, "for_s": 60, "reason": "upgrade"}});
    rig.env.write(".openclaw/watchdog/intent.json", intent.to_string());
    rig.apply("kill", Some(&process)).expect_code(1);
    rig.env.write(".openclaw/watchdog/intent.json", "half a f");
    rig.apply("kill", Some(&process)).expect_code(1);
    assert!(process.alive());
    // Level 0 goes on meanwhile.
    kill9(&process);
    rig.wait_successor(&process);
}

#[test]
fn a_stale_process_on_the_port_is_ended_and_the_service_itself_is_not() {
    let rig = Rig::new();
    let stale = rig.env.gateway().on_port(rig.port).start();
    let stale_process = Identity::of(i32::try_from(stale.pid()).unwrap()).unwrap();
    rig.env.fault(|f| (f.bind_tries, f.bind_interval_ms) = (2, 10));
    let _supervisor = rig.supervise();
    rig.wait_status("failed starts", |s| s.never_ready_in_a_row >= 1);
    rig.apply("end_stale", Some(&stale_process)).expect_code(0);
    assert!(!stale_process.alive());
    let process = rig.wait_up();
    rig.apply("end_stale", Some(&process)).expect_code(1);
    assert!(process.alive());
}

#[test]
fn a_file_that_is_no_decision_is_refused_with_one_sentence() {
    let rig = Rig::new();
    for content in [&b""[..], b"{", b"\xff\x00", b"[]", br#"{"schema":"oc.probe/1"}"#] {
        let path = rig.env.write("bad.json", content);
        let refused = rig
            .guardian(&["apply", "--decision", &path.display().to_string()])
            .expect_code(65);
        assert!(
            refused.stderr.contains("decision") && refused.stderr.lines().count() <= 2,
            "{}",
            refused.stderr
        );
    }
    rig.guardian(&["apply", "--decision", "/no/such/file"]).expect_code(65);
    let other = std::fs::read_to_string(rig.decision("kill", None))
        .unwrap()
        .replace("\"default\"", "\"other\"");
    let path = rig.env.write("other.json", other);
    rig.guardian(&["apply", "--decision", &path.display().to_string()])
        .expect_code(65);
    let hold = std::fs::read_to_string(rig.decision("kill", None))
        .unwrap()
        .replace("\"method\":\"kill\"", "\"method\":null");
    let path = rig.env.write("hold.json", hold);
    rig.guardian(&["apply", "--decision", &path.display().to_string()])
        .expect_code(65);
}

#[test]
fn starts_and_stops_that_race_end_as_the_last_will_says() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    rig.wait_up();
    let running: Vec<_> = (0..12)
        .map(|n| {
            rig.env
                .cmd("oc-guardian")
                .arg(if n % 2 == 0 { "stop" } else { "start" })
                .spawn()
        })
        .collect();
    for one in running {
        one.wait(SOON);
    }
    rig.guardian(&["stop"]).expect_code(0);
    assert_eq!(gateways(&rig.env), 0);
    rig.guardian(&["start", "--wait"]).expect_code(0);
    rig.wait_up();
    assert_eq!(gateways(&rig.env), 1);
}

#[test]
fn of_twenty_that_put_a_supervisor_back_one_does() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    let running: Vec<_> = (0..20)
        .map(|_| rig.env.cmd("oc-guardian").arg("ensure").spawn())
        .collect();
    let mut codes: Vec<i32> = running.into_iter().map(|one| one.wait(SOON).code).collect();
    codes.sort_unstable();
    // One put it right; the others found it busy or, later, in place.
    assert_eq!(codes.iter().filter(|code| **code == 1).count(), 1, "{codes:?}");
    assert!(codes.iter().all(|code| [0, 1, 75].contains(code)), "{codes:?}");
    assert_eq!(rig.wait_up(), process);
    assert_eq!(gateways(&rig.env), 1);
}

/// Milliseconds since boot, this much later.
fn later(minutes: i64) -> String {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    (now.tv_sec * 1000 + now.tv_nsec / 1_000_000 + minutes * 60_000).to_string()
}

#[test]
fn a_healing_that_holds_the_lock_for_longer_than_any_may_is_ended_and_an_honest_one_is_not() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    rig.wait_up();
    let words = [
        "run",
        "--deadline",
        "10h",
        "--",
        "/bin/sh",
        "-c",
        "trap '' TERM; while :; do sleep 0.05; done",
    ];
    let mut holder = rig.env.cmd("oc-escalate").args(words).spawn();
    let ensure = |minutes: i64| {
        let cmd = rig
            .env
            .cmd("oc-guardian")
            .arg("ensure")
            .env("OC_NOW_BOOT_MS", later(minutes));
        cmd.timeout(Duration::from_secs(60)).run().code
    };
    wait_until("a held lock", SOON, || ensure(0) == 75);
    assert_eq!(ensure(19), 75);
    assert!(holder.try_wait().is_none(), "a pass may take 20 minutes");
    wait_until("a free lock", Duration::from_secs(60), || [0, 1].contains(&ensure(22)));
    assert!(holder.try_wait().is_some());
    let told = rig.events("warning");
    assert!(
        told.iter()
            .any(|e| e["text"].as_str().unwrap().contains("held the lock")),
        "{told:?}"
    );
}

#[test]
fn what_is_started_from_within_a_pass_does_not_hold_its_lock() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    kill9(&process);
    wait_gone(&process);
    let lock = rig.env.watchdog().join("locks/healing.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    let decision = rig.decision("start", None);
    let chain = format!(
        "exec 9>>'{lock}'; flock -n 9 || exit 99; export OC_LOCK_FD=9; oc-guardian apply --decision '{decision}'",
        lock = lock.display()
    );
    rig.env.foreign("/bin/sh").args(["-c", &chain]).run().expect_code(0);
    rig.wait_up();
    assert!(
        oc_core::lock::holder(&lock).is_none(),
        "supervisor and service live, the lock is free"
    );
}

#[test]
fn by_hand_a_healing_under_way_is_not_disturbed() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    let lock = oc_core::lock::HealingLock::take(&rig.env.watchdog().join("locks/healing.lock")).unwrap();
    rig.guardian(&["restart"]).expect_code(75);
    rig.apply("kill", Some(&process)).expect_code(75);
    assert_eq!(rig.wait_up(), process);
    rig.guardian(&["stop"]).expect_code(0);
    wait_gone(&process);
    drop(lock);
}

/// No pass begins without its lock, so that none tells it; whoever waits for the guardian's ping hears it.
#[test]
fn a_visit_that_can_write_nothing_is_told_by_the_dead_mans_switch() {
    let providers = oc_testkit::providers::Providers::new();
    let mut rig = Rig::with(|c| c["notify"] = json!({"heartbeat_url": providers.url("/ping/switch")}));
    rig.env.set("OC_SERVICE_MANAGER", "systemd");
    rig.env
        .stub("systemctl", "echo LoadState=loaded; echo ActiveState=inactive");
    rig.env.write(".openclaw/watchdog/locks", "in the way");
    rig.guardian(&["ensure", "--dry-run"]);
    assert!(providers.taken().is_empty());
    rig.guardian(&["ensure"]).expect_code(74);
    let pings: Vec<String> = providers.taken().into_iter().map(|t| t.path).collect();
    assert_eq!(pings, ["/ping/switch/74"]);
}

#[test]
fn a_frozen_supervisor_is_named_not_replaced() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::STOP);
    let pid = i32::try_from(supervisor.pid()).unwrap();
    let stopped = || identity::lookup(pid).is_some_and(|i| i.state == identity::ProcessState::Stopped);
    wait_until("it is stopped", SOON, stopped);
    let answer = rig.guardian(&["ensure"]).expect_code(2);
    assert!(answer.stdout.contains("kill -CONT"), "{}", answer.stdout);
    rig.guardian(&["stop", "--deadline", "200ms"]).expect_code(2);
    supervisor.signal(Signal::CONT);
    wait_gone(&process);
}

#[test]
fn a_dry_run_touches_nothing() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    rig.env.write(".openclaw/watchdog/intent.json", "half a f");
    let decision = rig.decision("kill", Some(&process));
    // The last thing the supervisor writes for now.
    wait_until("the journal has it", SOON, || rig.events("ready").len() == 1);
    let before = snapshot(&rig.env.state_dir());
    for args in [
        &["stop"][..],
        &["start"],
        &["restart"],
        &["status"],
        &["ensure"],
        &["apply", "--decision", &decision],
        &["supervise", "--", "/bin/sleep", "1"],
    ] {
        let args: Vec<&str> = ["--dry-run"].iter().chain(args).copied().collect();
        rig.guardian(&args);
        let after = snapshot(&rig.env.state_dir());
        let changed: Vec<_> = after
            .keys()
            .chain(before.keys())
            .filter(|k| after.get(*k) != before.get(*k))
            .collect();
        assert!(changed.is_empty(), "{args:?} touched {changed:?}");
    }
    assert_eq!(rig.wait_up(), process);
    let plan = rig.guardian(&["-n", "restart", "--json"]).expect_code(0).json();
    assert_eq!(
        (plan["dry_run"].as_bool(), plan["outcome"].as_str()),
        (Some(true), Some("done"))
    );
}

#[test]
fn where_nothing_was_ever_started_everything_says_so() {
    let rig = Rig::new();
    rig.guardian(&["status"]).expect_code(4);
    rig.guardian(&["ensure"]).expect_code(2);
    rig.guardian(&["start"]).expect_code(69);
    rig.apply("start", None).expect_code(2);
}

#[test]
fn service_command_is_enough_to_start_it() {
    let rig = Rig::new();
    let words = rig.words.clone();
    let mut config = rig.env.read_json(".openclaw/watchdog/config.json");
    config["service"]["command"] = json!(words);
    rig.env.oc_config(&config);
    rig.guardian(&["start", "--wait"]).expect_code(0);
    rig.wait_up();
    rig.guardian(&["stop"]).expect_code(0);
}

#[test]
fn what_it_prints_is_what_its_schema_says() {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../schemas/guardian.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let rig = Rig::new();
    let valid = |output: oc_testkit::Output| {
        let json = output.json();
        let errors: Vec<String> = schema.iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}\n{json:#}");
    };
    valid(rig.guardian(&["status", "--json"]));
    valid(rig.guardian(&["ensure", "--json"]));
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    kill9(&process);
    let process = rig.wait_successor(&process);
    valid(rig.guardian(&["status", "--json"]));
    valid(rig.guardian(&[
        "-n",
        "apply",
        "--json",
        "--decision",
        &rig.decision("kill", Some(&process)),
    ]));
    valid(rig.apply("graceful", Some(&process)));
    for command in ["ensure", "restart", "stop", "status", "start"] {
        valid(rig.guardian(&[command, "--json"]));
    }
}

/// Every file below a directory with its content, and what is there at all.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(snapshot(&entry.path()));
        }
        let content = if kind.is_file() {
            std::fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        found.insert(entry.path(), content);
    }
    found
}
