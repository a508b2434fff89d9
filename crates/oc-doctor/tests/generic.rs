//! A service that is not OpenClaw: strict JSON, its own schema, its own doctor.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::{Output, TestEnv};
use serde_json::{Value, json};

const GOOD: &str =
    "{\n  \"listen\": 8080,\n  \"name\": \"wiki\",\n  \"store\": {\n    \"path\": \"/srv/wiki\"\n  }\n}\n";

struct Wiki {
    env: TestEnv,
}

impl Wiki {
    fn new(doctor: &str) -> Self {
        let env = TestEnv::new();
        let schema = json!({"type": "object", "additionalProperties": false, "required": ["listen"], "properties": {
            "listen": {"type": "integer"}, "name": {"type": "string"}, "store": {"type": "object"}}});
        env.write("wiki.schema.json", schema.to_string());
        env.stub("wiki-doctor", doctor);
        let wiki = Self { env };
        wiki.env.oc_config(&json!({
            "service": {"kind": "generic", "config_file": wiki.env.path("wiki.json"), "config_type": "json",
                "config_schema": wiki.env.path("wiki.schema.json"), "required_keys": ["listen"], "doctor_command": ["wiki-doctor"]},
            "probe": {"url": format!("http://127.0.0.1:{}", oc_testkit::free_port())}}));
        wiki.write(GOOD);
        wiki.run(&["snapshot"]);
        wiki
    }

    fn write(&self, text: &str) {
        self.env.write("wiki.json", text);
    }

    fn read(&self) -> String {
        std::fs::read_to_string(self.env.path("wiki.json")).unwrap()
    }

    fn run(&self, args: &[&str]) -> Output {
        self.env.cmd("oc-doctor").args(args).run()
    }
}

#[test]
fn every_repair_leaves_strict_json() {
    let wiki = Wiki::new("exit 1");
    for (damage, remedy) in [
        (GOOD.replace("  \"listen\": 8080,\n", ""), "required_key"),
        (GOOD.replace("\"wiki\",", "\"wiki\",\n  \"bogus\": 1,"), "drop_key"),
        (GOOD.replace("\n  }\n}", "\n  },\n  \"bogus\": {}\n}"), "drop_key"),
        (GOOD.replace("8080", "\"8080\""), "take_value"),
        (GOOD.replace("8080,", "8080"), "commas"),
        (format!("{GOOD}}}garbage"), "cut_garbage"),
        (String::new(), "restore"),
        // JSON5 is no JSON.
        (GOOD.replace("  \"name\"", "  // a comment\n  name"), "restore"),
    ] {
        wiki.write(&damage);
        let output = wiki.run(&["fix", "--json"]).expect_code(0);
        let body = output.json();
        let findings = body["findings"].as_array().unwrap();
        assert!(findings.iter().any(|f| f["remedy"] == remedy), "{damage}: {body:#}");
        let expected: Value = serde_json::from_str(GOOD).unwrap();
        let text = wiki.read();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{damage}: {e}: {text}"));
        assert_eq!(value, expected, "{damage}");
        wiki.run(&["commit"]).expect_code(0);
    }
}

#[test]
fn what_nothing_of_ours_mends_goes_to_its_own_doctor() {
    let wiki = Wiki::new(&format!(
        "printf '%s' '{}' >wiki.tmp; cp wiki.tmp $HOME/wiki.json",
        GOOD.replace('\n', "")
    ));
    let off = json!({"disabled_remedies": ["restore", "close_cut"]});
    let mut settings: Value = wiki.env.read_json(".openclaw/watchdog/config.json");
    settings["doctor"] = off;
    wiki.env.oc_config(&settings);
    wiki.write("{\"listen\": ");
    let body = wiki.run(&["fix", "--json"]).expect_code(0).json();
    assert!(body["actions"].to_string().contains("wiki-doctor"), "{body:#}");
    assert!(serde_json::from_str::<Value>(&wiki.read()).is_ok());
    wiki.run(&["undo"]).expect_code(0);
    assert_eq!(wiki.read(), "{\"listen\": ");
}

#[test]
fn a_schema_of_its_own_that_cannot_be_read_keeps_nothing_from_being_repaired() {
    let wiki = Wiki::new("exit 1");
    wiki.env.write("wiki.schema.json", "{ no");
    wiki.write(&GOOD.replace("  \"listen\": 8080,\n", ""));
    let output = wiki.run(&["fix"]).expect_code(0);
    assert!(output.stderr.contains("config_schema"), "{}", output.stderr);
}
