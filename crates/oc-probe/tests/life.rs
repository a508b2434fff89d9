//! The process and what surrounds it, and the patience of --tries, --wait and --stable.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{check, class, conditions, probe, quick, remember, remember_serving};
use oc_core::clock::Stamp;
use oc_core::identity::Identity;
use oc_core::intent::{Intent, Maintenance, Stopped};
use oc_core::report::ServiceExit;
use oc_core::service::embedded::{Phase, Status};
use oc_testkit::{Hostile, TestEnv, free_port, wait_until};
use serde_json::json;
use std::fs::File;
use std::time::Duration;

/// A world in which nobody listens where the gateway should be.
fn down() -> TestEnv {
    let mut env = TestEnv::new();
    quick(&env);
    env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
    env.set("OPENCLAW_GATEWAY_PORT", free_port());
    env
}

/// A supervisor that is there (its lock is held) and says this. The lock lives as long as the file.
fn supervisor(env: &TestEnv, change: impl FnOnce(&mut Status)) -> File {
    let me = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
    let mut status = Status {
        supervisor: me,
        child: None,
        phase: Phase::Backoff,
        wanted: true,
        never_ready_in_a_row: 0,
        exits: Vec::new(),
        starts: 1,
        next_start_at: None,
        acknowledged: 0,
        refused: None,
        stamp: Stamp::now(),
    };
    change(&mut status);
    env.write(
        ".openclaw/watchdog/supervise/status.json",
        serde_json::to_vec(&status).unwrap(),
    );
    let path = env.write(".openclaw/watchdog/supervise/lock", "");
    let file = File::options().write(true).open(path).unwrap();
    file.lock().unwrap();
    file
}

fn ended(status: Option<i32>, signal: Option<i32>) -> ServiceExit {
    ServiceExit {
        at: Stamp::now(),
        status,
        signal,
        was_ready: false,
        ran_ms: 700,
    }
}

fn once(env: &TestEnv) -> serde_json::Value {
    probe(env).args(["--json", "--tries", "1"]).run().json()
}

#[test]
fn p1_a_dead_process_is_gone_and_a_reused_pid_is_a_stranger() {
    let env = down();
    let _lock = supervisor(&env, |_| {});
    let mine = Identity::of(i32::try_from(std::process::id()).unwrap()).unwrap();
    remember(
        &env,
        &Identity {
            started: mine.started - 1,
            ..mine.clone()
        },
    );
    let report = once(&env);
    assert_eq!(class(&report), "process_gone", "{report}");
    assert!(report["identity"].is_null());
    remember(
        &env,
        &Identity {
            boot: "another".into(),
            ..mine
        },
    );
    assert_eq!(class(&once(&env)), "process_gone");
}

#[test]
fn p7_a_zombie_is_gone() {
    let env = down();
    let _lock = supervisor(&env, |_| {});
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = i32::try_from(child.id()).unwrap();
    wait_until("it is a zombie", Duration::from_secs(10), || {
        Identity::of(pid).is_some_and(|identity| !identity.alive())
    });
    remember(&env, &Identity::of(pid).unwrap());
    assert_eq!(class(&once(&env)), "process_gone");
    child.wait().unwrap();
}

#[test]
fn p9_a_launcher_that_lives_does_not_hide_that_nobody_answers() {
    let env = down();
    let launcher = env.foreign("sleep").arg("60").spawn();
    remember_serving(&env, launcher.pid());
    let report = once(&env);
    assert_eq!(report["verdict"], "down", "{report}");
    assert_eq!(
        conditions(&report),
        ["draining", "refused"],
        "left its time to drain, and no more: {report}"
    );
}

#[test]
fn what_the_supervisor_reports_about_ends_needs_no_confirmation() {
    for (change, expected) in [
        (
            Box::new(|s: &mut Status| s.exits.push(ended(Some(78), None))) as Box<dyn FnOnce(&mut Status)>,
            "exit_config",
        ),
        (Box::new(|s: &mut Status| s.never_ready_in_a_row = 3), "crash_loop"),
        (
            Box::new(|s: &mut Status| s.exits.push(ended(None, Some(9)))),
            "process_gone",
        ),
        (
            Box::new(|s: &mut Status| (s.phase, s.wanted) = (Phase::Down, false)),
            "stopped_on_purpose",
        ),
    ] {
        let env = down();
        let _lock = supervisor(&env, change);
        let output = probe(&env).args(["--json", "--tries", "3", "--interval", "20s"]).run();
        assert!(output.took < Duration::from_secs(15), "{expected}: it was confirmed");
        let report = output.expect_code(2).json();
        assert_eq!(class(&report), expected, "{report}");
    }
}

