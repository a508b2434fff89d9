//! Killed at any moment, it leaves nobody running for good, and no incident gets two sessions at once.

use crate::stage::{CEILING, Stage, acts, mend, side_by_side, with_each_driver};
use oc_testkit::Signal;
use serde_json::json;

#[test]
fn of_two_at_once_one_runs_and_the_other_is_told_who() {
    let mut work = json!([{"say": "I look."}, {"wait_for": "{{cwd}}/../../../go"}]);
    work.as_array_mut().unwrap().extend(mend().as_array().unwrap().clone());
    let stage = Stage::new(&json!({"acts": work}));
    let first = stage.session("tmux").spawn();
    stage.wait_for("start");
    let second = stage.run("tmux");
    assert_eq!(second.code, 75, "{}", second.stderr);
    assert!(
        second.stderr.contains(&first.pid().to_string()),
        "the holder is named: {}",
        second.stderr
    );
    assert_eq!(stage.starts("claude"), 1);
    stage.env.cmd("oc-claude-pty").arg("stop").run();
    first.wait(CEILING);
    stage.expect_nobody_left();
}

/// In a start dialog that nobody answers, at work, and when the work is done.
#[test]
fn killed_at_any_phase_its_session_is_ended_by_whoever_comes_next() {
    with_each_driver(|driver| {
        let phases = [
            ("start", json!({"starts_after": "/nowhere", "acts": []})),
            (
                "call",
                acts(&json!([{"call": {"name": "Read", "input": {}}}, "deaf", "hang"])),
            ),
            (
                "task",
                acts(&json!([{"task": "exec sleep 600"}, {"wait_for": "/nowhere"}])),
            ),
        ];
        side_by_side(&phases, |(phase, script)| {
            let stage = Stage::new(script);
            let mut running = stage.session(driver).spawn();
            stage.wait_for(phase);
            running.signal(Signal::KILL);
            running.wait(CEILING);
            // What every next pass does first.
            let stop = stage.env.cmd("oc-claude-pty").args(["stop", "--stale"]).run();
            assert_eq!(stop.stdout, "stopped\n", "{}", stop.stderr);
            stage.expect_nobody_left();
            // And the incident's one session is spent or not, but never two run.
            assert_eq!(stage.starts("claude"), 1);
        });
    });
}

#[test]
fn a_person_can_see_and_stop_it() {
    let stage = Stage::new(&acts(&json!([{"say": "I look."}, {"wait_for": "/nowhere"}])));
    let running = stage.session("tmux").spawn();
    stage.wait_for("start");
    let list = stage.env.cmd("oc-claude-pty").arg("list").run().expect_code(0);
    assert!(list.stdout.contains("claude"), "{}", list.stdout);
    stage.env.cmd("oc-claude-pty").arg("stop").run().expect_code(0);
    // Ended by a signal, as far as a script is concerned.
    running.wait(CEILING).expect_code(143);
    stage.expect_nobody_left();
    let list = stage.env.cmd("oc-claude-pty").arg("list").run();
    assert!(!list.stdout.contains("I-1"), "{}", list.stdout);
}
