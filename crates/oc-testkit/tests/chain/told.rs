//! What people read of a pass: the messages of the real chain. `make samples` keeps two of them under docs/samples.

use crate::stage::{CEILING, Stage};
use oc_testkit::{Faults, Signal, at_once, merged, wait_until};
use serde_json::{Value, json};

/// Messages as a program of the user's gets them, one JSON object a line.
fn listening(stage: &Stage, opened_after: &str) {
    let hear = "cat >>\"$HOME/told\"; echo >>\"$HOME/told\"";
    let notify = json!({"notify": {"exec": ["sh", "-c", hear], "opened_after": opened_after}});
    stage.env.oc_config(&merged(at_once(), &notify));
}

fn told(stage: &Stage, event: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(stage.env.path("told")).unwrap_or_default();
    let all = text.lines().filter(|l| !l.trim().is_empty());
    let all = all.map(|line| serde_json::from_str::<Value>(line).unwrap());
    all.filter(|m| m["event"] == event).collect()
}

fn fact<'m>(message: &'m Value, name: &str) -> &'m str {
    let facts = message["facts"].as_array().unwrap();
    let found = facts.iter().find(|f| f["name"] == name);
    found.map_or("", |f| f["value"].as_str().unwrap())
}

/// The sample in the docs has the parts that the chain's message has; `SAMPLES` is where `make samples` wants it.
fn sample(name: &str, message: &Value) {
    if let Some(dir) = std::env::var_os("SAMPLES") {
        let path = std::path::Path::new(&dir).join(name);
        std::fs::write(path, message.to_string()).unwrap();
        return;
    }
    let path = oc_testkit::scripts().join("../docs/samples").join(name);
    let kept: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let parts = |m: &Value| -> Vec<String> {
        let facts = m["facts"].as_array().unwrap().iter().map(|f| f["name"].to_string());
        facts
            .chain([
                m["event"].to_string(),
                m["severity"].to_string(),
                m["class"].to_string(),
            ])
            .collect()
    };
    assert_eq!(parts(&kept), parts(message), "{name} is out of date: `make samples`");
}

/// A configuration that the doctor mends, and a process that has to read it.
fn breaks(stage: &Stage) -> (std::path::PathBuf, String) {
    let path = stage.env.config_path();
    let gateway = format!(
        "    port: {},\n    auth: {{mode: 'token', token: 'tok-secret-1'}},\n",
        stage.port
    );
    let broken = format!("{{\n  // mine\n  gateway: {{\n    bind: 'loopback',\n{gateway}  }},\n}}\n");
    std::fs::write(&path, &broken).unwrap();
    let dead = stage.kill(Signal::KILL);
    stage.pid_other_than(dead);
    (path, broken)
}

#[test]
fn a_repair_is_told_with_its_level_duration_diff_and_an_undo_that_works() {
    let stage = Stage::serving();
    listening(&stage, "90s");
    let (path, broken) = breaks(&stage);
    stage.heal_until_well();
    let healed = told(&stage, "healed");
    assert_eq!(healed.len(), 1, "{healed:?}");
    let healed = &healed[0];
    let words = format!("{} {}", healed["title"], healed["text"]);
    assert!(words.contains("doctor"), "the level: {words}");
    assert!(words.contains(" s") || words.contains(" min"), "how long: {words}");
    assert!(fact(healed, "What was tried").contains("helped"), "{healed}");
    let changed = fact(healed, "What was changed");
    assert!(
        changed.contains("mode") && changed.contains("+++"),
        "the diff: {changed}"
    );
    assert!(!healed.to_string().contains("tok-secret-1"), "no secret: {healed}");
    let all = std::fs::read_to_string(stage.env.path("told")).unwrap();
    assert_eq!(
        all.matches("+++ b/").count(),
        2,
        "announced once, in its facts and in its body: {all}"
    );
    sample("healed.json", healed);
    let undo: Vec<&str> = fact(healed, "To undo it").split_whitespace().collect();
    assert_eq!(undo[..2], ["oc-doctor", "rollback"], "{undo:?}");
    stage.cmd(undo[0]).args(&undo[1..]).run().expect_code(0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), broken, "as before the repair");
}

#[test]
fn while_a_repair_is_not_judged_yet_nobody_reads_that_it_did_not_help() {
    let stage = Stage::serving();
    listening(&stage, "0s");
    breaks(&stage);
    stage.heal_until_well();
    let opened = told(&stage, "opened");
    let tried = opened.iter().map(|m| fact(m, "What was tried")).collect::<Vec<_>>();
    assert!(
        !tried.is_empty() && tried.iter().all(|t| !t.contains("did not help")),
        "{opened:?}"
    );
}

#[test]
fn who_is_needed_reads_what_was_tried_what_to_run_and_where_to_look() {
    let stage = Stage::faulty(&json!({}), |f| {
        f.boot_ms = 60_000;
        f.exit_after_ms = Some(30);
    });
    listening(&stage, "0s");
    wait_until("a human is asked for", CEILING, || stage.pass().code == 2);
    let calls = told(&stage, "needs_you");
    assert_eq!(calls.len(), 1, "{calls:?}");
    let call = &calls[0];
    assert_eq!(call["severity"], "critical");
    assert!(
        fact(call, "What was tried").lines().count() >= 2,
        "each attempt and how it ended: {call}"
    );
    assert!(
        fact(call, "Next step").starts_with("oc-") || fact(call, "Next step").contains("openclaw"),
        "{call}"
    );
    let evidence = fact(call, "Evidence and report").lines().next().unwrap_or_default();
    assert!(
        std::path::Path::new(evidence).is_dir(),
        "where the evidence lies: {call}"
    );
    assert!(fact(call, "Log").ends_with("watchdog.log"), "{call}");
    sample("needs-you.json", call);
    stage.env.fault(|f| *f = Faults::default());
}

#[test]
fn every_five_minutes_and_not_at_every_pass_the_free_space_is_put_on_record() {
    let stage = Stage::serving();
    stage.pass().expect_code(0);
    assert!(stage.events("sample").is_empty());
    let path = stage.env.watchdog().join("carry.json");
    let mut carry: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for clock in ["wall_ms", "boot_ms", "awake_ms"] {
        let then = carry["bucket"][clock].as_i64().unwrap() - 301_000;
        carry["bucket"][clock] = json!(then.max(0));
    }
    std::fs::write(&path, carry.to_string()).unwrap();
    for _ in 0..3 {
        stage.pass().expect_code(0);
    }
    let samples = stage.events("sample");
    assert_eq!(samples.len(), 1, "{samples:?}");
    assert!(samples[0]["data"]["disk_free_bytes"].as_u64() > Some(0), "{samples:?}");
}
