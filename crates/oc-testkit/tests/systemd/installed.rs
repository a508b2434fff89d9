//! `install`, what the guardian puts back of it, `uninstall`.

use crate::rig::{CEILING, Rig, TIMER, UNIT};
use oc_testkit::user_manager::inside;
use oc_testkit::{TestEnv, wait_until};
use serde_json::json;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn installed() -> Rig {
    let rig = Rig::new();
    rig.guardian(&["install", "--interval", "1s"]).expect_code(0);
    rig
}

fn files(env: &TestEnv) -> BTreeSet<PathBuf> {
    let mut left = vec![env.home().to_owned()];
    let mut found = BTreeSet::new();
    while let Some(dir) = left.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                left.push(path);
            } else if !path.starts_with(env.state_dir()) && !path.starts_with(env.path("tmp")) {
                found.insert(path);
            }
        }
    }
    found
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn installed_twice_is_installed_once_and_uninstalled_is_gone() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    let before = files(&rig.env);
    let own_unit = std::fs::read(rig.unit_file()).unwrap();
    rig.guardian(&["install", "--interval", "1s"]).expect_code(0);
    assert_eq!(rig.shown(TIMER, "ActiveState"), "active");
    wait_until("passes by the timer", CEILING, || {
        rig.env.watchdog().join("run/run.json").exists()
    });
    let after = files(&rig.env);
    let again = rig
        .guardian(&["install", "--interval", "1s", "--json"])
        .expect_code(0)
        .json();
    assert_eq!(again["outcome"], "unchanged", "{again}");
    assert_eq!(files(&rig.env), after);
    rig.guardian(&["uninstall"]).expect_code(0);
    assert_eq!(files(&rig.env), before);
    assert_eq!(std::fs::read(rig.unit_file()).unwrap(), own_unit);
    assert_eq!(rig.shown(TIMER, "LoadState"), "not-found");
    assert!(rig.serving(), "uninstalling the watchdog does not stop the service");
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn what_was_unloaded_deleted_or_disabled_is_put_back() {
    if !inside() {
        return;
    }
    let rig = installed();
    let timer = rig.env.path(".config/systemd/user").join(TIMER);
    let damages: [(&str, &dyn Fn()); 4] = [
        ("stopped", &|| drop(rig.systemctl(&["stop", TIMER]))),
        ("disabled", &|| drop(rig.systemctl(&["disable", "--now", TIMER]))),
        ("deleted", &|| {
            rig.systemctl(&["stop", TIMER]);
            std::fs::remove_file(&timer).unwrap();
            rig.systemctl(&["daemon-reload"]);
        }),
        ("emptied", &|| {
            std::fs::write(&timer, "").unwrap();
            rig.systemctl(&["daemon-reload"]);
            rig.systemctl(&["stop", TIMER]);
        }),
    ];
    for (what, damage) in damages {
        damage();
        // Each is the first of its kind in its own time.
        drop(std::fs::remove_file(rig.env.watchdog().join("ensure.json")));
        wait_until("the lock", CEILING, || {
            let out = rig.guardian(&["ensure"]);
            assert!([1, 75].contains(&out.code), "{what}: {} {}", out.stdout, out.stderr);
            out.code == 1
        });
        assert_eq!(rig.shown(TIMER, "ActiveState"), "active", "{what}");
        assert_eq!(rig.shown(TIMER, "UnitFileState"), "enabled", "{what}");
    }
    rig.systemctl(&["stop", TIMER]);
    wait_until("a free lock", CEILING, || rig.guardian(&["ensure"]).code == 0);
    assert_ne!(
        rig.shown(TIMER, "ActiveState"),
        "active",
        "taken away again within ten minutes: a person"
    );
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_watchdog_that_is_active_and_never_comes_by_is_registered_anew() {
    if !inside() {
        return;
    }
    let rig = Rig::new();
    rig.guardian(&["install", "--interval", "30s"]).expect_code(0);
    wait_until("the first pass", CEILING, || rig.heal().code == 0);
    let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let in_an_hour = (boot.tv_sec + 3600) * 1000;
    let out = rig
        .env
        .cmd("oc-guardian")
        .arg("ensure")
        .env("OC_NOW_BOOT_MS", in_an_hour)
        .run();
    assert!(
        out.stdout.contains("no pass came by for 3"),
        "{} {}",
        out.stdout,
        out.stderr
    );
    assert_eq!(rig.shown(TIMER, "ActiveState"), "active");
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn a_definition_that_the_service_wrote_anew_is_adopted() {
    if !inside() {
        return;
    }
    let rig = installed();
    let text = std::fs::read_to_string(rig.unit_file()).unwrap();
    std::fs::write(rig.unit_file(), text.replace("RestartSec=5", "RestartSec=4")).unwrap();
    rig.systemctl(&["daemon-reload"]);
    wait_until("a free lock", CEILING, || rig.guardian(&["ensure"]).code == 0);
    std::fs::remove_file(rig.unit_file()).unwrap();
    rig.systemctl(&["daemon-reload"]);
    wait_until("a free lock", CEILING, || rig.guardian(&["ensure"]).code == 1);
    assert!(
        std::fs::read_to_string(rig.unit_file())
            .unwrap()
            .contains("RestartSec=4")
    );
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn an_edit_that_systemd_was_not_told_of_is_read_and_not_undone() {
    if !inside() {
        return;
    }
    let rig = installed();
    let ensure = |code: i32| wait_until("a free lock", CEILING, || rig.guardian(&["ensure"]).code == code);
    for (from, to) in [("RestartSec=5", "RestartSec=4"), ("RestartSec=4", "RestartSec=3")] {
        let text = std::fs::read_to_string(rig.unit_file()).unwrap().replace(from, to);
        std::fs::write(rig.unit_file(), &text).unwrap();
        assert_eq!(rig.shown(UNIT, "NeedDaemonReload"), "yes");
        ensure(0);
        assert_eq!(std::fs::read_to_string(rig.unit_file()).unwrap(), text);
        assert_eq!(rig.shown(UNIT, "NeedDaemonReload"), "no");
    }
    assert_eq!(rig.shown(UNIT, "RestartUSec"), "3s");
    // What systemd cannot load is no person's will.
    std::fs::write(rig.unit_file(), "[Service]\nRestart=always\n").unwrap();
    ensure(1);
    assert!(
        std::fs::read_to_string(rig.unit_file())
            .unwrap()
            .contains("RestartSec=3")
    );
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn after_a_reboot_everything_is_back_by_itself() {
    if !inside() {
        return;
    }
    let mut rig = installed();
    rig.manager.shut_down(&rig.env);
    rig.wait_down();
    let passes = rig.env.watchdog().join("run/run.json");
    let before = std::fs::read(&passes).ok();
    rig.manager.boot(&rig.env);
    rig.wait_serving();
    wait_until("a pass after the boot", CEILING, || {
        std::fs::read(&passes).ok() != before
    });
    assert_eq!(rig.events("attempt").len(), 0, "nothing had to be healed");
}

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn systemd_itself_calls_for_a_pass_when_it_gives_the_service_up() {
    if !inside() {
        return;
    }
    let rig = Rig::with(&json!({}));
    rig.guardian(&["install", "--interval", "1h"]).expect_code(0);
    let text = std::fs::read_to_string(rig.env.config_path()).unwrap();
    wait_until("the first pass of the timer", CEILING, || {
        rig.env.watchdog().join("run/run.json").exists()
    });
    rig.env
        .write(".openclaw/openclaw.json", text.replace("\"mode\":\"local\",", ""));
    let began = std::time::Instant::now();
    rig.env.signal(rig.pid(), oc_testkit::Signal::KILL);
    rig.wait_down();
    rig.wait_serving();
    println!(
        "exit 78 to serving by OnFailure=: {:.1} s (RestartSec=5 of it)",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(rig.shown(UNIT, "ActiveState"), "active");
}
