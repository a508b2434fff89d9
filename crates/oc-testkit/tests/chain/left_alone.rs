//! Invariant 1: what is healthy, starting, draining, stopped on purpose or in maintenance is never touched. Real processes.

use crate::stage::{CEILING, Stage};
use oc_testkit::{Signal, wait_until};
use serde_json::json;

fn untouched(stage: &Stage, pid: i64) {
    assert!(stage.attempts().is_empty(), "{:?}", stage.attempts());
    assert_eq!(stage.pid(), pid, "the same process");
}

#[test]
fn invariant_1_a_healthy_gateway() {
    let stage = Stage::serving();
    let pid = stage.pid();
    for _ in 0..5 {
        stage.pass().expect_code(0);
    }
    untouched(&stage, pid);
    let writes: Vec<_> = stage
        .journal()
        .into_iter()
        .filter(|e| e["tool"] == "oc-escalate")
        .collect();
    assert!(
        writes.len() <= 1,
        "a healthy pass writes nothing but that it serves: {writes:?}"
    );
}

#[test]
fn invariant_1_a_slow_boot_that_refuses_connections() {
    let stage = Stage::faulty(&json!({"probe": {"startup_grace": "60s"}}), |f| f.boot_ms = 3_000);
    let pid = stage.pid();
    while !stage.is_ready() {
        let code = stage.pass().code;
        assert!(code == 1 || code == 0, "{code}");
    }
    untouched(&stage, pid);
    stage.heal_until_well();
}

#[test]
fn invariant_1_a_broken_edit_beside_it_even_when_only_that_file_names_its_port() {
    let stage = Stage::supervised(&json!({"policy": {"hold": {"draining": "0s"}}}));
    stage.wait_ready();
    stage.pass();
    let pid = stage.pid();
    for broken in [
        "{\"gateway\": {\"mode\": \"local\"",
        "",
        "{\"gateway\": {\"port\": \"x\"}}",
    ] {
        stage.env.write(".openclaw/openclaw.json", broken);
        for _ in 0..3 {
            stage.pass();
        }
        untouched(&stage, pid);
    }
}

#[test]
fn invariant_1_a_drain() {
    let stage = Stage::serving();
    stage.env.fault(|f| {
        f.drain_ms = 1_000;
        f.drain_refused_ms = 1_000;
    });
    stage.pass().expect_code(0);
    let pid = stage.kill(Signal::TERM);
    while rustix::process::test_kill_process(crate::stage::rustix_pid(pid)).is_ok()
        && stage.status()["child"]["pid"] == pid
    {
        stage.pass();
    }
    assert!(stage.attempts().is_empty(), "{:?}", stage.attempts());
    stage.heal_until_well();
}

#[test]
fn invariant_1_a_blocked_loop_below_the_threshold() {
    let stage = Stage::supervised(&json!({"probe": {"hang_after": "20s"}}));
    stage.wait_ready();
    stage.pass().expect_code(0);
    let pid = stage.pid();
    stage.env.fault(|f| f.block_ms = Some(2_500));
    let begun = std::time::Instant::now();
    let mut longest = std::time::Duration::ZERO;
    while begun.elapsed() < std::time::Duration::from_secs(3) {
        longest = longest.max(stage.pass().took);
    }
    assert!(
        longest > std::time::Duration::from_millis(900),
        "a probe met the blocked loop: {longest:?}"
    );
    untouched(&stage, pid);
}

#[test]
fn invariant_1_a_deliberate_stop() {
    let stage = Stage::serving();
    stage
        .cmd("oc-guardian")
        .args(["stop", "--reason", "dinner"])
        .run()
        .expect_code(0);
    wait_until("it is down", CEILING, || !stage.is_ready());
    for _ in 0..5 {
        stage.pass().expect_code(0);
    }
    assert!(!stage.is_ready() && stage.attempts().is_empty());
    let held = stage.events("decision");
    assert_eq!(
        held.len(),
        1,
        "why nothing is done is told once, not at every pass: {held:?}"
    );
    assert!(held[0]["text"].as_str().unwrap().contains("dinner"), "{held:?}");
    stage.cmd("oc-guardian").arg("start").run().expect_code(0);
    stage.wait_ready();
    stage.heal_until_well();
}

