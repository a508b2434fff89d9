//! Every answer of the real binary fits schemas/escalate.schema.json.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

use oc_testkit::TestEnv;
use serde_json::Value;

#[test]
fn every_answer_fits_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/escalate.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let env = TestEnv::new();
    // Nothing serves here, so that there is an incident to decide and to settle.
    let probe = env.cmd("oc-probe").args(["--json", "--tries", "1"]).run();
    let probe = env.write("probe.json", probe.stdout).display().to_string();
    let trace = env.write("trace", r#"{"class": "hung", "pid": 100, "repeat": 3}"#);
    let trace = trace.display().to_string();
    let asked = [
        ("decision", vec!["decide", "--probe", &probe]),
        ("settlement", vec!["settle", "--probe", &probe]),
        ("escalation", vec!["status"]),
        (
            "maintenance",
            vec!["maintenance", "on", "--for", "1h", "--reason", "schema"],
        ),
        ("escalation", vec!["status"]),
        ("maintenance", vec!["maintenance", "off"]),
        ("simulation", vec!["simulate", "--trace", &trace]),
        ("reset", vec!["reset", "--dry-run"]),
        ("reset", vec!["reset"]),
        ("run", vec!["run", "--dry-run", "--", "true"]),
    ];
    for (name, args) in asked {
        let answer = env.cmd("oc-escalate").arg("--json").args(&args).run();
        let json = answer.json();
        assert_eq!(json["schema"], format!("oc.{name}/1"), "{args:?}");
        let errors: Vec<String> = validator.iter_errors(&json).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{args:?}: {errors:?}\n{json}");
        assert_eq!(json["exit"], answer.code, "{args:?}");
        // The schema is no mere formality: an answer without its reason for being is refused.
        let mut less = json.clone();
        less.as_object_mut().unwrap().remove("exit");
        assert!(!validator.is_valid(&less), "{args:?}");
    }
}
