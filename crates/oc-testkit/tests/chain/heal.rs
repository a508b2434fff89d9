//! What is broken serves again.

use crate::stage::{CEILING, Stage};
use oc_testkit::{Signal, Stranger, at_once, merged, wait_until};
use serde_json::json;
use std::os::unix::fs::MetadataExt as _;

#[test]
fn ten_kills_in_a_row_are_all_served_again_by_level_0_and_the_ladder_stays_down() {
    let stage = Stage::serving();
    for _ in 0..10 {
        let dead = stage.kill(Signal::KILL);
        stage.pid_other_than(dead);
        stage.wait_ready();
    }
    assert_eq!(stage.starts(), 11);
    stage.heal_until_well();
    assert!(stage.attempts().is_empty(), "{:?}", stage.attempts());
    assert_eq!(stage.events("exited").len(), 10, "each is a quiet event of the journal");
}

#[test]
fn a_hung_event_loop_is_ended_and_served_again_in_one_pass() {
    let stage = Stage::serving();
    let hung = stage.hang();
    stage.pass();
    stage.wait_ready();
    assert_ne!(stage.pid(), hung, "a new process");
    assert_eq!(stage.attempts(), ["restart kill"]);
    stage.heal_until_well();
    let closed = stage.events("incident_closed");
    assert_eq!((closed.len(), closed[0]["data"]["by_us"].as_bool()), (1, Some(true)));
}

#[test]
fn a_pass_that_takes_longer_than_three_intervals_is_not_taken_for_a_sleep() {
    let config = json!({"policy": {"interval_embedded": "1s"}, "probe": {"hang_after": "4s"}});
    let stage = Stage::faulty(&config, |f| f.boot_ms = 4_000);
    stage.wait_ready();
    stage.pass();
    stage.kill(Signal::STOP);
    stage.pass();
    assert_eq!(stage.attempts(), ["restart kill"], "in that very pass");
    // Its successor boots for four seconds, too, while the pass waits for it.
    stage.heal_until_well();
    let woke = stage.events("warning");
    assert!(woke.iter().all(|e| e["data"]["key"] != "woke"), "{woke:?}");
}

#[test]
fn a_frozen_process_that_no_term_reaches_is_ended_with_its_whole_tree() {
    let stage = Stage::faulty(&json!({}), |f| f.own_session_child = true);
    stage.wait_ready();
    stage.pass().expect_code(0);
    let frozen = stage.kill(Signal::STOP);
    stage.pass();
    stage.pid_other_than(frozen);
    stage.wait_ready();
    wait_until("nothing of the old tree is left", CEILING, || {
        rustix::process::test_kill_process(crate::stage::rustix_pid(frozen)).is_err()
    });
}

#[test]
fn a_dead_supervisor_is_put_back_with_its_service() {
    let mut stage = Stage::serving();
    let old = stage.pid();
    let supervisor = stage.supervisor.take().unwrap();
    let raw = rustix::process::Pid::from_raw(i32::try_from(supervisor.pid()).unwrap()).unwrap();
    rustix::process::kill_process(raw, Signal::KILL).unwrap();
    drop(supervisor);
    // Whether the gateway outlived its supervisor or not: afterwards both are there, and only once.
    let _gone = rustix::process::kill_process(crate::stage::rustix_pid(old), Signal::KILL);
    wait_until("nobody serves", CEILING, || !stage.is_ready());
    stage.heal_until_well();
    stage.wait_ready();
    stage.cmd("oc-guardian").arg("status").run().expect_code(0);

    // What the pass wrote is for nobody else; what it started writes as ever.
    let run = std::fs::read_dir(stage.env.watchdog().join("run")).unwrap().flatten();
    let files = run
        .map(|entry| entry.metadata().unwrap())
        .filter(std::fs::Metadata::is_file);
    let modes: Vec<u32> = files.map(|file| file.mode() & 0o777).collect();
    assert!(modes.len() > 2 && modes.iter().all(|mode| *mode == 0o600), "{modes:?}");
    let umask = |pid: i64| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find(|line| line.starts_with("Umask")).map(str::to_owned)
    };
    assert_eq!(umask(stage.pid()), umask(i64::from(std::process::id())));
}

#[test]
fn a_crash_loop_without_a_remedy_ends_at_one_clear_message_and_never_gives_up() {
    let ladder = json!({"policy": {"ladder": {"half_open": "2s"}}});
    let stage = Stage::faulty(&ladder, |f| {
        f.boot_ms = 60_000;
        f.exit_after_ms = Some(30);
    });
    let mut said = String::new();
    wait_until("a human is asked for", CEILING, || {
        let out = stage.pass();
        said = out.stderr;
        out.code == 2
    });
    assert!(said.contains("a human is needed:"), "{said}");
    assert!(said.contains("run: ") && said.contains("log: "), "{said}");
    assert_eq!(stage.events("human_needed").len(), 1, "told once, not at every pass");
    let tried = stage.attempts().len();
    wait_until("one more try", CEILING, || {
        stage.pass();
        stage.attempts().len() > tried
    });
    stage.env.fault(|f| *f = oc_testkit::Faults::default());
    stage.heal_until_well();
    stage.wait_ready();
}

