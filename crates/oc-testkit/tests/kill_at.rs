//! `kill-at` stops a tool just before the step that it was told, and the step before that is made.
#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use oc_testkit::{TestEnv, invariants};

fn maintenance(env: &TestEnv, step: Option<usize>) -> (i32, Vec<String>) {
    let list = env.path("steps");
    let mut watched = env.cmd("kill-at").arg("--list").arg(&list);
    if let Some(step) = step {
        watched = watched.args(["--step", &step.to_string()]);
    }
    let tool = oc_testkit::bin("oc-escalate");
    let out = watched
        .arg("--")
        .arg(tool)
        .args(["maintenance", "on", "--for", "1h"])
        .run();
    let steps = std::fs::read_to_string(list).unwrap();
    (out.code, steps.lines().map(str::to_owned).collect())
}

#[test]
fn the_tool_dies_before_the_step_that_was_told_and_after_the_one_before() {
    let (code, steps) = maintenance(&TestEnv::new(), None);
    assert_eq!(code, 0);
    let renamed = steps.iter().position(|step| step.ends_with("/intent.json")).unwrap() + 1;
    let at = |step| {
        let env = TestEnv::new();
        assert_eq!(maintenance(&env, Some(step)).0, 137);
        let there = env.watchdog().join("intent.json").exists();
        (there, invariants::unfinished(env.home()).len())
    };
    assert_eq!(at(renamed), (false, 1), "written, and not yet renamed");
    assert_eq!(at(renamed + 1), (true, 0), "renamed");
}

#[test]
fn a_write_is_also_cut_in_its_middle() {
    let (_, steps) = maintenance(&TestEnv::new(), None);
    let half = steps
        .iter()
        .position(|step| step.ends_with("/journal.jsonl, half of it"))
        .unwrap();
    let env = TestEnv::new();
    maintenance(&env, Some(half + 1));
    let text = std::fs::read_to_string(env.watchdog().join("journal.jsonl")).unwrap();
    assert!(text.starts_with('{') && !text.ends_with('\n'), "{text}");
    assert_eq!(maintenance(&env, None).0, 0);
    let text = std::fs::read_to_string(env.watchdog().join("journal.jsonl")).unwrap();
    assert_eq!(
        text.lines().count(),
        2,
        "what comes after stands on a line of its own: {text}"
    );
}
