//! Google's gemini, without a terminal of its own: edits are approved, everything else that would ask is denied.

use super::{Preset, refusal};
use crate::account::{Account, End, Ended, call};
use serde_json::Value;

pub(super) const PRESET: Preset = Preset {
    name: "gemini",
    program: "gemini",
    args: &[
        "--output-format",
        "stream-json",
        "--approval-mode",
        "auto_edit",
        "--skip-trust",
        "--prompt",
        "{prompt}",
    ],
    model: &["--model", "{model}"],
    environment: &[
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
    ],
    fixed: |_| Vec::new(),
    read: Some(read),
    by_stdin: false,
};

fn read(line: &Value, account: &mut Account) {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    match text("type") {
        "message" if text("role") == "assistant" => {
            account.answer("");
            account.say("agent", text("content"));
        }
        "tool_use" => {
            account.answer("");
            account.say("calls", &call(text("tool_name"), &line["parameters"]));
        }
        "tool_result" => account.say("result", text("output")),
        "error" if text("severity") != "warning" => account.ended = Some(refusal(None, text("message"))),
        "result" => {
            account.usage("result", "gemini", &line["stats"]);
            account.ended = Some(match line["error"]["message"].as_str() {
                Some(error) => refusal(None, error),
                None => Ended::new(End::Done, ""),
            });
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn its_events_are_understood() {
        let mut account = Account::default();
        for line in [
            json!({"type": "init", "session_id": "s", "model": "m"}),
            json!({"type": "message", "role": "assistant", "content": "I look.", "delta": true}),
            json!({"type": "tool_use", "tool_name": "replace", "tool_id": "1", "parameters": {"file_path": "/i/plan.json"}}),
            json!({"type": "result", "status": "success", "stats": {"input_tokens": 10, "output_tokens": 2}}),
        ] {
            read(&line, &mut account);
        }
        assert_eq!(account.ended.as_ref().unwrap().end, End::Done);
        assert!(account.answered && account.usd() > 0.0);
        let mut account = Account::default();
        let line = json!({"type": "result", "status": "error", "error": {"message": "Quota exceeded"}});
        read(&line, &mut account);
        assert_eq!(account.ended.unwrap().end, End::Quota);
    }
}
