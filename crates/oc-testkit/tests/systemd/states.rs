//! Every state that systemd can have the service in.

use crate::rig::{CEILING, Rig, UNIT};
use oc_testkit::user_manager::inside;
use oc_testkit::{Signal, wait_until};

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn start_stop_restart_and_status_speak_for_systemd() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    let first = rig.pid();
    let status = rig.guardian(&["status", "--json"]).expect_code(0).json();
    assert_eq!(
        (&status["manager"], &status["state"]),
        (&"systemd".into(), &"running".into())
    );
    assert_eq!(status["identity"]["pid"], first);

    rig.guardian(&["restart", "--wait"]).expect_code(0);
    let second = rig.pid();
    assert_ne!(first, second);
    assert!(rig.serving());

    rig.guardian(&["stop", "--reason", "new disk"]).expect_code(0);
    assert!(!rig.serving());
    rig.guardian(&["status"]).expect_code(2);
    rig.heal().expect_code(0);
    rig.guardian(&["ensure"]).expect_code(0);
    assert!(!rig.serving(), "a stop on purpose was undone");

    rig.guardian(&["start", "--wait"]).expect_code(0);
    assert!(rig.serving());
    assert_eq!(rig.heal().code, 0);
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_unit_at_its_start_limit_is_cleared_and_started() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    rig.env.fault(|f| (f.boot_ms, f.exit_after_ms) = (60_000, Some(0)));
    rig.env.signal(rig.pid(), Signal::KILL);
    // As after ten crashes in a row, without their waits.
    for _ in 0..12 {
        rig.systemctl(&["start", "--no-block", UNIT]);
        std::thread::sleep(std::time::Duration::from_millis(60));
    }
    wait_until("the latch", CEILING, || {
        rig.systemctl(&["start", UNIT]);
        rig.shown(UNIT, "ActiveState") == "failed"
    });
    rig.env.fault(|f| *f = oc_testkit::Faults::default());
    let probe = rig.env.cmd("oc-probe").arg("--json").run().json();
    let conditions = probe["conditions"].to_string() + &probe["class"].to_string();
    assert!(conditions.contains("start_limit"), "{probe}");
    rig.heal();
    assert!(rig.serving());
    wait_until("a closed incident", CEILING, || rig.heal().code == 0);
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn status_78_goes_to_the_doctor_and_is_started_again() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    let text = std::fs::read_to_string(rig.env.config_path()).unwrap();
    rig.env
        .write(".openclaw/openclaw.json", text.replace("\"mode\":\"local\",", ""));
    rig.env.signal(rig.pid(), Signal::KILL);
    wait_until("the parked unit", CEILING, || {
        rig.shown(UNIT, "ActiveState") == "failed" && rig.shown(UNIT, "ExecMainStatus") == "78"
    });
    let out = rig.heal();
    assert!(rig.serving(), "{}\n{}", out.stdout, out.stderr);
    assert_eq!(rig.shown(UNIT, "ActiveState"), "active");
    assert!(
        std::fs::read_to_string(rig.env.config_path())
            .unwrap()
            .contains("local")
    );
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_hung_service_is_killed_and_not_asked_to_stop_for_five_minutes() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    rig.heal().expect_code(0);
    let hung = rig.pid();
    rig.env.fault(|f| (f.block_ms, f.only_pid) = (Some(0), Some(hung)));
    wait_until("the hang", CEILING, || !rig.serving());
    let began = std::time::Instant::now();
    wait_until("a successor that serves", CEILING, || {
        rig.heal();
        rig.serving()
    });
    assert_ne!(rig.pid(), hung);
    assert!(
        began.elapsed() < std::time::Duration::from_secs(60),
        "as long as a stop: {:?}",
        began.elapsed()
    );
    println!("hang to serving under systemd: {:.1} s", began.elapsed().as_secs_f64());
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_masked_unit_is_a_persons_decision() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    rig.heal().expect_code(0);
    rig.systemctl(&["stop", UNIT]);
    // systemd refuses to mask what lies in the user's own directory; people move it away first.
    std::fs::rename(rig.unit_file(), rig.env.path("unit-of-mine")).unwrap();
    rig.systemctl(&["daemon-reload"]);
    rig.systemctl(&["mask", UNIT]);
    assert_eq!(rig.shown(UNIT, "LoadState"), "masked");
    assert_eq!(rig.heal().code, 2, "a human is needed");
    assert_eq!(rig.shown(UNIT, "LoadState"), "masked");
    let said = rig.guardian(&["start"]);
    assert_eq!(said.code, 2);
    assert!(said.stdout.contains("systemctl --user unmask"), "{}", said.stdout);
    assert!(!rig.serving());
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_bare_stop_is_undone_once_and_believed_the_second_time() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    rig.heal().expect_code(0);
    rig.systemctl(&["stop", UNIT]);
    rig.wait_down();
    rig.heal();
    rig.wait_serving();
    wait_until("a closed incident", CEILING, || rig.heal().code == 0);
    rig.systemctl(&["stop", UNIT]);
    rig.wait_down();
    for _ in 0..3 {
        rig.heal();
    }
    assert!(!rig.serving(), "a person who stops it twice means it");
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_stop_told_to_openclaw_is_a_persons_until_it_is_started_again() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    wait_until("a healthy service", CEILING, || rig.heal().code == 0);
    // As OpenClaw does: first the deed, then the record.
    rig.systemctl(&["stop", UNIT]);
    let at = rig.env.foreign("date").args(["-u", "+%FT%T.%3NZ"]).run().stdout;
    let record = "openclaw gateway lifecycle source=cli action=stop mode=systemctl-stop interactive=0";
    rig.env.write(
        ".openclaw/logs/gateway-restart.log",
        format!("[{}] {record}\n", at.trim()),
    );
    rig.wait_down();
    for _ in 0..2 {
        rig.heal().expect_code(0);
        let said = rig.guardian(&["ensure"]).expect_code(0).stdout;
        assert!(said.contains("openclaw gateway stop"), "{said}");
        rig.guardian(&["status"]).expect_code(2);
    }
    assert!(!rig.serving());
    rig.guardian(&["start"]).expect_code(0);
    rig.wait_serving();
    wait_until("a healthy service", CEILING, || rig.heal().code == 0);
    // The record is older than what serves now: this is damage.
    rig.systemctl(&["stop", UNIT]);
    rig.heal();
    rig.wait_serving();
}