#[test]
fn nobody_knows_the_service_and_a_dead_supervisor_is_no_supervisor() {
    let env = down();
    assert_eq!(class(&once(&env)), "unregistered");
    drop(supervisor(&env, |_| {}));
    let report = once(&env);
    assert_eq!(report["service"]["state"], "failed", "{report}");
    assert_eq!(class(&report), "process_gone");
}

#[test]
fn a_boot_is_starting_and_wait_goes_on_while_it_makes_progress() {
    let env = TestEnv::new();
    quick(&env);
    let gateway = env.gateway().faults(|f| f.boot_ms = 4000).spawn();
    let pid = Identity::of(i32::try_from(gateway.pid()).unwrap()).unwrap();
    let _lock = supervisor(&env, |s| (s.phase, s.child) = (Phase::Starting, Some(pid)));
    let report = once(&env);
    assert_eq!(class(&report), "starting", "{report}");
    // What the pass before has looked at need not have served.
    let carry = json!({"identity": report["identity"]}).to_string();
    env.write(".openclaw/watchdog/carry.json", carry);
    let report = once(&env);
    assert_eq!(class(&report), "starting", "{report}");
    // Far longer than --wait: the boot makes progress.
    let output = probe(&env).args(["--json", "--wait", "300ms"]).run();
    let report = output.expect_code(0).json();
    assert_eq!(report["identity"]["pid"], gateway.pid());
}

#[test]
fn wait_ends_early_when_nobody_will_start_it_and_on_time_when_somebody_may() {
    let env = down();
    let output = probe(&env).args(["--wait", "60s"]).run();
    assert!(output.took < Duration::from_secs(10), "{:?}", output.took);
    output.expect_code(2);
    let lock = supervisor(&env, |_| {});
    let output = probe(&env).args(["--wait", "700ms"]).run();
    assert!(output.took >= Duration::from_millis(600), "{:?}", output.took);
    output.expect_code(2);
    let output = probe(&env).args(["--wait", "60s", "--deadline", "500ms"]).run();
    assert!(output.took < Duration::from_secs(10), "{:?}", output.took);
    drop(lock);
    let _lock = supervisor(&env, |s| s.never_ready_in_a_row = 3);
    let output = probe(&env).args(["--wait", "60s"]).run();
    assert!(output.took < Duration::from_secs(10), "a crash loop: {:?}", output.took);
}

#[test]
fn tries_confirm_what_may_pass_and_a_good_one_ends_it() {
    let env = TestEnv::new();
    quick(&env);
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    gateway.fault(|f| f.hostile = Some(Hostile::Status(500)));
    let output = probe(&env).args(["--tries", "4", "--interval", "200ms"]).run();
    assert!(
        output.took >= Duration::from_millis(600),
        "not confirmed: {:?}",
        output.took
    );
    output.expect_code(2);
    let watching = probe(&env).args(["--tries", "500", "--interval", "50ms"]).spawn();
    let watcher = watching.pid();
    wait_until("it looks again", Duration::from_secs(10), || sleeping(watcher));
    gateway.fault(|f| f.hostile = None);
    watching.wait(Duration::from_secs(20)).expect_code(0);
}

#[test]
fn stable_means_the_same_process_all_the_time() {
    let env = TestEnv::new();
    quick(&env);
    let gateway = env.gateway().start();
    let port = gateway.port();
    let output = probe(&env).args(["--stable", "600ms"]).run();
    assert!(output.took >= Duration::from_millis(600), "{:?}", output.took);
    output.expect_code(0);
    // Replaced while it is watched: by the time of the next look another one answers.
    let watching = probe(&env)
        .args(["--json", "--stable", "30s", "--interval", "4s"])
        .spawn();
    let watcher = watching.pid();
    wait_until("it watches", Duration::from_secs(10), || sleeping(watcher));
    gateway.kill9();
    let _other = env.gateway().on_port(port).start();
    let output = watching.wait(Duration::from_secs(40));
    let report = output.expect_code(2).json();
    assert_eq!(check(&report, "stable")["status"], "fail", "{report}");
}

