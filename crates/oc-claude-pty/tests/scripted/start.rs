//! What Claude Code may ask before it starts.

use crate::stage::{Stage, mend, side_by_side};
use serde_json::json;

#[test]
fn harmless_dialogs_are_passed() {
    let stage = Stage::new(&json!({"dialogs": ["theme", "api_key", "security", "trust", "mcp"], "acts": mend()}));
    let answer = stage.run("tmux").expect_code(0).json();
    assert!(answer["plan"].is_string(), "{answer}");
    let passed: Vec<_> = stage
        .record("claude", "passed")
        .iter()
        .map(|e| e["dialog"].clone())
        .collect();
    assert_eq!(json!(passed), json!(["theme", "api_key", "security", "trust", "mcp"]));
}

/// None of them may be answered for a person. Its name is told, and nothing stays behind.
#[test]
fn other_dialogs_end_the_session_and_are_named() {
    side_by_side(
        &[
            ("login", "login"),
            ("bypass", "bypass"),
            ("config_error", "config"),
            ("settings_error", "settings"),
            ("unknown", "Something that no version"),
        ],
        |(dialog, told)| {
            let stage = Stage::new(&json!({"dialogs": [dialog], "acts": mend()}));
            stage.configure(&json!({"first_answer": "3s"}));
            let out = stage.run("tmux").expect_code(2);
            let all = (out.stdout.clone() + &out.stderr).to_lowercase();
            assert!(all.contains(&told.to_lowercase()), "{dialog}: {all}");
            assert!(stage.record("claude", "passed").is_empty());
            stage.expect_nobody_left();
        },
    );
}
