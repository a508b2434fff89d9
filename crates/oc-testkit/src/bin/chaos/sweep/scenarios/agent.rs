//! Level 3: a session of an agent, and its plan applied.

use super::{SCENARIO, Scenario};
use serde_json::json;

/// Mends its copy of the configuration.
const AGENT: &str = r#"for last; do :; done
prompt=${last#Read }; prompt=${prompt% and follow it.}
dir=${prompt%/*}
echo "$dir" >>$HOME/asked
echo '{"type":"assistant","message":{"id":"m","model":"sonnet","usage":{},"content":[]}}'
sed 's/"gateway": {/"gateway": {"mode": "local",/' "$dir/work/openclaw.json" >$HOME/new
cat $HOME/new >"$dir/work/openclaw.json"; echo 'The mode was missing.' >"$dir/report.md"
echo '{"type":"result","is_error":false,"terminal_reason":"completed","num_turns":3,"result":"ok","total_cost_usd":0.081}'"#;

pub(crate) const PASS: Scenario = Scenario {
    name: "pass-agent",
    what: "a pass asks an agent for a plan and applies it",
    tool: "oc-claude-pty",
    settings: || {
        json!({"agent": {"enabled": true, "driver": "headless", "deadline": "20s"},
            "policy": {"ladder": {"doctors_before_agent": 0, "half_open": "1s"}, "agent": {"cooldown": "0s"}}})
    },
    prepare: |field| {
        field.env().stub("claude", AGENT);
        field.start_broken();
    },
    recover: |field| {
        // A session that was killed counts: what is left is a person.
        for _ in 0..3 {
            field.pass();
        }
        if !field.service.is_ready() {
            let good = field.good_config();
            field.env().write(".openclaw/openclaw.json", good);
            field.call(&["oc-guardian", "start"]);
        }
        field.passes();
    },
    verify: |field| {
        let mut found = field.one_gateway(u64::MAX);
        let asked = std::fs::read_to_string(field.env().path("asked")).unwrap_or_default();
        if asked.lines().count() > 1 {
            found.push(format!("{} sessions", asked.lines().count()));
        }
        if field.env().watchdog().join("agent-session.json").exists() {
            found.push("the record of a session is left".to_owned());
        }
        found
    },
    ..SCENARIO
};