#[test]
fn a_stranger_on_the_port_is_named_and_never_touched() {
    let stage = Stage::serving();
    stage
        .cmd("oc-guardian")
        .args(["stop", "--reason", "test"])
        .run()
        .expect_code(0);
    wait_until("the port is free", CEILING, || !stage.is_ready());
    let stranger = Stranger::on(stage.port);
    stage.cmd("oc-guardian").arg("start").run();
    let out = stage.pass().expect_code(2);
    assert!(
        out.stderr.contains(&format!("pid {}", std::process::id())),
        "the holder is named: {}",
        out.stderr
    );
    assert!(stage.attempts().is_empty(), "{:?}", stage.attempts());
    drop(stranger);
    stage.wait_ready();
    stage.heal_until_well();
}

#[test]
fn a_deleted_key_is_put_back_alone_and_the_rest_stays_byte_identical() {
    let stage = Stage::serving();
    let commented = format!(
        "{{\n  // mine\n  gateway: {{\n    mode: 'local', // important\n    port: {}, bind: 'loopback',\n    auth: {{mode: 'token', token: 'tok-secret-1'}},\n  }},\n}}\n",
        stage.port
    );
    let broken = commented.replace("    mode: 'local', // important\n", "");
    stage.env.write(".openclaw/openclaw.json", &broken);
    let dead = stage.kill(Signal::KILL);
    stage.pid_other_than(dead);
    stage.heal_until_well();
    stage.wait_ready();
    let healed = std::fs::read_to_string(stage.env.config_path()).unwrap();
    let added: Vec<_> = healed
        .lines()
        .filter(|line| !broken.lines().any(|old| old == *line))
        .collect();
    assert_eq!(added.len(), 1, "one line and nothing else: {healed}");
    assert!(added[0].contains("mode") && added[0].contains("local"), "{added:?}");
    assert!(broken.lines().all(|line| healed.contains(line)), "{healed}");
    assert_eq!(stage.attempts(), ["doctor start"]);
}

#[test]
fn people_are_told_once_that_they_are_needed_with_the_next_command_and_once_that_it_is_over() {
    let stage = Stage::faulty(&json!({}), |f| {
        f.boot_ms = 60_000;
        f.exit_after_ms = Some(30);
    });
    let told = stage.env.path("told").display().to_string();
    let config = merged(
        at_once(),
        &json!({"notify": {"exec": ["tee", "-a", &told], "opened_after": "0s"}}),
    );
    stage.env.oc_config(&config);
    wait_until("a human is asked for", CEILING, || stage.pass().code == 2);
    for _ in 0..3 {
        stage.pass();
    }
    let said = |text: &str| std::fs::read_to_string(&told).unwrap_or_default().matches(text).count();
    assert_eq!(
        said("needs_you"),
        1,
        "{}",
        std::fs::read_to_string(&told).unwrap_or_default()
    );
    stage.env.fault(|f| *f = oc_testkit::Faults::default());
    stage.heal_until_well();
    assert_eq!(
        said("\"healed\""),
        1,
        "{}",
        std::fs::read_to_string(&told).unwrap_or_default()
    );
}

#[test]
fn an_outage_that_was_waited_for_first_is_an_incident_from_its_beginning() {
    let launcher = |gateway: &std::path::Path| format!("{} \"$@\" & wait; sleep 600 & wait", gateway.display());
    let mut stage = Stage::bare();
    stage.env.oc_config(&at_once());
    stage.gateway = stage.env.stub("launcher", &launcher(&stage.gateway));
    stage.supervise();
    stage.wait_ready();
    stage.pass();
    // Its launcher lives and refuses, which looks like a drain for the 3 s of the settings.
    stage.env.signal(stage.env.gateway_pid().unwrap(), Signal::KILL);
    stage.heal_until_well();
    assert_eq!(stage.events("incident_opened").len(), 1);
    let closed = &stage.events("incident_closed")[0]["data"];
    assert!(closed["took_ms"].as_i64().unwrap() >= 2_500, "{closed}");
}

#[test]
fn flapping_is_seen_although_each_failure_heals_by_itself() {
    let stage = Stage::supervised(&merged(json!({}), &json!({"policy": {"flapping": {"count": 3}}})));
    stage.wait_ready();
    for _ in 0..6 {
        let dead = stage.kill(Signal::KILL);
        stage.pid_other_than(dead);
        stage.wait_ready();
        stage.heal_until_well();
    }
    let told: Vec<_> = stage
        .events("warning")
        .into_iter()
        .filter(|e| e["data"]["key"] == "flapping")
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
}
