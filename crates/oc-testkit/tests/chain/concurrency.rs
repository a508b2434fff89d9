//! One healing at a time, whoever starts it.

use crate::stage::{CEILING, Stage};
use oc_testkit::{Signal, wait_until};
use std::time::Duration;

#[test]
fn invariant_2_of_twenty_passes_at_once_one_acts_and_nineteen_are_busy() {
    let stage = Stage::serving();
    stage.hang();
    let passes: Vec<_> = (0..20).map(|_| stage.heal().spawn()).collect();
    let codes: Vec<i32> = passes
        .into_iter()
        .map(|p| p.wait(Duration::from_secs(60)).code)
        .collect();
    assert_eq!(codes.iter().filter(|c| **c == 75).count(), 19, "{codes:?}");
    assert_eq!(stage.attempts(), ["restart kill"]);
    assert_eq!(stage.starts(), 2);
}

#[test]
fn invariant_2_a_pass_that_lost_its_lock_does_nothing_and_the_next_one_does_it_on_record() {
    let stage = Stage::serving();
    stage.hang();
    let pass = stage.heal().spawn();
    let lock = stage.env.watchdog().join("locks/healing.lock");
    // It looks for as long as a hang must last, and decides then.
    wait_until("a pass that looks", CEILING, || {
        stage.env.watchdog().join("run/probe.json").exists() && lock.exists()
    });
    std::fs::remove_file(&lock).unwrap();
    assert_eq!(pass.wait(CEILING).code, 3, "it could not tell");
    assert_eq!((stage.attempts().len(), stage.starts()), (0, 1));
    stage.heal_until_well();
    assert_eq!(stage.attempts(), ["restart kill"]);
    assert_eq!(stage.starts(), 2);
}

#[test]
fn invariant_2_the_lock_lives_as_long_as_any_process_of_the_chain_and_no_longer() {
    let stage = Stage::serving();
    let (mut holder, command) = stage.holding();
    holder.signal(Signal::KILL);
    wait_until("the holder is dead", CEILING, || holder.try_wait().is_some());
    assert_eq!(
        run_true(&stage),
        75,
        "the command it started still works, hence still holds"
    );
    rustix::process::kill_process(command, Signal::KILL).unwrap();
    wait_until("the lock is free", CEILING, || run_true(&stage) == 0);
}

#[test]
fn invariant_2_a_service_started_by_a_pass_does_not_hold_its_lock() {
    let mut stage = Stage::serving();
    let supervisor = stage.supervisor.take().unwrap();
    let old = stage.pid();
    drop(supervisor);
    let _gone = rustix::process::kill_process(crate::stage::rustix_pid(old), Signal::KILL);
    wait_until("nobody serves", CEILING, || !stage.is_ready());
    wait_until("a pass starts it again", CEILING, || {
        stage.pass();
        stage.is_ready()
    });
    assert_eq!(run_true(&stage), 0);
}

#[test]
fn a_pass_that_hangs_is_ended_at_its_deadline_with_its_whole_group() {
    let stage = Stage::serving();
    let hang = [
        "run",
        "--deadline",
        "300ms",
        "--",
        "sh",
        "-c",
        "trap '' TERM; sleep 600 & echo $! >$HOME/pid; wait; sleep 600",
    ];
    let out = stage.cmd("oc-escalate").args(hang).run().expect_code(124);
    assert!(out.stderr.contains("longer than"), "{}", out.stderr);
    let pid: i64 = std::fs::read_to_string(stage.env.path("pid"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    wait_until("the background child is gone", CEILING, || {
        rustix::process::test_kill_process(crate::stage::rustix_pid(pid)).is_err()
    });
    assert_eq!(run_true(&stage), 0);
}

#[test]
fn a_busy_lock_names_its_holder() {
    let stage = Stage::serving();
    let (holder, _command) = stage.holding();
    let said = stage
        .cmd("oc-escalate")
        .args(["run", "--", "true"])
        .run()
        .expect_code(75)
        .stderr;
    assert!(said.contains(&format!("pid {}", holder.pid())), "{said}");
}

#[test]
fn ctrl_c_ends_the_pass_and_everything_in_it() {
    let stage = Stage::serving();
    let (mut holder, command) = stage.holding();
    holder.signal(Signal::INT);
    assert_eq!(holder.wait(CEILING).code, 130);
    wait_until("the command is gone", CEILING, || {
        rustix::process::test_kill_process(command).is_err()
    });
}

fn run_true(stage: &Stage) -> i32 {
    stage.cmd("oc-escalate").args(["run", "--", "true"]).run().code
}