/// Nobody said so to us: its supervisor got TERM, after the probe had seen a gateway that hangs.
#[test]
fn invariant_1_a_supervisor_that_ends_while_the_pass_looks() {
    let stage = Stage::serving();
    let pid = stage.hang();
    let (probe, supervisor) = (oc_testkit::bin("oc-probe"), stage.supervisor.as_ref().unwrap().pid());
    stage.env.stub(
        "oc-probe",
        &format!(
            r#"{} "$@"; code=$?
            kill -TERM {supervisor} && while ! grep -q '"wanted":false' $OC_STATE_DIR/supervise/status.json; do sleep 0.05; done
            exit $code"#,
            probe.display()
        ),
    );
    stage.env.foreign(stage.install()).timeout(CEILING).run();
    assert_eq!(stage.attempts(), [""; 0]);
    let seen = stage.env.read_json(".openclaw/watchdog/run/probe.json");
    assert_eq!(
        (&seen["class"], &seen["identity"]["pid"]),
        (&json!("hung"), &json!(pid))
    );
}

#[test]
fn invariant_1_maintenance_even_of_a_hung_gateway_and_an_end_of_it() {
    let stage = Stage::serving();
    stage
        .cmd("oc-escalate")
        .args(["maintenance", "on", "--for", "1h", "--reason", "new node"])
        .run()
        .expect_code(0);
    let pid = stage.hang();
    stage.pass().expect_code(0);
    untouched(&stage, pid);
    stage
        .cmd("oc-escalate")
        .args(["maintenance", "off"])
        .run()
        .expect_code(0);
    stage.heal_until_well();
    assert_ne!(stage.pid(), pid);
}

#[test]
fn invariant_1_after_a_sleep_nothing_is_concluded_for_a_while() {
    let stage = Stage::supervised(&json!({"policy": {"interval_embedded": "300ms", "hold": {"wake": "60s"}}}));
    stage.wait_ready();
    stage.pass();
    // The watcher is stopped for longer than three intervals, like a suspended laptop: no pass runs meanwhile.
    wait_until("a second has gone by", CEILING, || {
        crate::stage::uptime_ms(stage.port) > 2_500
    });
    let pid = stage.hang();
    stage.pass();
    stage.pass();
    untouched(&stage, pid);
}

#[test]
fn invariant_1_an_upgrade_under_way() {
    let package = json!({"name": "openclaw", "version": "2026.9.7"}).to_string();
    let stage = Stage::serving();
    let file = stage.env.write("package/package.json", package);
    let mut config = stage.env.read_json(".openclaw/watchdog/config.json");
    config["service"]["package_dir"] = json!(file.parent().unwrap());
    stage.env.oc_config(&config);
    let pid = stage.hang();
    for _ in 0..2 {
        stage.pass().expect_code(1);
    }
    untouched(&stage, pid);
    assert!(stage.events("incident_opened").is_empty(), "{:?}", stage.journal());
}

#[test]
fn invariant_1_under_load_slow_is_not_dead() {
    let stage = Stage::serving();
    let pid = stage.pid();
    let busy: Vec<_> = (0..20)
        .map(|_| stage.env.foreign("sh").args(["-c", "while :; do :; done"]).spawn())
        .collect();
    for _ in 0..5 {
        stage.pass();
    }
    drop(busy);
    untouched(&stage, pid);
}

#[test]
fn invariant_7_without_descriptors_nothing_is_done() {
    let stage = Stage::serving();
    let pid = stage.pid();
    for most in 3..16 {
        let pass = format!("ulimit -n {most}; exec {}", crate::stage::script().display());
        stage.env.foreign("sh").args(["-c", &pass]).run();
        untouched(&stage, pid);
    }
    stage.heal_until_well();
    assert!(stage.events("incident_opened").is_empty(), "{:?}", stage.journal());
}

#[test]
fn invariant_7_a_probe_that_cannot_run_never_triggers_healing() {
    let broken = [
        "kill -9 $$",
        "exit 126",
        "echo '{\"schema\":'; exit 2",
        "ulimit -n 3; exec /bin/cat /dev/null",
        "exit 70",
    ];
    for probe in broken {
        let stage = Stage::serving();
        stage.env.stub("oc-probe", probe);
        let heal = stage.install();
        let pid = stage.hang();
        for _ in 0..3 {
            let code = stage.env.foreign(&heal).run().code;
            assert!(code != 0 && code != 75, "{probe}: {code}");
        }
        untouched(&stage, pid);
    }
}

#[test]
fn a_process_that_serves_with_a_broken_channel_is_not_restarted() {
    let stage = Stage::serving();
    let pid = stage.pid();
    stage.env.fault(|f| f.not_ready = vec!["telegram".into()]);
    for _ in 0..3 {
        stage.pass();
    }
    untouched(&stage, pid);
}
