//! The stand-in for Claude Code says and runs what the real one does, as far as whoever drives it can see. The real one is
//! asked by `make e2e`, against the stand-in for the Messages API.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::TestEnv;
use oc_testkit::messages_api::{MessagesApi, Script, Turn};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// What is seen of a session: the hooks in order with what matters of their input, the result, the exit code.
#[derive(Debug, PartialEq)]
struct Seen {
    hooks: Vec<Value>,
    result: Value,
    code: i32,
}

const HOOKS: [&str; 5] = ["SessionStart", "UserPromptSubmit", "PreToolUse", "Stop", "StopFailure"];

fn settings(env: &TestEnv) -> PathBuf {
    let log = env.path("hooks.jsonl");
    let mut hooks: serde_json::Map<_, _> = HOOKS
        .iter()
        .map(|event| {
            let command = format!("{{ cat; echo; }} >>'{}'", log.display());
            (
                (*event).to_owned(),
                json!([{"hooks": [{"type": "command", "command": command}]}]),
            )
        })
        .collect();
    let deny = json!({"hookSpecificOutput": {"hookEventName": "PreToolUse", "permissionDecision": "deny",
        "permissionDecisionReason": "not here"}});
    let command = format!("cat >/dev/null; printf '%s' '{deny}'");
    hooks["PreToolUse"]
        .as_array_mut()
        .unwrap()
        .push(json!({"matcher": "Bash",
        "hooks": [{"type": "command", "command": command}]}));
    env.write(
        "settings.json",
        json!({"hooks": hooks, "permissions": {"allow": ["Edit(./**)"]}}).to_string(),
    )
}

fn look(env: &TestEnv, program: &str, before: &[String]) -> Seen {
    let settings = settings(env);
    let cmd = env
        .foreign(program)
        .args(before)
        .args(["-p", "--output-format", "stream-json", "--verbose"]);
    let cmd = cmd.args(["--permission-mode", "dontAsk", "--settings"]).arg(settings);
    let out = cmd
        .args(["--", "Read /p and follow it"])
        .timeout(Duration::from_secs(60))
        .run();
    let hooks = std::fs::read_to_string(env.path("hooks.jsonl")).unwrap_or_default();
    let hooks = hooks.lines().filter(|l| !l.is_empty()).map(|line| {
        let event: Value = serde_json::from_str(line).unwrap();
        let keys = [
            "hook_event_name",
            "source",
            "prompt",
            "tool_name",
            "last_assistant_message",
            "error",
        ];
        keys.iter()
            .map(|key| event[*key].clone())
            .filter(|v| !v.is_null())
            .collect()
    });
    let result = out
        .stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let result = { result }.rfind(|event| event["type"] == "result");
    let result = result.unwrap_or_else(|| panic!("no result\n{}\n{}", out.stdout, out.stderr));
    let denied: Vec<_> = result["permission_denials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["tool_name"].clone())
        .collect();
    let keys = ["subtype", "is_error", "terminal_reason", "api_error_status", "result"];
    let kept: Vec<_> = keys.iter().map(|key| result[*key].clone()).collect();
    Seen {
        hooks: hooks.collect(),
        result: json!([kept, denied]),
        code: out.code,
    }
}

fn stand_in(script: &Value) -> Seen {
    let env = TestEnv::new();
    let file = env.write("script.json", script.to_string());
    let program = oc_testkit::bin("stand-in-agent");
    look(
        &env,
        program.to_str().unwrap(),
        &["--script".to_owned(), file.display().to_string()],
    )
}

fn real(script: Script) -> Seen {
    let claude =
        PathBuf::from(std::env::var_os("OC_REAL_CLAUDE").expect("OC_REAL_CLAUDE names Claude Code, as in `make e2e`"));
    let node = PathBuf::from(std::env::var_os("OC_REAL_OPENCLAW").expect("node lies beside OpenClaw"));
    let api = MessagesApi::new(script);
    let mut env = TestEnv::new();
    env.set("PATH", format!("{}:/usr/bin:/bin", node.parent().unwrap().display()));
    env.set("ANTHROPIC_BASE_URL", api.url());
    env.set("ANTHROPIC_API_KEY", "sk-ant-api03-of-nobody");
    env.set("CLAUDE_CODE_MAX_RETRIES", 1);
    env.set("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", 1);
    look(&env, claude.to_str().unwrap(), &[])
}

fn work() -> (Value, Script) {
    let acts = json!({"acts": [
        {"call": {"name": "Bash", "input": {"command": "echo hi"}}},
        {"call": {"name": "Write", "input": {"file_path": "new", "content": "x"}}},
        {"say": "recovery completed"},
    ]});
    let turns = [
        Turn::calls("Bash", json!({"command": "echo hi", "description": "says hi"})),
        Turn::calls("Write", json!({"file_path": "new", "content": "x"})),
        Turn::says("recovery completed"),
    ];
    (acts, Script::of(turns))
}

#[test]
fn the_stand_in_runs_the_hooks_keeps_to_a_refusal_and_ends_with_a_result() {
    let seen = stand_in(&work().0);
    let names: Vec<_> = seen.hooks.iter().map(|event| event[0].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["SessionStart", "UserPromptSubmit", "PreToolUse", "PreToolUse", "Stop"]
    );
    assert_eq!(
        seen.result,
        json!([["success", false, "completed", null, "recovery completed"], ["Bash"]])
    );
    assert_eq!(seen.code, 0);
}

#[test]
#[ignore = "needs the real Claude Code: make e2e"]
fn the_real_one_does_as_the_stand_in() {
    let (acts, script) = work();
    assert_eq!(real(script), stand_in(&acts));
    for (failure, error, status, texts) in [
        (
            "401",
            "authentication_failed",
            json!(401),
            &["Invalid API key · Fix external API key"][..],
        ),
        (
            "403",
            "authentication_failed",
            json!(403),
            &["Failed to authenticate. API Error: 403 Request not allowed"],
        ),
        (
            "\"usage_limit\"",
            "rate_limit",
            json!(429),
            &["API Error: Request rejected (429) · usage limit"],
        ),
        (
            "\"cut\"",
            "server_error",
            Value::Null,
            // Whether the half that was sent is read before the reset is the kernel's to say.
            &[
                "API Error: Connection to the API was lost (ECONNRESET). This is usually temporary — try again.",
                "API Error: Connection lost mid-response. The response above may be incomplete.",
            ],
        ),
    ] {
        let script = Script::parse(&format!(
            r#"{{"turns": [{{"text": "half of it", "fail": {failure}}}]}}"#
        ))
        .unwrap();
        let seen = real(script);
        let said = |text: &&str| {
            let acts = json!({"acts": [{"fail": {"error": error, "status": status, "text": text}}]});
            stand_in(&acts) == seen
        };
        assert!(texts.iter().any(said), "{failure}: {seen:?}");
    }
}
