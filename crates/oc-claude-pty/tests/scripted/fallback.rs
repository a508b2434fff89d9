//! When an agent cannot work, the next one is asked; when none can, a person is told why.

use crate::stage::{Stage, acts, mend, side_by_side, with_each_driver};
use serde_json::{Value, json};

fn failing(error: &str, status: Option<u16>, text: &str) -> Value {
    acts(&json!([{"fail": {"error": error, "status": status, "text": text}}]))
}

/// As the real one fails: see oc-testkit/tests/agent.rs.
fn failures() -> Vec<(&'static str, Value)> {
    vec![
        (
            "login",
            failing(
                "authentication_failed",
                Some(401),
                "Invalid API key · Fix external API key",
            ),
        ),
        (
            "login",
            failing(
                "authentication_failed",
                Some(403),
                "Failed to authenticate. API Error: 403 Request not allowed",
            ),
        ),
        (
            "model",
            failing(
                "model_not_found",
                Some(404),
                "There's an issue with the selected model (x).",
            ),
        ),
        (
            "rate_limit",
            failing(
                "rate_limit",
                Some(429),
                "API Error: Request rejected (429) · too many requests",
            ),
        ),
        (
            "quota",
            failing(
                "rate_limit",
                Some(429),
                "API Error: Request rejected (429) · usage limit",
            ),
        ),
        (
            "quota",
            failing("billing_error", Some(400), "Credit balance is too low"),
        ),
        (
            "overloaded",
            failing("server_error", Some(529), "API Error: 529 Overloaded."),
        ),
        (
            "overloaded",
            failing("server_error", Some(500), "API Error: 500 Internal server error."),
        ),
        (
            "network",
            failing(
                "server_error",
                None,
                "API Error: Connection refused — a firewall or proxy may be blocking it (ECONNREFUSED)",
            ),
        ),
    ]
}

#[test]
fn every_failure_of_the_api_is_named_and_the_next_agent_is_asked() {
    with_each_driver(|driver| {
        side_by_side(&failures(), |(end, script)| {
            let stage = Stage::new(script);
            let mut mends = acts(&mend());
            mends["acts"].as_array_mut().unwrap().push(json!({"say": "done"}));
            stage.agent("second", &mends);
            stage.configure(&json!({"agents": ["claude", "second"], "commands": {"second": second(&stage)}}));
            let answer = stage.run(driver).expect_code(0).json();
            assert_eq!(answer["agent"], "second", "{end} {answer}");
            assert_eq!(answer["attempts"][0]["outcome"], *end, "{answer}");
            stage.expect_nobody_left();
        });
    });
}

fn second(stage: &Stage) -> Value {
    json!([
        stage.env.path("bin/second"),
        "-p",
        "--output-format",
        "stream-json",
        "--",
        "{prompt}"
    ])
}

#[test]
fn when_no_agent_can_work_the_answer_is_2_and_says_why_each_could_not() {
    let stage = Stage::new(&failing("billing_error", Some(400), "Credit balance is too low"));
    stage.configure(&json!({"agents": ["claude", "codex"]}));
    let out = stage.run("headless").expect_code(2);
    let told = out.stdout.clone() + &out.stderr;
    assert!(told.contains("Credit balance is too low"), "{told}");
    assert!(told.contains("codex"), "a missing program is named: {told}");
}

#[test]
fn one_that_dies_at_once_or_never_answers_gives_way() {
    let dies = json!({"dies": "segfault"});
    let mute = acts(&json!(["hang"]));
    let swallows = json!({"swallows": true});
    let cases = [
        ("tmux", dies.clone()),
        ("headless", dies),
        ("tmux", mute.clone()),
        ("headless", mute),
        ("tmux", swallows),
    ];
    side_by_side(&cases, |(driver, script)| {
        let stage = Stage::new(script);
        stage.agent("second", &acts(&mend()));
        let agents =
            json!({"agents": ["claude", "second"], "commands": {"second": second(&stage)}, "first_answer": "2s"});
        stage.configure(&agents);
        let out = stage.run(driver).expect_code(0);
        assert_eq!(out.json()["agent"], "second", "{driver} {script} {}", out.stdout);
        stage.expect_nobody_left();
    });
}