/// True once a process sleeps in a timed wait: between two looks.
fn sleeping(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|at| at.contains("nanosleep"))
        || std::fs::read_to_string(format!("/proc/{pid}/syscall"))
            .is_ok_and(|call| call.starts_with("230 ") || call.starts_with("115 "))
}

#[test]
fn a_persons_will_explains_what_is_wrong_and_nothing_else() {
    let env = down();
    let intent = env.watchdog().join("intent.json");
    let maintenance = Maintenance {
        since: Stamp::now(),
        for_s: 600,
        reason: Some("upgrading node".into()),
    };
    Intent {
        stopped: None,
        maintenance: Some(maintenance),
    }
    .save(&intent)
    .unwrap();
    let report = once(&env);
    assert_eq!(class(&report), "maintenance", "{report}");
    assert!(report["summary"].as_str().unwrap().contains("upgrading node"));
    let stopped = Stopped {
        since: Stamp::now(),
        by: "me".into(),
        reason: None,
    };
    Intent {
        stopped: Some(stopped),
        maintenance: None,
    }
    .save(&intent)
    .unwrap();
    assert_eq!(class(&once(&env)), "stopped_on_purpose");
    env.write(".openclaw/watchdog/intent.json", "half a f");
    assert_eq!(class(&once(&env)), "maintenance", "it may have been stopped on purpose");
    assert_eq!(std::fs::read(&intent).unwrap(), b"half a f", "a probe changes nothing");
    let _gateway = env.gateway().start();
    let report = probe(&env)
        .env_remove("OPENCLAW_GATEWAY_PORT")
        .args(["--json"])
        .run()
        .expect_code(0)
        .json();
    assert_eq!(class(&report), "", "{report}");
}

#[test]
fn a_broken_configuration_beside_a_healthy_gateway_is_a_degradation() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    let probe = |env| probe(env).env("OPENCLAW_GATEWAY_PORT", gateway.port());
    for (content, expected) in [
        ("{\"gateway\":{\"mode\":\"lo", "config_invalid"),
        ("{}", "config_invalid"),
    ] {
        env.write(".openclaw/openclaw.json", content);
        // A live edit that the gateway accepts makes it restart in place first.
        let report = oc_testkit::wait_for(
            "the drain of the reload is over",
            std::time::Duration::from_secs(20),
            || {
                let report = probe(&env).args(["--json"]).run().json();
                (class(&report) == expected).then_some(report)
            },
        );
        assert_eq!(report["exit"], 1, "{report}");
        assert_eq!(check(&report, "liveness")["status"], "ok");
    }
    std::fs::remove_file(env.config_path()).unwrap();
    let report = probe(&env).args(["--json"]).run().expect_code(1).json();
    assert_eq!(class(&report), "config_missing");
}

#[test]
fn a_broken_configuration_with_the_gateway_down_is_why() {
    let env = down();
    env.write(".openclaw/openclaw.json", "{");
    let report = probe(&env)
        .args(["--json", "--tries", "3", "--interval", "20s"])
        .run()
        .expect_code(2)
        .json();
    assert_eq!(class(&report), "config_invalid", "{report}");
    std::fs::remove_file(env.config_path()).unwrap();
    std::fs::create_dir(env.config_path()).unwrap();
    assert_eq!(class(&once(&env)), "config_invalid", "a directory in its place");
}

#[test]
fn what_is_known_about_the_configuration_is_handed_on_and_used() {
    let env = TestEnv::new();
    let _gateway = env.gateway().start();
    let report = probe(&env).args(["--json"]).run().expect_code(0).json();
    let mut seen = report["config_seen"].clone();
    assert_eq!(report["config_hash"], seen["hash"]);
    seen["hash"] = json!("remembered");
    env.write(
        ".openclaw/watchdog/carry.json",
        json!({ "config_seen": seen }).to_string(),
    );
    let report = probe(&env).args(["--json"]).run().expect_code(0).json();
    assert_eq!(report["config_hash"], "remembered", "an unchanged file was read again");
}

