//! Our own files broken, missing or hostile: one clear sentence or a safe decision, and nothing lost.

use crate::stage::Stage;
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
