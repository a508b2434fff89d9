//! The nuclear option: everything taken away at once, undone within one visit of the guardian.

use crate::rig::{CEILING, Rig, TIMER, UNIT};
use oc_testkit::user_manager::inside;
use oc_testkit::wait_until;
use std::time::{Duration, Instant};

fn installed_and_served() -> Rig {
    let rig = Rig::new();
    rig.guardian(&["install", "--interval", "1h"]).expect_code(0);
    // What is restored has to have been seen first.
    wait_until("the first passes", CEILING, || rig.heal().code == 0);
    rig.env.cmd("oc-doctor").args(["snapshot"]).run().expect_code(0);
    rig
}

fn nuke(rig: &Rig) {
    let units = rig.env.path(".config/systemd/user");
    rig.systemctl(&["disable", "--now", TIMER, UNIT]);
    for entry in std::fs::read_dir(&units).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    std::fs::remove_file(rig.env.config_path()).unwrap();
    rig.systemctl(&["daemon-reload"]);
    rig.wait_down();
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn both_jobs_both_definitions_and_the_configuration_are_back_after_one_visit() {
    if !inside() {
        return;
    }
    let rig = installed_and_served();
    nuke(&rig);
    let began = Instant::now();
    let out = rig.guardian(&["ensure"]);
    let took = began.elapsed();
    assert!(rig.serving(), "{} {}", out.stdout, out.stderr);
    assert_eq!(out.code, 1, "{} {}", out.stdout, out.stderr);
    for unit in [TIMER, UNIT] {
        assert_eq!(rig.shown(unit, "ActiveState"), "active", "{unit}");
        assert_eq!(rig.shown(unit, "UnitFileState"), "enabled", "{unit}");
    }
    println!(
        "nuclear option, from the guardian's visit to serving: {:.1} s",
        took.as_secs_f64()
    );
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn two_guardians_at_once_are_one() {
    if !inside() {
        return;
    }
    let rig = installed_and_served();
    nuke(&rig);
    let both = [0, 1].map(|_| {
        let guardian = rig.env.cmd("oc-guardian").arg("ensure");
        guardian.timeout(Duration::from_secs(150)).spawn()
    });
    let codes = both.map(|guardian| guardian.wait(Duration::from_secs(150)).code);
    rig.wait_serving();
    assert!(codes.iter().all(|code| [0, 1, 2, 75].contains(code)), "{codes:?}");
    let started = rig.events("attempt").len();
    assert!(started <= 1, "{started} attempts for one loss");
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn while_a_healing_holds_the_lock_nothing_is_done_and_afterwards_all_of_it() {
    if !inside() {
        return;
    }
    let rig = installed_and_served();
    nuke(&rig);
    let gate = rig.env.path("gate");
    let script = format!("while ! [ -e '{}' ]; do sleep 0.05; done", gate.display());
    let holder = rig
        .env
        .cmd("oc-escalate")
        .args(["run", "--", "/bin/sh", "-c", &script])
        .spawn();
    wait_until("the lock", CEILING, || rig.guardian(&["ensure"]).code == 75);
    assert!(!rig.serving());
    std::fs::write(&gate, "").unwrap();
    holder.wait(CEILING).expect_code(0);
    rig.guardian(&["ensure"]).expect_code(1);
    assert!(rig.serving());
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_persons_stop_outlives_it_all() {
    if !inside() {
        return;
    }
    let rig = installed_and_served();
    rig.guardian(&["stop"]).expect_code(0);
    nuke(&rig);
    rig.guardian(&["ensure"]).expect_code(0);
    rig.heal().expect_code(0);
    assert!(!rig.serving());
    assert!(!rig.unit_file().exists());
}