#[test]
fn memory_of_the_whole_tree_over_its_limits() {
    let env = TestEnv::new();
    env.oc_config(&json!({"probe": {"memory_warn": "30MB", "memory_limit": "60MB"}}));
    let gateway = env
        .gateway()
        .faults(|f| {
            f.hold_mb = 80;
            f.in_worker = true;
        })
        .start();
    wait_until("the worker holds it", Duration::from_secs(20), || {
        let report = probe(&env).args(["--json"]).run().json();
        class(&report) == "memory_high" && report["rss_bytes"].as_u64().unwrap() > 80 << 20
    });
    let output = probe(&env).run().expect_code(1);
    assert!(output.stdout.contains("FAIL  memory"), "{}", output.stdout);
    drop(gateway);
}

#[test]
fn slow_answers_and_a_full_disk_and_a_garbled_database() {
    let env = TestEnv::new();
    env.oc_config(&json!({"probe": {"disk_min_free": "90TB", "slow_p95": "1s"}}));
    let _gateway = env.gateway().start();
    env.write(
        ".openclaw/watchdog/carry.json",
        json!({"latencies_ms": [6000, 7000, 6000, 8000]}).to_string(),
    );
    let report = probe(&env).args(["--json"]).run().json();
    assert_eq!(conditions(&report), ["disk_full", "slow"], "{report}");

    let env = down();
    env.write(".openclaw/state/openclaw.sqlite", "SQLite format 3?");
    assert_eq!(class(&once(&env)), "state_db");
    env.write(".openclaw/state/openclaw.sqlite", "");
    assert_eq!(
        class(&once(&env)),
        "unregistered",
        "an empty one is made anew by the gateway"
    );
}

#[test]
fn an_upgrade_under_way_explains_a_gateway_that_is_down() {
    let env = down();
    let package = env.write(
        "lib/node_modules/openclaw/package.json",
        r#"{"name":"openclaw","version":"2026.9.6"}"#,
    );
    let program = env.stub("openclaw-real", "exit 0");
    let target = package.with_file_name("openclaw.mjs");
    std::fs::rename(program, &target).unwrap();
    std::os::unix::fs::symlink(&target, env.path("bin/openclaw")).unwrap();
    let report = once(&env);
    assert_eq!(class(&report), "upgrading", "{report}");
    env.oc_config(&json!({"service": {"package_dir": "/usr"}}));
    assert_eq!(class(&once(&env)), "unregistered");
}

#[test]
fn deep_probes_warn_and_one_that_cannot_run_says_nothing() {
    let env = TestEnv::new();
    let upstream = oc_testkit::Canned::answering(429, "{}");
    let deep = |name: &str, rest: serde_json::Value| {
        let mut one = json!({"name": name, "timeout": "1s"});
        one.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        one
    };
    env.oc_config(&json!({"probe": {"deep": [
        deep("ours", json!({"url": "/readyz", "expect": {"json": {"ready": true}}})),
        deep("works", json!({"command": ["sh", "-c", "echo '{\"state\":\"up\"}'"], "expect": {"json": {"state": "up"}}})),
        deep("missing", json!({"command": ["no-such-program"]})),
    ]}}));
    let _gateway = env.gateway().start();
    let report = probe(&env).args(["--json"]).run().expect_code(0).json();
    for (name, status) in [("ours", "ok"), ("works", "ok"), ("missing", "warn")] {
        assert_eq!(check(&report, name)["status"], status, "{report}");
    }
    env.oc_config(&json!({"probe": {"deep": [
        deep("upstream", json!({"url": format!("http://127.0.0.1:{}/v1", upstream.port())})),
        deep("slow", json!({"command": ["sleep", "30"], "timeout": "300ms"})),
        deep("fails", json!({"command": ["sh", "-c", "echo no >&2; exit 3"]})),
    ]}}));
    let report = probe(&env).args(["--json"]).run().expect_code(1).json();
    assert_eq!(class(&report), "deep_failed", "{report}");
    for name in ["upstream", "slow", "fails"] {
        assert_eq!(check(&report, name)["status"], "fail", "{report}");
        assert_eq!(check(&report, name)["critical"], false);
    }
}
