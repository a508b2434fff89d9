//! The whole ladder on the real OpenClaw: a fault that no rule may mend, a real Claude Code in a real tmux that proposes, and the
//! doctor that applies. The model behind it is a stand-in on loopback. `make e2e` runs it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    missing_docs,
    reason = "tests; each of them uses its part of the stage"
)]

mod real;
#[path = "chain/stage.rs"]
mod stage;

use oc_testkit::messages_api::{MessagesApi, Script};
use oc_testkit::providers::Providers;
use oc_testkit::{wait_until, wall_ms};
use real::{Table, ms};
use serde_json::json;
use stage::Stage;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CEILING: Duration = Duration::from_secs(60);
const KEY: &str = "sk-ant-api03-Zx81kQ0vWmT5yB7nR2cJ4hL9pD3sF6gA";

#[test]
#[ignore = "needs the real gateway and the real Claude Code: make e2e"]
fn what_no_rule_mends_the_agent_proposes_and_the_doctor_applies() {
    let claude = PathBuf::from(std::env::var_os("OC_REAL_CLAUDE").expect("OC_REAL_CLAUDE, as in `make e2e`"));
    let (api, people) = (MessagesApi::new(Script::puts_mode_back()), Providers::new());
    let mut stage = Stage::real();
    let table = Table::new("The agent, on the real gateway");
    stage.env.set("ANTHROPIC_BASE_URL", api.url());
    stage.env.set("ANTHROPIC_API_KEY", KEY);
    std::os::unix::fs::symlink(claude, stage.env.path("bin/claude")).unwrap();
    stage.settings(&json!({
        "agent": {"enabled": true},
        "doctor": {"own_doctor": false, "disabled_remedies": ["required_key", "restore", "minimal", "take_value"]},
        "notify": {"webhook": {"url": people.url("/hook")}},
    }));
    stage.supervise_with(&[]);
    stage.wait_ready();
    stage.heal_until_well();

    let good = serde_json::to_string_pretty(&stage.env.read_json(".openclaw/openclaw.json")).unwrap();
    break_it(
        &stage,
        &table,
        &good,
        1,
        "gateway.mode deleted, and no remedy may mend it",
    );
    let closed = stage.nth_event("incident_closed", 1, CEILING);
    assert_eq!(closed["data"]["by_us"], true, "{}", stage.journal_text());
    assert_eq!(
        stage.attempts(),
        ["doctor start", "doctor start", "agent start"],
        "{}",
        stage.journal_text()
    );

    let mended = json5(&std::fs::read_to_string(stage.env.config_path()).unwrap());
    assert_eq!(
        mended["gateway"],
        json5(&good)["gateway"],
        "with every secret back in place"
    );
    let incidents = stage.env.watchdog().join("incidents");
    let report = find(&incidents, "report.md").expect("a report");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("`gateway.mode` was gone"), "{report}");
    wait_until("people are told", CEILING, || !people.accepted().is_empty());
    for taken in api.taken() {
        assert!(
            !taken.raw.contains("tok-secret-1"),
            "the model sees no secret of the configuration"
        );
    }
    let asked = api.conversation().len();
    table.line("requests to the model", &asked.to_string());

    break_it(&stage, &table, &good, 2, "the same again, from the playbook");
    stage.nth_event("incident_closed", 2, CEILING);
    assert_eq!(stage.attempts()[3..], ["doctor start"], "{}", stage.journal_text());
    assert_eq!(api.conversation().len(), asked, "nobody was asked again");
}

/// Deletes `gateway.mode` while it is stopped, and waits until it serves again.
fn break_it(stage: &Stage, table: &Table, good: &str, incident: usize, what: &str) {
    stage.guardian(&["stop"]).expect_code(0);
    // On many lines, as OpenClaw itself writes it.
    let mut config: serde_json::Value = json5(good);
    config["gateway"].as_object_mut().unwrap().remove("mode");
    std::fs::write(stage.env.config_path(), serde_json::to_string_pretty(&config).unwrap()).unwrap();
    let fault = wall_ms();
    stage.guardian(&["start"]);
    let opened = stage.nth_event("incident_opened", incident, CEILING);
    assert!(wait_ready(stage), "not healed\n{}", stage.journal_text());
    table.healed(what, fault, ms(&opened), wall_ms());
}

fn wait_ready(stage: &Stage) -> bool {
    let begun = std::time::Instant::now();
    while !stage.is_ready() && begun.elapsed() < CEILING {
        std::thread::sleep(Duration::from_millis(50));
    }
    stage.is_ready()
}

fn json5(text: &str) -> serde_json::Value {
    json5::from_str(text).unwrap()
}

fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let entries: Vec<_> = std::fs::read_dir(dir)
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    let here = entries.iter().find(|path| path.ends_with(name)).cloned();
    here.or_else(|| {
        entries
            .iter()
            .filter(|path| path.is_dir())
            .find_map(|path| find(path, name))
    })
}
