//! Level 0 with real processes.
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
use std::io::Write as _;
use std::time::Duration;
use support::{Rig, SOON, gateways, identity, kill9, wait_gone};

#[test]
fn ten_kills_in_a_row_are_ten_recoveries() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let mut process = rig.wait_up();
    for _ in 0..10 {
        kill9(&process);
        process = rig.wait_successor(&process);
    }
    let status = rig.status().unwrap();
    assert_eq!((status.starts, status.never_ready_in_a_row), (11, 0));
    assert_eq!(rig.events("exited").len(), 10);
    assert_eq!(gateways(&rig.env), 1);
}

#[test]
fn the_waits_of_a_crash_loop_grow_and_a_good_start_ends_them() {
    let rig = Rig::new();
    rig.env
        .fault(|f| (f.boot_ms, f.exit_after_ms, f.only_boots) = (60_000, Some(0), Some(3)));
    let _supervisor = rig.supervise();
    rig.wait_up();
    let started: Vec<i64> = rig
        .events("started")
        .iter()
        .map(|e| e["wall_ms"].as_i64().unwrap())
        .collect();
    let gaps: Vec<i64> = started.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(gaps.len(), 3, "{started:?}");
    assert!(gaps[0] >= 100 && gaps[1] >= 200 && gaps[2] >= 300, "{gaps:?}");
    assert_eq!(rig.status().unwrap().never_ready_in_a_row, 0);
}

#[test]
fn a_configuration_mended_by_hand_is_served_at_once_whatever_wait_is_on() {
    let rig = Rig::with(|c| {
        let service = &mut c["service"]["supervise"];
        (service["backoff_step"], service["backoff_max"]) = ("1h".into(), "1h".into());
    });
    let good = std::fs::read(rig.env.config_path()).unwrap();
    rig.env.write(".openclaw/openclaw.json", "{");
    let _supervisor = rig.supervise();
    rig.wait_status("backoff", |s| s.phase == Phase::Backoff && s.exits.len() == 1);
    rig.env.write(".openclaw/openclaw.json", good);
    rig.wait_up();
    assert_eq!(rig.status().unwrap().starts, 2);
}

#[test]
fn exit_78_waits_although_it_was_ready_and_calls_for_healing_at_once() {
    let rig = Rig::with(|c| c["service"]["supervise"]["backoff_step"] = "1h".into());
    let _supervisor = rig.supervise_cmd(&["--every", "1h"]).spawn();
    let process = rig.wait_up();
    assert_eq!(rig.passes(), 0);
    rig.env.fault(|f| (f.exit_after_ms, f.exit_code) = (Some(0), 78));
    wait_gone(&process);
    let status = rig.wait_status("backoff", |s| s.phase == Phase::Backoff);
    assert_eq!(status.exits.last().unwrap().status, Some(78));
    assert!(status.exits.last().unwrap().was_ready);
    assert!(status.next_start_at.is_some());
    wait_until("a healing pass", SOON, || rig.passes() == 1);
}

#[test]
fn passes_come_in_time_and_never_two_at_once() {
    let rig = Rig::with(|c| {
        let script = "mkdir \"$HOME/inside\" || echo overlap >> \"$HOME/overlaps\"; sleep 0.05; \
            rmdir \"$HOME/inside\"; echo pass >> \"$HOME/passes\"";
        c["service"]["supervise"]["heal_command"] = serde_json::json!(["/bin/sh", "-c", script]);
    });
    let _supervisor = rig.supervise_cmd(&["--every", "10ms"]).spawn();
    let mut process = rig.wait_up();
    for _ in 0..3 {
        kill9(&process);
        process = rig.wait_successor(&process);
    }
    wait_until("passes", SOON, || rig.passes() >= 5);
    assert!(!rig.env.path("overlaps").exists());
}

#[test]
fn a_pass_outlives_the_supervisor_and_is_not_inside_another_run() {
    let rig = Rig::with(|c| {
        let script = "echo \"${OC_RUN_DIR-none} ${OC_LOCK_FD-none} $OC_INSTANCE\" > \"$HOME/run\"; sleep 0.3; \
            echo pass >> \"$HOME/passes\"";
        c["service"]["supervise"]["heal_command"] = serde_json::json!(["/bin/sh", "-c", script]);
    });
    let mut supervisor = rig
        .supervise_cmd(&["--every", "1h"])
        .env("OC_RUN_DIR", "/nowhere")
        .env("OC_LOCK_FD", "77")
        .spawn();
    kill9(&rig.wait_up());
    wait_until("the pass runs", SOON, || rig.env.path("run").exists());
    supervisor.signal(Signal::KILL);
    wait_until("it ends by itself", SOON, || rig.passes() == 1);
    assert_eq!(
        std::fs::read_to_string(rig.env.path("run")).unwrap().trim(),
        "none none default"
    );
}

