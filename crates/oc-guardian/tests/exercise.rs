//! `self-check --exercise` on the stand-in for launchd: every step as expected, nothing left, and a manager that behaves in
//! another way is noticed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::launchd::Fault;
use oc_testkit::{Signal, TestEnv, wait_until};
use serde_json::Value;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn env() -> TestEnv {
    let env = TestEnv::with_launchd();
    // What ignores TERM must drain long enough to be seen.
    env.launchd().knobs(|k| k.second_ms = 300);
    env
}

fn nothing_is_left(env: &TestEnv) {
    let domain = oc_testkit::launchd::Launchd::domain();
    let listed = env.launchd().say(&["print", &domain]).stdout;
    assert!(!listed.contains("exercise"), "{listed}");
    let files = std::fs::read_dir(env.path("Library/LaunchAgents")).map_or(0, Iterator::count);
    assert_eq!(files, 0, "a property list was left behind");
}

#[test]
fn every_step_is_as_expected_and_nothing_is_left() {
    let env = env();
    let out = env
        .cmd("oc-guardian")
        .args(["self-check", "--exercise", "--json"])
        .run()
        .expect_code(0);
    let answer = out.json();
    assert_eq!(
        (answer["verdict"].as_str(), answer["manager"].as_str()),
        (Some("as_expected"), Some("launchd"))
    );
    let steps = answer["steps"].as_array().unwrap();
    assert!(steps.len() >= 15 && steps.iter().all(|s| s["ok"] == true), "{answer:#}");
    nothing_is_left(&env);
    let said = |name: &str| steps.iter().find(|s| s["name"] == name).unwrap()["said"].to_string();
    assert!(
        said("disable").contains("launchctl disable gui/"),
        "the transcript can be pasted"
    );
}

#[test]
fn the_text_names_what_is_different_and_still_cleans_up() {
    let env = env();
    env.launchd()
        .knobs(|k| k.faults = vec![Fault::new("print-disabled", 99, 0, "")]);
    let out = env
        .cmd("oc-guardian")
        .args(["self-check", "--exercise"])
        .run()
        .expect_code(2);
    assert!(out.stdout.contains("FAIL  disable"), "{}", out.stdout);
    assert!(out.stdout.contains("please send this whole text"), "{}", out.stdout);
    nothing_is_left(&env);
}

#[test]
fn a_ctrl_c_in_the_middle_leaves_nothing() {
    let env = env();
    let mut running = env.cmd("oc-guardian").args(["self-check", "--exercise"]).spawn();
    wait_until("it has registered its job", SOON, || {
        !env.launchd().calls_of("kickstart").is_empty()
    });
    running.signal(Signal::INT);
    let out = running.wait(SOON);
    assert_eq!(out.code, 130, "{}", out.stderr);
    nothing_is_left(&env);
}

#[test]
fn a_dry_run_says_the_steps_and_says_nothing_to_launchd() {
    let env = env();
    let out = env
        .cmd("oc-guardian")
        .args(["self-check", "--exercise", "--dry-run", "--json"])
        .run()
        .expect_code(0);
    let answer: Value = out.json();
    assert_eq!(answer["dry_run"], true);
    assert!(answer["steps"].as_array().unwrap().len() >= 15);
    let changed = env.launchd().calls().into_iter().filter(|c| !c.starts_with("print"));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<String>::new());
}
