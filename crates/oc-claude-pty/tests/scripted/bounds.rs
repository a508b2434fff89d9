//! However long, loud or stubborn an agent is, it ends in time and leaves nobody behind.

use crate::stage::{Stage, acts, mend, with_each_driver};
use oc_testkit::{process, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

#[test]
fn a_deaf_agent_that_hangs_is_ended_at_the_deadline_with_all_it_started() {
    with_each_driver(|driver| {
        let work = json!([{"say": "I look."}, {"task": "exec sleep 600"}, {"daemon": "setsid sleep 600 >/dev/null 2>&1"}, "deaf", "hang"]);
        let stage = Stage::new(&acts(&work));
        let out = stage.session(driver).args(["--deadline", "4s"]).run();
        assert_eq!(out.code, 1, "{}", out.stderr);
        assert!(out.took < Duration::from_secs(12), "{:?}", out.took);
        let daemon = stage.record("claude", "daemon")[0]["pid"].as_u64().unwrap();
        assert!(
            !process::alive(u32::try_from(daemon).unwrap()),
            "the daemon is ended, too"
        );
        stage.expect_nobody_left();
    });
}

#[test]
fn background_tasks_and_daemons_of_an_agent_that_is_done_are_ended() {
    with_each_driver(|driver| {
        let mut work = mend();
        let more = json!([{"task": "exec sleep 600"}, {"daemon": "setsid sleep 600 >/dev/null 2>&1"}]);
        work.as_array_mut().unwrap().extend(more.as_array().unwrap().clone());
        let stage = Stage::new(&acts(&work));
        let out = stage.run(driver).expect_code(0);
        assert!(out.took < Duration::from_secs(10), "{:?}", out.took);
        stage.expect_nobody_left();
    });
}

#[test]
fn an_agent_that_prints_a_gigabyte_is_ended_and_fills_no_disk() {
    with_each_driver(|driver| {
        let stage = Stage::new(&acts(
            &json!([{"say": "I look."}, {"print": 1_u64 << 30}, {"say": "done"}]),
        ));
        let out = stage.session(driver).args(["--deadline", "15s"]).run();
        assert!([1, 2].contains(&out.code), "{}", out.stderr);
        let bytes = size_of(&stage.env.watchdog());
        assert!(bytes < 80 << 20, "{bytes} bytes are kept");
        stage.expect_nobody_left();
    });
}

fn size_of(dir: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries
        .map(|entry| {
            if entry.path().is_dir() {
                size_of(&entry.path())
            } else {
                entry.metadata().map_or(0, |m| m.len())
            }
        })
        .sum()
}

/// Interactive mode has no budget of its own: what the transcript says is metered as it grows.
#[test]
fn an_agent_that_costs_too_much_is_ended() {
    with_each_driver(|driver| {
        let mut work = vec![json!({"bill": 40_000_000})];
        work.extend([json!({"say": "thinking hard"}), json!({"wait_for": "/nowhere"})]);
        let stage = Stage::new(&acts(&Value::from(work)));
        let out = stage.run(driver).expect_code(1);
        let answer = out.json();
        assert!(answer["attempts"].to_string().contains("budget"), "{answer}");
        stage.expect_nobody_left();
    });
}

#[test]
fn an_agent_that_takes_too_many_turns_is_ended() {
    with_each_driver(|driver| {
        let mut work = vec![json!({"say": "still looking"}); 12];
        work.push(json!({"wait_for": "/nowhere"}));
        let stage = Stage::new(&acts(&Value::from(work)));
        stage.configure(&json!({"max_turns": 10}));
        let answer = stage.run(driver).expect_code(1).json();
        assert!(answer["attempts"].to_string().contains("turns"), "{answer}");
    });
}

/// The end of the work is noticed by the hook, not by looking at a screen.
#[test]
fn the_end_of_the_work_is_noticed_within_a_second() {
    with_each_driver(|driver| {
        let stage = Stage::new(&acts(&mend()));
        let running = stage.session(driver).spawn();
        stage.wait_for("stop");
        let stopped = std::time::Instant::now();
        wait_until("it is over", Duration::from_secs(10), || {
            stage.incident().join("report.md").exists()
        });
        let noticed = stopped.elapsed();
        running.wait(Duration::from_secs(10)).expect_code(0);
        assert!(noticed < Duration::from_secs(3), "{driver}: {noticed:?}");
    });
}
