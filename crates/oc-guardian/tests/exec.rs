//! `exec -- CMD`: the process that the manager started becomes the service, after a look at its configuration and after the
//! backoff that launchd does not have; nothing of ours keeps it down.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_core::identity::Identity;
use oc_testkit::launchd::Launchd;
use oc_testkit::{Asked, Output, Running, Signal, TestEnv, ask, bin, wait_for, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const LABEL: &str = "ai.openclaw.gateway";

fn env(step: &str) -> TestEnv {
    let env = TestEnv::new();
    env.oc_config(&json!({"service": {"supervise": {"backoff_step": step, "backoff_max": "1h"}}}));
    env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
    env
}

fn exec(env: &TestEnv, script: &str) -> Output {
    env.cmd("oc-guardian")
        .args(["exec", "--", "/bin/sh", "-c", script])
        .run()
}

fn spawn(env: &TestEnv, script: &str) -> Running {
    env.cmd("oc-guardian")
        .args(["exec", "--", "/bin/sh", "-c", script])
        .spawn()
}

fn starts(env: &TestEnv) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(env.watchdog().join("starts.json")).ok()?).ok()
}

fn failed_in_a_row(env: &TestEnv) -> u64 {
    starts(env).unwrap()["failed_in_a_row"].as_u64().unwrap()
}

#[test]
fn it_becomes_the_very_process_with_its_code_and_its_signals() {
    let env = env("10s");
    let mut running = spawn(&env, "echo $$ >$HOME/pid; exec sleep 600");
    let pid: u32 = wait_for("its pid", SOON, || {
        std::fs::read_to_string(env.path("pid")).ok()?.trim().parse().ok()
    });
    assert_eq!(pid, running.pid());
    assert_eq!(starts(&env).unwrap()["process"]["pid"], pid);
    running.signal(Signal::TERM);
    assert_eq!(running.wait(SOON).code, 143, "TERM ends it as it ends any program");
    std::fs::remove_file(env.watchdog().join("starts.json")).unwrap();
    exec(&env, "exit 42").expect_code(42);
}

#[test]
fn a_configuration_that_lets_no_start_succeed_ends_with_78_and_nothing_else_does() {
    let env = env("0s");
    for broken in ["", "{", r#"{"gateway":{}}"#] {
        env.write(".openclaw/openclaw.json", broken);
        let out = exec(&env, "touch $HOME/started").expect_code(78);
        assert!(out.stderr.contains("oc-doctor"), "{}", out.stderr);
    }
    std::fs::remove_file(env.config_path()).unwrap();
    exec(&env, "touch $HOME/started").expect_code(78);
    assert!(!env.path("started").exists());
    // An unknown key is a hint, no more.
    env.write(
        ".openclaw/openclaw.json",
        r#"{"gateway":{"mode":"local"},"unheard_of":1}"#,
    );
    exec(&env, "exit 7").expect_code(7);
}

#[test]
fn whatever_is_wrong_with_our_own_files_the_service_starts() {
    let env = env("0s");
    let config = env.watchdog().join("config.json");
    for damage in ["{", r#"{"no_such_section":1}"#] {
        std::fs::write(&config, damage).unwrap();
        exec(&env, "exit 7").expect_code(7);
    }
    std::fs::remove_file(&config).unwrap();
    std::fs::write(env.watchdog().join("starts.json"), "garbage").unwrap();
    std::fs::write(env.watchdog().join("state.json"), "garbage").unwrap();
    exec(&env, "exit 7").expect_code(7);
    // No state directory can be made at all.
    std::fs::remove_dir_all(env.watchdog()).unwrap();
    std::fs::write(env.watchdog(), "in the way").unwrap();
    exec(&env, "exit 7").expect_code(7);
    // Nor is there an oc-doctor, or it is broken.
    let alone = env.path("alone");
    std::fs::create_dir(&alone).unwrap();
    std::fs::copy(bin("oc-guardian"), alone.join("oc-guardian")).unwrap();
    let own = |path: &str| {
        let words = ["exec", "--", "/bin/sh", "-c", "exit 7"];
        env.foreign(alone.join("oc-guardian"))
            .args(words)
            .env("PATH", path)
            .run()
    };
    assert!(
        own("/usr/bin:/bin")
            .expect_code(7)
            .stderr
            .contains("oc-doctor is not there")
    );
    env.stub("oc-doctor", "exit 70");
    own(&format!("{}:/usr/bin:/bin", env.path("bin").display())).expect_code(7);
}

