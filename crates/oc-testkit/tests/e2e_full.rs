//! Invariant 1 at full length: real processes, the default policy, the supervisor's own passes, and zero actions. And the one
//! scenario of e2e that is scaled there, at its default. Minutes each, side by side; `make e2e-full` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "tests; each of them uses its part of the stage"
)]

#[path = "chain/persons.rs"]
mod persons;
mod real;
#[path = "chain/stage.rs"]
mod stage;

use oc_testkit::{Running, Signal, TestEnv, process, wait_for, wait_until, wall_ms};
use persons::LastGood;
use real::{Table, ms};
use serde_json::json;
use stage::{Stage, rustix_pid};
use std::time::{Duration, Instant};

/// Longer than any control lasts.
const LONG: Duration = Duration::from_secs(600);

/// A stand-in at all defaults, with passes by its supervisor.
fn at_defaults(fault: impl FnOnce(&mut oc_testkit::Faults)) -> Stage {
    let mut stage = Stage::bare();
    stage.patience = LONG;
    stage.env.fault(fault);
    stage.settings(&json!({}));
    stage.supervise_with(&[]);
    stage
}

fn serving() -> Stage {
    let stage = at_defaults(|_| {});
    stage.wait_ready();
    stage.heal_until_well();
    stage
}

fn untouched(stage: &Stage, pid: i64) {
    assert_eq!(stage.pid(), pid, "the same process\n{}", stage.journal_text());
    unbothered(stage);
}

/// Neither was anything done, nor was anybody called.
fn unbothered(stage: &Stage) {
    assert!(stage.attempts().is_empty(), "{}", stage.journal_text());
    assert!(stage.events("human_needed").is_empty(), "{}", stage.journal_text());
}

/// Stays for a while; nothing is there to wait for, because nothing is to happen.
fn stay(seconds: u64) {
    let begun = Instant::now();
    wait_until("time passes", LONG, || {
        std::thread::sleep(Duration::from_millis(100));
        begun.elapsed() >= Duration::from_secs(seconds)
    });
}

type Control = (&'static str, fn());

const CONTROLS: &[Control] = &[
    ("a boot of 4 min that refuses connections", a_slow_boot),
    ("a drain of 3 min, half of it refusing", a_long_drain),
    ("a loop blocked for 30 s", a_loop_blocked_for_30_s),
    (
        "the watcher, then all of it, stopped for 2 min in a probe",
        a_suspended_machine,
    ),
    (
        "a package that changed, a loop blocked for 100 s",
        a_package_that_changed,
    ),
    (
        "another process that owns the lifecycle, exits with 78",
        an_owned_lifecycle,
    ),
    ("maintenance, a loop blocked for 100 s", maintenance),
    ("a deliberate stop for 100 s", a_deliberate_stop),
];

#[test]
#[ignore = "takes minutes: make e2e-full"]
fn invariant_1_controls_at_full_length_and_then_under_load() {
    let table = Table::new("Left alone, by the defaults");
    let failed: Vec<&str> = std::thread::scope(|scope| {
        let started: Vec<_> = CONTROLS.iter().map(|(name, run)| (name, scope.spawn(run))).collect();
        let ended = started.into_iter().map(|(name, run)| (*name, run.join().is_ok()));
        ended.filter_map(|(name, good)| report(&table, name, good)).collect()
    });
    assert!(failed.is_empty(), "{failed:?}");
    load_20();
    report(&table, "load average 20, two gateways", true);
}

fn report<'a>(table: &Table, name: &'a str, good: bool) -> Option<&'a str> {
    table.line(name, if good { "no action" } else { "FAILED" });
    (!good).then_some(name)
}

fn a_slow_boot() {
    let stage = at_defaults(|f| f.boot_ms = 240_000);
    let pid = stage.pid();
    stage.wait_ready();
    stage.heal_until_well();
    untouched(&stage, pid);
    assert_eq!(stage.starts(), 1);
}

fn a_long_drain() {
    let stage = serving();
    stage.env.fault(|f| (f.drain_ms, f.drain_refused_ms) = (90_000, 90_000));
    let pid = stage.kill(Signal::TERM);
    let begun = Instant::now();
    stage.pid_other_than(pid);
    assert!(
        begun.elapsed() >= Duration::from_secs(170),
        "it was left to drain: {:?}",
        begun.elapsed()
    );
    stage.wait_ready();
    stage.heal_until_well();
    unbothered(&stage);
}

fn a_loop_blocked_for_30_s() {
    let stage = serving();
    let pid = stage.pid();
    stage.env.fault(|f| f.block_ms = Some(30_000));
    let begun = Instant::now();
    wait_until("it is blocked", LONG, || !stage.is_ready());
    stage.wait_ready();
    assert!(begun.elapsed() >= Duration::from_secs(29));
    stage.heal_until_well();
    untouched(&stage, pid);
}

/// The worst moment: in the middle of a probe that hears nothing. The watcher wakes before the gateway does.
fn a_suspended_machine() {
    let stage = serving();
    let gateway = stage.kill(Signal::STOP);
    let watcher = wait_for("a probe that waits for an answer", LONG, || {
        let watcher = watcher(&stage, u32::try_from(gateway).unwrap());
        watcher.iter().any(|pid| is(*pid, "oc-probe")).then_some(watcher)
    });
    stay(1);
    let send = |signal| {
        for pid in &watcher {
            stage.env.signal(*pid, signal);
        }
    };
    send(Signal::STOP);
    stay(120);
    send(Signal::CONT);
    stay(1);
    rustix::process::kill_process(rustix_pid(gateway), Signal::CONT).unwrap();
    stage.wait_ready();
    stay(30);
    stage.heal_until_well();
    untouched(&stage, gateway);
}

