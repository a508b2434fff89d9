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

use oc_testkit::messages_api::{MessagesApi, Script, Turn};
use oc_testkit::providers::Providers;
use oc_testkit::wait_until;
use real::{Table, ms, now_ms};
use serde_json::json;
use stage::Stage;
use std::path::{Path, PathBuf};
use std::time::Duration;

const CEILING: Duration = Duration::from_secs(120);
const KEY: &str = "sk-ant-api03-Zx81kQ0vWmT5yB7nR2cJ4hL9pD3sF6gA";

/// What a good model would do; it learns the directory from the prompt alone.
fn good_model() -> Script {
    let file = |name: &str| format!("/{{{{dir:Read /}}}}/{name}");
    let report = "# Cause\nA comma was missing after `mode`.\n";
    Script::of([
        Turn::calls("Read", json!({"file_path": file("prompt.md")})),
        Turn::calls("Read", json!({"file_path": file("work/openclaw.json")})),
        Turn::calls(
            "Edit",
            json!({"file_path": file("work/openclaw.json"), "old_string": "\"local\" ", "new_string": "\"local\", "}),
        ),
        Turn::calls("Write", json!({"file_path": file("report.md"), "content": report})),
        Turn::says("The comma after mode was missing; it is in the working copy now."),
    ])
}

#[test]
#[ignore = "needs the real gateway and the real Claude Code: make e2e"]
fn what_no_rule_mends_the_agent_proposes_and_the_doctor_applies() {
    let claude = PathBuf::from(std::env::var_os("OC_REAL_CLAUDE").expect("OC_REAL_CLAUDE, as in `make e2e`"));
    let (api, people) = (MessagesApi::new(good_model()), Providers::new());
    let mut stage = Stage::real();
    let table = Table::new("The agent, on the real gateway");
    stage.env.set("ANTHROPIC_BASE_URL", api.url());
    stage.env.set("ANTHROPIC_API_KEY", KEY);
    std::os::unix::fs::symlink(claude, stage.env.path("bin/claude")).unwrap();
    stage.settings(&json!({
        "agent": {"enabled": true},
        "doctor": {"own_doctor": false, "disabled_remedies": ["commas", "restore", "minimal", "take_value", "close_cut"]},
        "notify": {"webhook": {"url": people.url("/hook")}},
    }));
    stage.supervise_with(&[]);
    stage.wait_ready();
    stage.heal_until_well();

    stage.guardian(&["stop"]).expect_code(0);
    let config = stage.env.config_path();
    let good = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, good.replacen("\"local\",", "\"local\" ", 1)).unwrap();
    let fault = now_ms();
    stage.guardian(&["start"]);
    let opened = stage.nth_event("incident_opened", 1, CEILING);
    wait_until("the gateway serves again", CEILING, || stage.is_ready());
    let serving = now_ms();
    table.healed("a missing comma that no remedy may mend", fault, ms(&opened), serving);
    let closed = stage.nth_event("incident_closed", 1, CEILING);
    assert_eq!(closed["data"]["by_us"], true, "{}", stage.journal_text());
    assert_eq!(
        stage.attempts(),
        ["doctor start", "doctor start", "agent start"],
        "{}",
        stage.journal_text()
    );

    let mended: serde_json::Value = json5(&std::fs::read_to_string(&config).unwrap());
    assert_eq!(
        mended["gateway"],
        json5(&good)["gateway"],
        "with every secret back in place"
    );
    let incidents = stage.env.watchdog().join("incidents");
    let report = find(&incidents, "report.md").expect("a report");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(report.contains("A comma was missing"), "{report}");
    wait_until("people are told", CEILING, || !people.accepted().is_empty());
    for taken in api.taken() {
        assert!(
            !taken.raw.contains("tok-secret-1"),
            "the model sees no secret of the configuration"
        );
    }
    table.line("requests to the model", &api.conversation().len().to_string());
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