#[test]
fn each_start_that_was_never_ready_adds_to_the_wait_and_a_changed_configuration_ends_the_row() {
    let env = env("60ms");
    for row in 0..4 {
        let begun = std::time::Instant::now();
        exec(&env, "exit 1").expect_code(1);
        assert!(
            begun.elapsed() >= Duration::from_millis(60 * row),
            "start {row} waited {:?}",
            begun.elapsed()
        );
        assert_eq!(failed_in_a_row(&env), row);
    }
    env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local","port":1}}"#);
    exec(&env, "exit 1").expect_code(1);
    assert_eq!(failed_in_a_row(&env), 0);
}

#[test]
fn one_that_served_is_started_at_once() {
    let env = env("1h");
    exec(&env, "exit 1").expect_code(1);
    let last = starts(&env).unwrap()["process"].clone();
    env.write(".openclaw/watchdog/carry.json", json!({"identity": last}).to_string());
    exec(&env, "exit 1").expect_code(1);
    assert_eq!(failed_in_a_row(&env), 0);
}

#[test]
fn a_wait_ends_when_somebody_wants_it_to_start_or_to_end() {
    let env = env("1h");
    exec(&env, "exit 1").expect_code(1);
    let waits = || starts(&env).is_some_and(|s| s["waits_until"].is_string());
    let mut waiting = spawn(&env, "exit 7");
    wait_until("it waits", SOON, waits);
    waiting.signal(Signal::TERM);
    assert_eq!(waiting.wait(SOON).code, 143);
    let waiting = spawn(&env, "exit 7");
    wait_until("it waits", SOON, waits);
    std::fs::remove_file(env.watchdog().join("starts.json")).unwrap();
    assert_eq!(waiting.wait(SOON).code, 7);
    assert_eq!(failed_in_a_row(&env), 0);
}

#[test]
fn a_dry_run_says_what_it_would_do() {
    let env = env("1h");
    exec(&env, "exit 1").expect_code(1);
    let words = ["exec", "--dry-run", "--json", "--", "/bin/sh", "-c", "exit 7"];
    let answer = env.cmd("oc-guardian").args(words).run().expect_code(0).json();
    assert_eq!(
        (answer["failed_in_a_row"].as_u64(), answer["wait_ms"].as_u64()),
        (Some(1), Some(3_600_000))
    );
}

#[test]
fn without_a_command_or_with_one_that_is_not_there_it_says_so() {
    let env = env("0s");
    env.cmd("oc-guardian").arg("exec").run().expect_code(64);
    env.cmd("oc-guardian")
        .args(["exec", "--", "/no/such"])
        .run()
        .expect_code(127);
    env.cmd("oc-guardian")
        .args(["exec", "--", "/etc/passwd"])
        .run()
        .expect_code(126);
}

/// A gateway that launchd starts through `exec`, and that dies before it is ready.
#[test]
fn a_crash_loop_behind_it_is_seen_as_one_and_a_start_by_hand_does_not_wait() {
    let env = TestEnv::with_launchd();
    let gateway = env.gateway();
    let (port, mut words) = (gateway.port(), gateway.prepare());
    env.oc_config(&json!({
        "service": {"supervise": {"backoff_step": "400ms", "backoff_max": "1h"}},
        "probe": {"url": format!("http://127.0.0.1:{port}"), "timeout": "1s", "tries": 1},
    }));
    let mut argv = vec![
        bin("oc-guardian").display().to_string(),
        "exec".to_owned(),
        "--".to_owned(),
    ];
    argv.append(&mut words);
    env.fault(|f| (f.exit_after_ms, f.exit_code) = (Some(0), 1));
    let plist = env.launchd().agent(LABEL, &argv, "").display().to_string();
    env.launchd()
        .say(&["bootstrap", &Launchd::domain(), &plist])
        .expect_code(0);
    let status = wait_for("three starts in a row that failed", SOON, || {
        let status = env.cmd("oc-guardian").args(["status", "--json"]).run().json();
        (status["never_ready_in_a_row"].as_u64() >= Some(3) && status["next_start_at"].is_string()).then_some(status)
    });
    assert_eq!(
        (status["state"].as_str(), status["identity"].as_object()),
        (Some("starting"), None)
    );
    let class = || env.cmd("oc-probe").arg("--json").run().json()["class"].clone();
    wait_until("the probe calls it a crash loop", SOON, || class() == "crash_loop");
    env.fault(|f| f.exit_after_ms = None);
    env.cmd("oc-guardian").args(["start", "--wait"]).run().expect_code(0);
    assert!(matches!(ask(port, "/healthz"), Asked::Answered(answer) if answer.status == 200));
    let pid = env.launchd().pid(LABEL).unwrap();
    assert!(Identity::of(pid).is_some());
    assert_eq!(
        env.gateway_pid(),
        u32::try_from(pid).ok(),
        "launchd tracks the gateway itself"
    );
}