/// The supervisor and its passes; the gateway, which is its child, too, is not of them.
fn watcher(stage: &Stage, gateway: u32) -> Vec<u32> {
    let mut all = vec![stage.supervisor.as_ref().unwrap().pid()];
    let mut next = 0;
    while next < all.len() {
        let children = process::children(all[next]);
        all.extend(children.into_iter().filter(|pid| *pid != gateway));
        next += 1;
    }
    all
}

fn is(pid: u32, name: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
}

fn a_package_that_changed() {
    let stage = serving();
    let manifest = json!({"name": "openclaw", "version": "2026.9.7"}).to_string();
    stage.env.write("no-package/package.json", manifest);
    blocked_for_100_s(&stage);
}

fn blocked_for_100_s(stage: &Stage) {
    let pid = stage.pid();
    stage.env.fault(|f| f.block_ms = Some(100_000));
    wait_until("it is blocked", LONG, || !stage.is_ready());
    stage.wait_ready();
    untouched(stage, pid);
}

fn an_owned_lifecycle() {
    let stage = serving();
    let owner = stage.env.foreign("sleep").arg("100").spawn();
    let lock = json!({"pid": owner.pid(), "startTime": process::start_ticks(owner.pid()), "port": stage.port,
        "ownerId": "an update", "createdAt": "2026-01-01T00:00:00Z", "configPath": stage.env.config_path(), "stateDir": stage.env.state_dir()});
    std::fs::write(stage.env.gateway_lock(), lock.to_string()).unwrap();
    stage.kill(Signal::KILL);
    owner.wait(LONG).expect_code(0);
    let refused = stage.events("exited");
    assert!(
        refused.iter().any(|e| e["data"]["status"] == 78),
        "{}",
        stage.journal_text()
    );
    unbothered(&stage);
    // From now on a start is in place, whoever makes it.
    stage.wait_ready();
}

fn maintenance() {
    let stage = serving();
    let on = ["maintenance", "on", "--for", "1h", "--reason", "a new disk"];
    stage.cmd("oc-escalate").args(on).run().expect_code(0);
    blocked_for_100_s(&stage);
}

fn a_deliberate_stop() {
    let stage = serving();
    stage.guardian(&["stop", "--reason", "the weekend"]).expect_code(0);
    stay(100);
    assert!(!stage.is_ready() && stage.status()["child"].is_null());
    unbothered(&stage);
}

fn load_20() {
    let mut real = Stage::real();
    real.supervise_with(&[]);
    real.wait_ready();
    real.heal_until_well();
    let stand_in = serving();
    let pids = (real.pid(), stand_in.pid());
    let env = TestEnv::new();
    let busy: Vec<Running> = (0..20)
        .map(|_| env.foreign("sh").args(["-c", "while :; do :; done"]).spawn())
        .collect();
    stay(90);
    drop(busy);
    untouched(&real, pids.0);
    untouched(&stand_in, pids.1);
}

#[test]
#[ignore = "needs the real gateway, takes minutes: make e2e-full"]
fn the_real_gateway_blocked_for_30_s_is_left_alone_and_for_45_s_is_ended() {
    let table = Table::new("A blocked event loop by the defaults, on the real gateway");
    let mut stage = Stage::real();
    stage.supervise_with(&[]);
    stage.wait_ready();
    stage.heal_until_well();
    let blocked = stage.block();
    let pid = blocked.pid;
    stay(30);
    drop(blocked);
    stage.wait_ready();
    stage.heal_until_well();
    untouched(&stage, pid);
    table.line("blocked for 30 s", "no action");

    let blocked = stage.block();
    stage.pid_other_than(pid);
    stage.wait_ready();
    let serving = wall_ms();
    assert_eq!(stage.attempts(), ["restart kill"], "{}", stage.journal_text());
    table.healed("blocked for ever", blocked.at, ms(&stage.events("attempt")[0]), serving);
    let closed = stage.nth_event("incident_closed", 1, LONG);
    assert_eq!(closed["data"]["by_us"], true, "{}", stage.journal_text());
}

#[test]
#[ignore = "needs the real gateway, takes minutes: make e2e-full"]
fn what_only_a_person_can_decide_ends_in_one_alert_on_the_real_gateway() {
    let table = Table::new("Left to a person, on the real gateway, whatever the copies say");
    for copy in LastGood::ALL {
        let stage = || {
            let stage = Stage::real();
            stage.settings(&persons::settings(&stage));
            stage
        };
        let took = persons::a_newer_configuration(&mut stage(), copy);
        table.line(
            &format!("o: written by a newer version, copy {copy:?}"),
            &format!("one alert after {took:.1?}"),
        );
        let took = persons::a_damaged_database(&mut stage(), copy);
        table.line(
            &format!("p: damaged state database, copy {copy:?}"),
            &format!("one alert after {took:.1?}"),
        );
    }
}
