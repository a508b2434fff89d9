//! Our own files broken, missing or hostile: one clear sentence or a safe decision, and nothing lost.

use crate::stage::Stage;
use oc_testkit::{TestEnv, at_once, merged};
use serde_json::json;

#[test]
fn a_broken_or_newer_history_is_put_aside_whole_and_nothing_automatic_is_done() {
    for bytes in ["{\"version\": 99}", "half a f", ""] {
        let stage = Stage::serving();
        stage.env.write(".openclaw/watchdog/state.json", bytes);
        let pid = stage.hang();
        let out = stage.pass().expect_code(2);
        assert!(out.stderr.contains("history"), "{}", out.stderr);
        assert!(stage.attempts().is_empty());
        assert_eq!(stage.pid(), pid);
        let aside: Vec<_> = std::fs::read_dir(stage.env.watchdog())
            .unwrap()
            .map(|e| e.unwrap().path())
            .filter(|p| p.to_str().unwrap().contains("state.json.unreadable"))
            .collect();
        assert_eq!(aside.len(), 1);
        assert_eq!(std::fs::read_to_string(&aside[0]).unwrap(), bytes);
        stage.cmd("oc-escalate").arg("reset").run().expect_code(0);
        stage.heal_until_well();
    }
}

#[test]
fn an_unreadable_intent_leaves_the_service_alone() {
    let stage = Stage::serving();
    let pid = stage.hang();
    stage.env.write(".openclaw/watchdog/intent.json", "{{{");
    stage.pass().expect_code(0);
    assert_eq!((stage.pid(), stage.attempts().len()), (pid, 0));
}

#[test]
fn a_wrong_configuration_of_ours_is_named_with_its_place_and_nothing_is_done() {
    let stage = Stage::serving();
    let pid = stage.hang();
    stage.env.oc_config(&json!({"probe": {"tires": 3}}));
    let out = stage.pass();
    assert_eq!(out.code, 78, "{}", out.stderr);
    assert!(
        out.stderr.contains("probe.tires") && out.stderr.contains("tries"),
        "{}",
        out.stderr
    );
    assert_eq!((stage.pid(), stage.attempts().len()), (pid, 0));
}

#[test]
fn a_planted_symlink_in_place_of_the_lock_or_the_journal_is_not_followed() {
    for name in ["locks/healing.lock", "journal.jsonl"] {
        let stage = Stage::serving();
        let precious = stage.env.write("precious", "precious");
        let path = stage.env.watchdog().join(name);
        drop(std::fs::remove_file(&path));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&precious, &path).unwrap();
        stage.hang();
        stage.pass();
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "precious", "{name}");
    }
}

#[test]
fn secrets_reach_neither_journal_nor_log_nor_run_files() {
    let stage = Stage::serving();
    stage.hang();
    stage.heal_until_well();
    let out = std::process::Command::new("grep")
        .args(["-rl", "tok-secret-1"])
        .arg(stage.env.watchdog())
        .arg(stage.env.path(".openclaw/logs"))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "");
}

#[test]
fn without_a_home_there_is_one_clear_sentence() {
    let stage = Stage::serving();
    for tool in ["oc-probe", "oc-escalate", "oc-guardian"] {
        let args: &[&str] = if tool == "oc-probe" { &[] } else { &["status"] };
        let out = stage
            .cmd(tool)
            .args(args)
            .env_remove("HOME")
            .env_remove("OC_STATE_DIR")
            .run();
        assert!(out.code == 78 || out.code == 64, "{tool}: {}", out.code);
        assert!(out.stderr.contains("HOME"), "{tool}: {}", out.stderr);
    }
}

