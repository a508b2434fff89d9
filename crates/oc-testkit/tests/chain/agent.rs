//! Level 3: the AI proposes, oc-doctor applies; what its session cost is counted, also when it is killed.

use crate::stage::{CEILING, Stage};
use oc_testkit::{Running, Signal, at_once, merged, process, wait_for, wait_until};
use serde_json::{Value, json};
use std::time::Duration;

/// An agent that runs this script after it has said a word; nothing but it is left to try.
fn broken(script: &str) -> Stage {
    let mut stage = Stage::bare();
    let config = stage.env.state_dir().join("openclaw.json");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace(r#""mode":"local","#, "")).unwrap();
    stage.env.oc_config(&merged(
        at_once(),
        &json!({"agent": {"enabled": true, "driver": "headless", "deadline": "30s"},
            "policy": {"ladder": {"doctors_before_agent": 0}, "agent": {"cooldown": "0s"}}}),
    ));
    stage.env.stub(
        "claude",
        &format!(
            r#"for last; do :; done
prompt=${{last#Read }}; prompt=${{prompt% and follow it.}}
dir=${{prompt%/*}}
echo "$dir" >>$HOME/asked
echo '{{"type":"assistant","message":{{"id":"m","model":"sonnet","usage":{{}},"content":[]}}}}'
{script}"#
        ),
    );
    stage.supervise();
    stage
}

const MEND: &str = r#"sed 's/"gateway":{/"gateway":{"mode":"local",/' "$dir/work/openclaw.json" >$HOME/new
cat $HOME/new >"$dir/work/openclaw.json"; echo 'The mode was missing.' >"$dir/report.md"
echo '{"type":"result","is_error":false,"terminal_reason":"completed","num_turns":3,"result":"ok","total_cost_usd":0.081}'"#;

/// What is charged for the sessions of this state, in cents.
fn spent(stage: &Stage) -> u64 {
    fn cents(value: &Value) -> u64 {
        match value {
            Value::Object(map) if map.get("action") == Some(&json!("agent")) => map["cents"].as_u64().unwrap(),
            Value::Object(map) => map.values().map(cents).sum(),
            Value::Array(items) => items.iter().map(cents).sum(),
            _ => 0,
        }
    }
    cents(&stage.env.read_json(".openclaw/watchdog/state.json"))
}

fn asked(stage: &Stage) -> usize {
    std::fs::read_to_string(stage.env.path("asked"))
        .unwrap_or_default()
        .lines()
        .count()
}

/// A pass in which the agent works, and the agent's pid.
fn in_session(stage: &Stage) -> (Running, u32) {
    let mut pass = stage.heal().spawn();
    let agent = wait_for("the AI is asked", Duration::from_secs(60), || {
        if pass.try_wait().is_some() {
            pass = stage.heal().spawn();
        }
        std::fs::read_to_string(stage.env.path("agent"))
            .ok()?
            .trim()
            .parse()
            .ok()
    });
    (pass, agent)
}

#[test]
fn the_ais_plan_is_applied_serves_and_costs_what_it_really_cost() {
    let stage = broken(MEND);
    wait_until("a pass asks the AI", Duration::from_secs(20), || {
        stage.pass();
        asked(&stage) > 0
    });
    stage.wait_ready();
    stage.heal_until_well();
    assert_eq!(asked(&stage), 1);
    assert_eq!(spent(&stage), 9, "8.1 cents, not the 50 charged in advance");
    let incident = stage.events("incident_closed")[0]["incident"]
        .as_str()
        .unwrap()
        .to_owned();
    let report = stage.env.watchdog().join("incidents").join(incident).join("report.md");
    let report = std::fs::read_to_string(report).unwrap();
    assert!(
        report.contains("The mode was missing.") && report.contains("+"),
        "{report}"
    );
    assert!(
        report.contains("healed"),
        "the result is added when it is known: {report}"
    );
}

#[test]
fn a_killed_session_is_ended_in_its_pass_counts_and_keeps_its_charge() {
    let stage = broken("echo $$ >$HOME/agent; exec sleep 600");
    let (pass, agent) = in_session(&stage);
    let session = stage.env.read_json(".openclaw/watchdog/agent-session.json");
    stage.env.signal(
        u32::try_from(session["owner"]["pid"].as_u64().unwrap()).unwrap(),
        Signal::KILL,
    );
    pass.wait(Duration::from_secs(60));
    assert!(!process::alive(agent), "nothing is left running");
    for _ in 0..3 {
        stage.pass();
    }
    assert_eq!((asked(&stage), spent(&stage)), (1, 50));
}

#[test]
fn a_pass_that_is_told_to_stop_ends_its_session() {
    let stage = broken("trap '' HUP; echo $$ >$HOME/agent; sleep 600 & wait");
    let (pass, agent) = in_session(&stage);
    stage.env.signal(pass.pid(), Signal::TERM);
    pass.wait(CEILING).expect_code(143);
    wait_until("the agent is gone, too", CEILING, || !process::alive(agent));
    assert!(!stage.env.watchdog().join("agent-session.json").exists());
}

#[test]
fn a_service_that_comes_back_meanwhile_ends_the_session_and_is_not_touched() {
    let stage = broken("echo '{}' >$dir/plan.json; echo $$ >$HOME/agent; exec sleep 600");
    let (pass, agent) = in_session(&stage);
    stage.write_gateway_config();
    stage.cmd("oc-guardian").arg("start").run();
    stage.wait_ready();
    let pid = stage.pid();
    pass.wait(Duration::from_secs(40));
    assert!(!process::alive(agent));
    let said: Vec<String> = stage.events("agent").iter().map(|e| e["text"].to_string()).collect();
    assert!(said.iter().any(|text| text.contains("ended: healthy")), "{said:?}");
    assert_eq!(stage.pid(), pid, "it was not restarted");
    stage.heal_until_well();
}