#[test]
fn term_ends_the_service_with_its_whole_tree() {
    let rig = Rig::new();
    rig.env.fault(|f| f.own_session_child = true);
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    let child = wait_for("the child with its own session", SOON, || {
        identity::descendants(process.pid).pop()
    });
    assert_ne!(child.session, process.pid);
    supervisor.signal(Signal::TERM);
    supervisor.wait(SOON).expect_code(0);
    wait_gone(&process);
    wait_gone(&child.identity);
    assert_eq!(rig.guardian(&["status"]).code, 2);
    assert_eq!(rig.guardian(&["ensure"]).code, 0, "whoever ended it wanted that");
    assert_eq!(gateways(&rig.env), 0);
}

#[test]
fn a_service_that_ignores_term_is_killed_when_its_time_is_up() {
    let rig = Rig::with(|c| c["service"]["stop_timeout"] = "300ms".into());
    rig.env
        .fault(|f| (f.ignore_sigterm, f.own_session_child) = (true, true));
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    let child = wait_for("its child", SOON, || identity::descendants(process.pid).pop());
    supervisor.signal(Signal::TERM);
    supervisor.wait(SOON).expect_code(137);
    wait_gone(&process);
    wait_gone(&child.identity);
}

#[test]
fn orphans_are_collected() {
    let rig = Rig::new();
    let script = "(setsid sh -c 'echo $$ > \"$HOME/orphan\"; while [ -e \"$HOME/orphan\" ]; do sleep 0.02; done' &) ; \
        exec sleep 600";
    let supervisor = rig.supervise_script(script);
    let orphan = wait_for("the orphan", SOON, || {
        let pid = std::fs::read_to_string(rig.env.path("orphan"))
            .ok()?
            .trim()
            .parse()
            .ok()?;
        identity::lookup(pid)
    });
    let ours = i32::try_from(supervisor.pid()).unwrap();
    wait_until("it is ours", SOON, || {
        identity::lookup(orphan.identity.pid).is_some_and(|i| i.parent == ours)
    });
    std::fs::remove_file(rig.env.path("orphan")).unwrap();
    // Gone from the process table, not a zombie.
    wait_until("it is collected", SOON, || {
        Identity::of(orphan.identity.pid).as_ref() != Some(&orphan.identity)
    });
}

#[test]
fn what_a_crashed_service_left_in_its_group_does_not_keep_its_port() {
    let rig = Rig::new();
    let script = "sleep 600 & echo $! > \"$HOME/left\"; wait";
    let _supervisor = rig.supervise_script(script);
    let left = wait_for("the child", SOON, || {
        Identity::of(
            std::fs::read_to_string(rig.env.path("left"))
                .ok()?
                .trim()
                .parse()
                .ok()?,
        )
    });
    let service = rig.wait_status("a process", |s| s.child.is_some()).child.unwrap();
    kill9(&service);
    wait_gone(&left);
}

/// A dying process holds the port, and until it is collected it looks alive to the lock of its successor.
#[test]
fn the_next_start_waits_until_what_was_left_is_gone() {
    const HELD: u64 = 200 << 20;
    let rig = Rig::new();
    // `tail` keeps everything until it can write it, and the kernel needs a while to take that much back.
    let script = format!(
        "read -r old < \"$HOME/left\" && [ -e /proc/$old ] && echo $old >> \"$HOME/met\"; \
         mkfifo \"$HOME/pipe.$$\"; sleep 600 < \"$HOME/pipe.$$\" & \
         head -c {HELD} /dev/zero | tail -c {HELD} > \"$HOME/pipe.$$\" & echo $! > \"$HOME/left\"; exec sleep 600"
    );
    rig.env.write("left", "");
    let _supervisor = rig.supervise_script(&script);
    for n in 1..4 {
        let process = rig.wait_status("its process", |s| s.starts == n).child.unwrap();
        let left = wait_for("a child that holds much memory", SOON, || {
            let pid = std::fs::read_to_string(rig.env.path("left"))
                .ok()?
                .trim()
                .parse()
                .ok()?;
            let left = Identity::of(pid)
                .filter(|left| identity::descendants(process.pid).iter().any(|p| p.identity == *left))?;
            (identity::rss_bytes(left.pid)? >= HELD).then_some(left)
        });
        rig.apply("kill", Some(&process)).expect_code(0);
        wait_gone(&left);
    }
    rig.wait_status("it is started again", |s| s.starts == 4);
    assert!(!rig.env.path("met").exists(), "started beside what the one before left");
}

