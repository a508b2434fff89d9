//! A service that is not OpenClaw, through the whole chain: strict JSON, its own schema.

use crate::stage::Stage;
use oc_testkit::{Signal, at_once, merged};
use serde_json::{Value, json};

#[test]
fn a_service_that_is_not_openclaw_is_kept_alive_and_its_json_stays_strict() {
    let mut stage = Stage::bare();
    let schema = json!({"type": "object", "properties": {"gateway": {"type": "object", "properties": {"port": {"type": "integer"}}}}});
    let schema = stage.env.write("schema.json", schema.to_string());
    let generic = json!({
        "service": {"kind": "generic", "label": "wiki", "unit": "wiki.service", "config_file": stage.env.config_path(), "config_type": "json",
            "config_schema": schema, "required_keys": ["gateway.mode"], "restart_signal": null},
        "probe": {"url": format!("http://127.0.0.1:{}", stage.port), "liveness_path": "/healthz"}});
    stage.env.oc_config(&merged(at_once(), &generic));
    stage.supervise();
    stage.wait_ready();
    stage.heal_until_well();
    // What it needs is known from a time when it was well.
    stage.cmd("oc-doctor").arg("snapshot").run().expect_code(0);
    let good: Value = stage.env.read_json(".openclaw/openclaw.json");
    let mut broken = good.clone();
    broken["gateway"].as_object_mut().unwrap().remove("mode");
    broken["gateway"]["port"] = json!("not a number");
    stage.env.write(
        ".openclaw/openclaw.json",
        serde_json::to_string_pretty(&broken).unwrap(),
    );
    stage.kill(Signal::KILL);
    stage.heal_until_well();
    stage.wait_ready();
    assert_eq!(
        stage.attempts(),
        ["doctor start"],
        "one repair and no restart before it"
    );
    let healed = std::fs::read_to_string(stage.env.config_path()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&healed).unwrap(), good, "{healed}");
}
