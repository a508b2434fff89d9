//! What the stand-in does wrong when told to, and what the harness promises about processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::{Asked, Canned, Hostile, Signal, Step, TestEnv, ask, ask_with, process, wait_for, wait_until};
use std::net::Ipv4Addr;
use std::time::Duration;

const CEILING: Duration = Duration::from_secs(10);

fn impatient(port: u16) -> Asked {
    ask_with(
        Ipv4Addr::LOCALHOST.into(),
        port,
        "GET",
        "/healthz",
        &[],
        Duration::from_millis(200),
    )
}

#[test]
fn a_blocked_loop_takes_connections_gives_no_byte_and_keeps_sigterm_waiting() {
    let env = TestEnv::new();
    let mut gateway = env.gateway().start();
    gateway.fault(|faults| faults.block_ms = Some(0));
    assert_eq!(impatient(gateway.port()), Asked::Silent);
    gateway.signal(Signal::TERM);
    assert_eq!(impatient(gateway.port()), Asked::Silent);
    assert!(gateway.alive());
    gateway.fault(|faults| faults.block_ms = None);
    assert_eq!(gateway.wait_exit().code, 0);
}

#[test]
fn a_fault_of_one_process_does_not_reach_its_successor() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    gateway.fault_here(|faults| faults.block_ms = Some(0));
    assert_eq!(impatient(gateway.port()), Asked::Silent);
    assert_eq!(gateway.kill9().code, 137);
    assert_eq!(env.gateway().start().get("/healthz").status, 200);
}

#[test]
fn a_slow_boot_refuses_then_says_starting_then_serves() {
    let env = TestEnv::new();
    let mut gateway = env
        .gateway()
        .faults(|f| (f.boot_ms, f.starting_ms) = (60_000, 60_000))
        .spawn();
    assert_eq!(gateway.ask("/healthz"), Asked::Refused);
    gateway.fault(|faults| faults.boot_ms = 0);
    wait_until("the port is bound", CEILING, || {
        gateway.ask("/healthz") != Asked::Refused
    });
    let starting = gateway.get("/startupz");
    assert_eq!(
        (starting.status, starting.json()["status"].as_str()),
        (503, Some("starting"))
    );
    assert_eq!(gateway.get("/healthz").status, 200);
    gateway.fault(|faults| faults.starting_ms = 0);
    gateway.wait_ready();
}

#[test]
fn a_long_drain_says_so_then_refuses_and_then_exits_0() {
    let env = TestEnv::new();
    let mut gateway = env
        .gateway()
        .faults(|f| (f.drain_ms, f.drain_refused_ms) = (60_000, 60_000))
        .start();
    gateway.signal(Signal::TERM);
    wait_until("it says draining", CEILING, || {
        gateway.get("/startupz").json()["status"] == "draining"
    });
    assert_eq!(gateway.get("/readyz").json()["failing"][0], "gateway-draining");
    gateway.fault(|faults| faults.drain_ms = 0);
    gateway.wait_refused();
    assert!(gateway.alive());
    gateway.fault(|faults| faults.drain_refused_ms = 0);
    assert_eq!(gateway.wait_exit().code, 0);
}

#[test]
fn hostile_answers_are_what_they_are_called() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    let hostile = |how: Hostile| gateway.fault(|faults| faults.hostile = Some(how));
    for how in [
        Hostile::Stall,
        Hostile::Trickle,
        Hostile::Half,
        Hostile::Reset,
        Hostile::Close,
        Hostile::Garbage,
        Hostile::HugeHeaders,
    ] {
        hostile(how.clone());
        let asked = impatient(gateway.port());
        assert!(matches!(asked, Asked::Silent | Asked::Broken), "{how:?}: {asked:?}");
    }
    let answer = |how: Hostile| {
        hostile(how);
        gateway.get("/healthz")
    };
    assert_eq!(answer(Hostile::Status(503)).status, 503);
    assert_eq!(answer(Hostile::RedirectLoop).header("location"), Some("/healthz"));
    assert_eq!(answer(Hostile::Empty).body, "");
    assert_eq!(answer(Hostile::Body("{}".to_owned())).body, "{}");
    assert!(answer(Hostile::Html).body.contains("<html"));
    assert!(answer(Hostile::NonUtf8).body.contains('\u{fffd}'));
    // Cut off by the client after a mebibyte.
    assert!(answer(Hostile::Endless).body.len() > 500_000);
    gateway.fault(|faults| {
        faults.hostile = Some(Hostile::Status(500));
        faults.hostile_paths = vec!["/v1/models".to_owned()];
    });
    assert_eq!(
        (gateway.get("/healthz").status, gateway.get("/v1/models").status),
        (200, 500)
    );
}

#[test]
fn latency_is_felt_and_ends() {
    let env = TestEnv::new();
    let gateway = env.gateway().faults(|faults| faults.latency_ms = 60_000).spawn();
    wait_until("it is bound and slow", CEILING, || {
        impatient(gateway.port()) == Asked::Silent
    });
    gateway.fault(|faults| faults.latency_ms = 0);
    assert_eq!(gateway.get("/healthz").status, 200);
}

#[test]
fn a_leak_grows_and_threads_are_busy() {
    let env = TestEnv::new();
    let gateway = env
        .gateway()
        .faults(|f| (f.leak_mb_per_s, f.busy_threads) = (100, 1))
        .start();
    wait_until("50 MB are leaked", CEILING, || {
        process::resident_kb(gateway.pid()) > 50 * 1024
    });
    let busy = process::cpu_ticks(gateway.pid()).unwrap();
    wait_until("a tenth of a second of CPU is spent", CEILING, || {
        process::cpu_ticks(gateway.pid()).unwrap() > busy + 10
    });
    assert_eq!(gateway.get("/healthz").status, 200);
}