#[test]
fn an_old_instance_that_answers_on_the_port_does_not_make_a_new_one_ready() {
    let rig = Rig::new();
    let mut old = rig.env.gateway().on_port(rig.port).start();
    rig.env.fault(|f| (f.bind_tries, f.bind_interval_ms) = (5, 20));
    let _supervisor = rig.supervise();
    let status = rig.wait_status("failed starts", |s| s.never_ready_in_a_row >= 2);
    assert!(status.exits.iter().all(|e| !e.was_ready));
    assert!(old.alive(), "a stranger is never ended");
}

#[test]
fn a_supervisor_that_was_killed_is_put_back_and_takes_over_the_service() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON).expect_code(137);
    assert!(process.alive());
    assert_eq!(
        rig.guardian(&["ensure"]).expect_code(1).stdout.trim(),
        "the supervisor was gone; it is started again"
    );
    assert_eq!(rig.wait_up(), process, "the same process, not a second one");
    assert_eq!(gateways(&rig.env), 1);
    rig.guardian(&["ensure"]).expect_code(0);
    // And it is guarded again, although it is nobody's child.
    kill9(&process);
    let successor = rig.wait_successor(&process);
    rig.guardian(&["stop"]).expect_code(0);
    wait_gone(&successor);
}

#[test]
fn a_supervisor_and_its_service_that_both_died_are_put_back() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let process = rig.wait_up();
    supervisor.signal(Signal::KILL);
    supervisor.wait(SOON);
    kill9(&process);
    wait_gone(&process);
    assert_eq!(rig.guardian(&["status"]).code, 3);
    rig.guardian(&["ensure"]).expect_code(1);
    assert_ne!(rig.wait_up(), process);
}

#[test]
fn a_second_supervisor_is_told_about_the_first() {
    let rig = Rig::new();
    let first = rig.supervise();
    let process = rig.wait_up();
    let second = rig.supervise().wait(SOON).expect_code(75);
    assert!(
        second.stderr.contains(&format!("pid {}", first.pid())),
        "{}",
        second.stderr
    );
    assert_eq!(rig.wait_up(), process);
    assert_eq!(gateways(&rig.env), 1);
}

#[test]
fn garbage_in_the_control_fifo_changes_nothing() {
    let rig = Rig::new();
    let _supervisor = rig.supervise();
    let process = rig.wait_up();
    let mut fifo = std::fs::OpenOptions::new()
        .write(true)
        .open(rig.env.watchdog().join("supervise/control"))
        .unwrap();
    fifo.write_all(&[b'x'; 50_000]).unwrap();
    fifo.write_all(b"\n\xff\xfe\x00{\n{\"verb\":\"explode\",\"number\":1}\n")
        .unwrap();
    drop(fifo);
    rig.guardian(&["restart", "--wait"]).expect_code(0);
    assert_eq!(rig.wait_up(), process, "SIGUSR2 restarts it in place");
}

#[test]
fn a_broken_config_of_ours_does_not_keep_the_service_down() {
    let rig = Rig::new();
    rig.env.write(".openclaw/watchdog/config.json", "{\"service\": 7");
    let supervisor = rig.supervise();
    wait_until("it serves", SOON, || rig.serving());
    wait_until("it is told", SOON, || supervisor.stderr().contains("config.json"));
}

#[test]
fn nothing_of_ours_that_cannot_be_written_keeps_the_service_down() {
    let rig = Rig::new();
    for name in ["status.json", "control", "mark", "recipe.json"] {
        rig.env
            .write(format!(".openclaw/watchdog/supervise/{name}/in-the-way"), "");
    }
    rig.env.write(".openclaw/watchdog/journal.jsonl/in-the-way", "");
    rig.env.write(".openclaw/watchdog/intent.json/in-the-way", "");
    let mut supervisor = rig.supervise();
    for _ in 0..3 {
        wait_until("it serves", SOON, || rig.serving());
        let service = identity::children(i32::try_from(supervisor.pid()).unwrap());
        let [pid] = service[..] else { panic!("{service:?}") };
        let process = Identity::of(pid).unwrap();
        kill9(&process);
        wait_gone(&process);
    }
    supervisor.signal(Signal::TERM);
    supervisor.wait(SOON).expect_code(0);
    assert_eq!(gateways(&rig.env), 0);
}

