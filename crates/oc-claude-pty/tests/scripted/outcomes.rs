//! What the agent did, and what is made of it.

use crate::stage::{Stage, acts, mend, side_by_side, with_each_driver};
use serde_json::{Value, json};

#[test]
fn an_edited_copy_is_a_plan_that_doctor_applies_and_nothing_else_was_touched() {
    with_each_driver(|driver| {
        let stage = Stage::new(&acts(&mend()));
        let before = stage.config();
        let out = stage.run(driver).expect_code(0);
        let answer = out.json();
        assert_eq!(stage.config(), before, "the agent changes nothing itself");
        assert_eq!(
            (answer["agent"].as_str(), answer["driver"].as_str()),
            (Some("claude"), Some(driver))
        );
        let plan = answer["plan"].as_str().unwrap();
        stage.env.cmd("oc-doctor").args(["apply", plan]).run().expect_code(0);
        let mended = String::from_utf8(stage.config()).unwrap();
        assert!(
            mended.contains("\"local\",\n") && mended.contains("// kept by hand"),
            "{mended}"
        );
        assert!(mended.contains(crate::stage::TOKEN), "the secrets are back");
        let report = std::fs::read_to_string(answer["report"].as_str().unwrap()).unwrap();
        assert!(report.contains("The comma after local was missing"), "{report}");
        stage.expect_nobody_left();
    });
}

#[test]
fn a_claim_of_success_is_no_plan() {
    with_each_driver(|driver| {
        let stage = Stage::new(&acts(
            &json!([{"say": "recovery completed, gateway restored, HTTP 200"}]),
        ));
        let out = stage.run(driver).expect_code(1);
        assert!(
            out.json()["plan"].is_null() || out.json()["steps"] == json!([]),
            "{}",
            out.stdout
        );
        stage.expect_nobody_left();
    });
}

/// Each is refused as a whole, whatever else it says; the configuration stays byte for byte.
#[test]
fn a_plan_that_is_none_or_names_a_strangers_pid_is_no_plan() {
    let plan = |text: &str| json!([{"write": {"path": "{{dir}}/plan.json", "text": text}}, {"say": "Apply it."}]);
    let texts = [
        "kill the gateway, then restart it",
        r#"{"steps": [{"verb": "end_stale_gateway", "pid": 1}]}"#,
        r#"{"steps": [{"verb": "run", "command": "rm -rf /"}]}"#,
        r#"{"steps": [{"verb": "restart"}], "sudo": true}"#,
        "[[[[[[[[",
    ];
    side_by_side(&texts, |text| {
        let stage = Stage::new(&acts(&plan(text)));
        let before = stage.config();
        let out = stage.run("headless").expect_code(1);
        let told = out.json()["human_steps"].to_string() + &out.stderr;
        assert!(
            told.contains("plan.json"),
            "{text}: a person is told what was wrong: {told}"
        );
        assert_eq!(stage.config(), before);
    });
}

#[test]
fn steps_for_a_person_reach_the_person_and_are_not_done() {
    let steps = json!({"steps": [{"verb": "human_step", "command": "openclaw login", "why": "the token expired"}]});
    let stage = Stage::new(&acts(
        &json!([{"write": {"path": "{{dir}}/plan.json", "text": steps.to_string()}}]),
    ));
    let answer = stage.run("headless").expect_code(1).json();
    assert!(answer["human_steps"].to_string().contains("openclaw login"), "{answer}");
}

/// The gateway would serve again, open to everybody. That is a person's decision, with the one command that makes it.
#[test]
fn opening_the_bind_address_or_weakening_auth_waits_for_a_person() {
    for (from, to) in [("loopback", "lan"), ("\"mode\": \"token\"", "\"mode\": \"none\"")] {
        let mut work = mend();
        let open = json!({"replace": {"path": "{{dir}}/work/openclaw.json", "from": from, "to": to}});
        work.as_array_mut().unwrap().push(open);
        let stage = Stage::new(&acts(&work));
        let before = stage.config();
        let answer = stage.run("headless").expect_code(1).json();
        let steps = answer["human_steps"].to_string();
        assert!(
            steps.contains("oc-doctor apply") && steps.contains("--approve"),
            "{answer}"
        );
        assert_eq!(stage.config(), before);
    }
}

#[test]
fn a_denied_call_is_named_in_the_answer() {
    with_each_driver(|driver| {
        let mut work = json!([
            {"call": {"name": "Bash", "input": {"command": "openclaw gateway restart"}}},
            {"call": {"name": "Write", "input": {"file_path": "{{dir}}/../../../openclaw.json", "content": "{}"}}},
        ]);
        work.as_array_mut().unwrap().extend(mend().as_array().unwrap().clone());
        let stage = Stage::new(&acts(&work));
        let before = stage.config();
        let answer = stage.run(driver).expect_code(0).json();
        let denied = answer["denied"].to_string();
        assert!(
            denied.contains("openclaw gateway restart") && denied.contains("../openclaw.json"),
            "{denied}"
        );
        assert_eq!(stage.config(), before);
        let calls = stage.record("claude", "call");
        let refused: Vec<_> = calls.iter().map(|call| !call["denied"].is_null()).collect();
        assert_eq!(refused, [true, true, false, false], "{calls:?}");
    });
}

/// In tmux it would wait for ever, and look idle like one that is done.
#[test]
fn a_question_to_the_user_is_answered_by_no() {
    let mut work = json!([{"ask": "Shall I restart it?"}]);
    work.as_array_mut().unwrap().extend(mend().as_array().unwrap().clone());
    with_each_driver(|driver| {
        let stage = Stage::new(&acts(&work));
        stage.run(driver).expect_code(0);
    });
}

#[test]
fn without_consent_nothing_is_started_and_the_setting_is_named() {
    let stage = Stage::new(&acts(&mend()));
    stage.configure(&json!({"enabled": false}));
    let out = stage.run("tmux").expect_code(2);
    assert!(
        out.stderr.contains("agent.enabled") || out.stdout.contains("agent.enabled"),
        "{out:?}"
    );
    assert_eq!(stage.starts("claude"), 0);
}

#[test]
fn a_dry_run_starts_and_writes_nothing_and_shows_the_rights() {
    let stage = Stage::new(&acts(&mend()));
    let out = stage.session("tmux").arg("--dry-run").run();
    assert_eq!(stage.starts("claude"), 0);
    let dir = std::fs::read_dir(stage.incident()).unwrap().count();
    assert_eq!(dir, 0, "nothing was written");
    assert!(out.stdout.contains("claude"), "{}", out.stdout);
    let text: Value = out.json();
    assert_eq!(text["exit"].as_i64(), Some(i64::from(out.code)));
}