#[test]
fn readiness_faults_show_in_readyz_only() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    gateway.fault(|faults| faults.not_ready = vec!["telegram".to_owned()]);
    let ready = gateway.get("/readyz");
    assert_eq!(
        (ready.status, ready.json()["failing"][0].as_str()),
        (503, Some("telegram"))
    );
    assert_eq!(
        (gateway.get("/healthz").status, gateway.get("/startupz").status),
        (200, 200)
    );
}

#[test]
fn a_crash_loop_crashes_as_often_as_told_and_then_suppresses_channels() {
    let env = TestEnv::new();
    let gateway = env
        .gateway()
        .edit(|config| config["channels"]["telegram"]["enabled"] = true.into())
        .faults(|f| (f.exit_after_ms, f.exit_code, f.only_boots) = (Some(50), 7, Some(3)));
    for _ in 0..3 {
        assert_eq!(gateway.run().code, 7);
    }
    assert_eq!(gateway.start().get("/readyz").json()["suppressed"][0], "telegram");
}

#[test]
fn sigterm_can_be_ignored_and_kill_cannot() {
    let env = TestEnv::new();
    let mut gateway = env.gateway().faults(|faults| faults.ignore_sigterm = true).start();
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.get("/healthz").status, 200);
    assert_eq!(gateway.kill9().code, 137);
}

#[test]
fn a_live_edit_without_mode_is_promoted_and_deadly_under_a_manager() {
    let env = TestEnv::new();
    let builder = env.gateway().faults(|faults| faults.reload_exits = true);
    let mut gateway = builder.start();
    env.write(".openclaw/openclaw.json", "{ broken");
    wait_until("the broken edit is seen", CEILING, || {
        gateway.said().contains("reload skipped")
    });
    assert!(gateway.alive());
    env.write(".openclaw/openclaw.json", "{gateway: {port: 1}}");
    assert_eq!(gateway.wait_exit().code, 78);
    let good = std::fs::read_to_string(env.path(".openclaw/openclaw.json.last-good")).unwrap();
    assert_eq!(good, "{gateway: {port: 1}}");
}

#[test]
fn held_memory_is_resident_in_the_worker_when_told_so() {
    let env = TestEnv::new();
    let gateway = env.gateway().faults(|f| (f.hold_mb, f.in_worker) = (64, true)).start();
    let worker = wait_for("the worker", CEILING, || process::children(gateway.pid()).pop());
    wait_until("the worker holds 64 MB", CEILING, || {
        process::resident_kb(worker) > 64 * 1024
    });
    assert!(process::resident_kb(gateway.pid()) < 32 * 1024);
    gateway.kill9();
    wait_until("the worker ends with its gateway", CEILING, || {
        process::resident_kb(worker) == 0
    });
}

#[test]
fn what_a_test_leaves_behind_goes_with_its_environment() {
    let env = TestEnv::new();
    let gateway = env.gateway().faults(|faults| faults.own_session_child = true).start();
    let stray = wait_for("the child in its own session", CEILING, || {
        process::children(gateway.pid()).pop()
    });
    wait_until("it has its own session", CEILING, || {
        process::session(stray) == Some(stray)
    });
    gateway.kill9();
    assert!(process::alive(stray), "it outlives the gateway");
    drop(env);
    wait_until("it is gone", CEILING, || !process::alive(stray));
}

#[test]
fn bench_get_succeeds_on_a_live_gateway_only() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    let bench = |port: u16| env.cmd("bench-get").arg(port.to_string()).run().code;
    assert_eq!(bench(gateway.port()), 0);
    gateway.fault(|faults| faults.hostile = Some(Hostile::Status(503)));
    assert_eq!(bench(gateway.port()), 2);
    let port = gateway.port();
    gateway.kill9();
    assert_eq!(bench(port), 3);
}

#[test]
fn a_canned_server_keeps_what_it_was_asked() {
    let server = Canned::answering(204, "{}");
    assert!(matches!(ask(server.port(), "/healthz"), Asked::Answered(answer) if answer.status == 204));
    assert!(server.requests()[0].starts_with("GET /healthz HTTP/1.1\r\n"));
    let silent = Canned::new(vec![Step::Read, Step::Stall]);
    assert_eq!(impatient(silent.port()), Asked::Silent);
}

#[test]
#[should_panic(expected = "still runs after")]
fn a_command_that_hangs_is_killed_and_fails_the_test() {
    _ = TestEnv::new()
        .foreign("sleep")
        .arg("60")
        .timeout(Duration::from_millis(50))
        .run();
}

#[test]
fn only_what_lives_in_the_environment_is_signalled() {
    let (mine, other) = (TestEnv::new(), TestEnv::new());
    let gateway = other.gateway().start();
    assert!(std::panic::catch_unwind(|| mine.signal(gateway.pid(), Signal::KILL)).is_err());
    assert!(process::alive(gateway.pid()));
    assert_eq!(other.gateway_pid(), Some(gateway.pid()));
    other.signal(gateway.pid(), Signal::TERM);
    assert_eq!(gateway.wait_exit().code, 0);
    assert_eq!(other.gateway_pid(), None);
}