#[test]
fn whenever_the_supervisor_dies_there_is_never_a_second_gateway() {
    let rig = Rig::new();
    let mut supervisor = rig.supervise();
    let mut process = rig.wait_up();
    for n in 0..12_u64 {
        // The service dies, and a moment later, in the middle of its restart, the supervisor.
        kill9(&process);
        oc_core::clock::pause(Duration::from_micros(n * 400));
        supervisor.signal(Signal::KILL);
        supervisor.wait(SOON);
        supervisor = rig.supervise();
        let pid = i32::try_from(supervisor.pid()).unwrap();
        rig.wait_status("the new supervisor", |s| s.supervisor.pid == pid);
        process = rig.wait_successor(&process);
        assert_eq!(gateways(&rig.env), 1, "after {n}");
    }
    assert_eq!(
        rig.status()
            .unwrap()
            .exits
            .iter()
            .filter(|e| e.status == Some(78))
            .count(),
        0
    );
}

#[test]
fn a_program_that_is_not_there_is_one_clear_error() {
    let rig = Rig::new();
    let missing = rig.guardian(&["supervise", "--", "no-such-gateway"]).expect_code(127);
    assert!(missing.stderr.contains("no-such-gateway"), "{}", missing.stderr);
    rig.guardian(&["supervise"]).expect_code(64);
}

#[test]
fn a_program_that_vanishes_is_waited_for() {
    let rig = Rig::new();
    let script = rig.env.stub("svc", "echo run >> \"$HOME/runs\"; exec sleep 600");
    let _supervisor = rig
        .env
        .cmd("oc-guardian")
        .args(["supervise", "--no-heal", "--", "svc"])
        .spawn();
    let first = rig.wait_status("a process", |s| s.child.is_some()).child.unwrap();
    wait_until("it runs", SOON, || rig.env.path("runs").exists());
    let aside = rig.env.path("aside");
    std::fs::rename(&script, &aside).unwrap();
    kill9(&first);
    rig.wait_status("failed starts", |s| s.never_ready_in_a_row >= 3);
    std::fs::rename(&aside, &script).unwrap();
    rig.wait_status("it is back", |s| {
        s.child.as_ref().is_some_and(|c| c.alive() && *c != first)
    });
}

#[test]
fn hup_reaches_the_service_and_usr1_does_not() {
    let rig = Rig::new();
    let script = "trap 'echo hup >> \"$HOME/got\"' HUP; trap 'echo usr1 >> \"$HOME/got\"' USR1; \
        trap 'echo usr2 >> \"$HOME/got\"' USR2; echo > \"$HOME/set\"; while :; do sleep 0.01; done";
    let mut supervisor = rig.supervise_script(script);
    wait_until("its traps are set", SOON, || rig.env.path("set").exists());
    let got = || std::fs::read_to_string(rig.env.path("got")).unwrap_or_default();
    supervisor.signal(Signal::USR1);
    supervisor.signal(Signal::HUP);
    wait_until("hup", SOON, || got().contains("hup"));
    supervisor.signal(Signal::USR2);
    wait_until("usr2", SOON, || got().contains("usr2"));
    assert!(!got().contains("usr1"));
    assert!(identity(&supervisor).alive());
    wait_until("it is told why", SOON, || supervisor.stderr().contains("debugger"));
}

#[test]
fn a_start_that_takes_long_is_not_hurried() {
    let rig = Rig::new();
    rig.env.fault(|f| (f.boot_ms, f.starting_ms) = (400, 400));
    let _supervisor = rig.supervise();
    let starting = rig
        .wait_status("starting", |s| s.phase == Phase::Starting)
        .child
        .unwrap();
    assert_eq!(rig.guardian(&["status"]).code, 1);
    assert_eq!(rig.wait_up(), starting);
    let took = rig.events("ready")[0]["data"]["took_ms"].as_u64().unwrap();
    assert!(
        Duration::from_millis(took) >= Duration::from_millis(800),
        "ready only when its start is over: {took}"
    );
}