/// Runs two passes, each on a frozen gateway, with the state directory on a file system of its own that `spoil` has made
/// unusable; `None` where such a file system cannot be made (not root).
fn two_passes_on(stage: &Stage, options: &str, spoil: &str) -> Option<oc_testkit::Output> {
    let script = format!(
        "set -e; w=$HOME/.openclaw/watchdog; m=$HOME/m; mkdir -p $m; mount -t tmpfs -o mode=700,{options} tmpfs $m
         cp -a $w/config.json $w/locks $w/state.json $w/carry.json $m/
         mkdir $m/supervise; mount --bind $w/supervise $m/supervise; mount --rbind $m $w; {spoil}
         set +e
         for round in 1 2; do
             oc-probe -q --wait 20s; kill -STOP $(oc-probe -o identity.pid); {}; code=$?
         done
         exit $code",
        crate::stage::script().display()
    );
    let can = stage
        .env
        .foreign("unshare")
        .args(["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"])
        .run();
    if can.code != 0 {
        return None;
    }
    let pass = stage.env.foreign("unshare").args(["--mount", "sh", "-c", &script]);
    Some(pass.timeout(std::time::Duration::from_secs(90)).run())
}

#[test]
fn on_a_full_disk_the_service_is_restarted_but_not_without_bound() {
    let stage = Stage::serving();
    stage.pass().expect_code(0);
    let Some(out) = two_passes_on(
        &stage,
        "size=256k",
        "dd if=/dev/zero of=$w/fill bs=1k 2>/dev/null || true",
    ) else {
        return;
    };
    assert_eq!(
        stage.starts(),
        2,
        "one in ten minutes while the history cannot be written: {} {}",
        out.code,
        out.stderr
    );
}

#[test]
fn on_a_read_only_disk_no_bound_can_be_kept_and_nothing_is_done_but_said() {
    let stage = Stage::serving();
    stage.pass().expect_code(0);
    let Some(out) = two_passes_on(&stage, "size=1m", "mount -o remount,ro,bind $w") else {
        return;
    };
    assert_eq!(stage.starts(), 1, "{} {}", out.code, out.stderr);
    assert_eq!(out.code, 77, "{}", out.stderr);
    assert!(out.stderr.contains("Read-only file system"), "{}", out.stderr);
}

#[test]
fn every_instance_has_a_pass_of_its_own_and_a_slow_one_delays_nobody() {
    let stage = Stage::serving();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let config = merged(
        at_once(),
        &json!({"instances": {"web": {"service": {"kind": "generic", "manager": "embedded"}, "probe": {"url": url, "timeout": "1s", "hang_after": "2s"}}}}),
    );
    stage.env.oc_config(&config);
    let out = stage
        .env
        .cmd("oc-probe")
        .args(["--all", "--json"])
        .env_remove("OC_STATE_DIR")
        .run();
    assert_eq!(out.code, 2, "{}", out.stdout);
    let heal = stage.heal().arg("--all").env_remove("OC_STATE_DIR").run();
    assert_ne!(heal.code, 0, "{}", heal.stderr);
    assert!(
        stage.env.path(".openclaw-web/watchdog/carry.json").exists()
            || stage.env.path(".openclaw/watchdog/instances").exists(),
        "the second instance had a pass: {}",
        heal.stderr
    );
}

#[test]
fn no_more_instances_have_their_pass_at_a_time_than_asked_for() {
    let env = TestEnv::new();
    let generic = json!({"service": {"kind": "generic", "manager": "embedded"},
        "probe": {"url": "http://127.0.0.1:1/"}});
    env.oc_config(&json!({"instances": {"a": generic, "b": generic, "c": generic}}));
    // Two at a time would find the directory there.
    let step = r#"mkdir "$HOME/alone" && sleep 0.1 && rmdir "$HOME/alone" && echo "$OC_INSTANCE" >>"$HOME/seen""#;
    let run = env
        .cmd("oc-escalate")
        .args(["run", "--all", "--jobs", "1", "--", "sh", "-c", step]);
    let out = run.env_remove("OC_STATE_DIR").run();
    assert_eq!(out.code, 0, "{}", out.stderr);
    let seen = std::fs::read_to_string(env.path("seen")).unwrap();
    assert_eq!(seen.lines().collect::<Vec<_>>(), ["default", "a", "b", "c"]);
}
