//! opencode, without a terminal of its own. Its configuration comes by environment: deny by default, the last rule that fits
//! counts.

use super::{Preset, refusal};
use crate::account::{Account, call};
use crate::fence::Fence;
use serde_json::{Value, json};

pub(super) const PRESET: Preset = Preset {
    name: "opencode",
    program: "opencode",
    args: &["run", "--format", "json", "{prompt}"],
    model: &["--model", "{model}"],
    environment: &[
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "GEMINI_API_KEY",
        "OPENROUTER_API_KEY",
    ],
    fixed: |fence| {
        vec![
            ("OPENCODE_CONFIG_CONTENT".to_owned(), permissions(fence).to_string()),
            ("OPENCODE_DISABLE_AUTOUPDATE".to_owned(), "1".to_owned()),
        ]
    },
    read: Some(read),
    by_stdin: false,
};

fn permissions(fence: &Fence) -> Value {
    let mut bash = serde_json::Map::new();
    bash.insert("*".to_owned(), json!("deny"));
    for command in &fence.commands {
        bash.insert(command.clone(), json!("allow"));
    }
    json!({"permission": {"*": "deny", "read": "allow", "grep": "allow", "glob": "allow", "list": "allow", "edit": "allow",
        "bash": bash, "webfetch": "deny", "websearch": "deny", "task": "deny", "external_directory": "deny"},
        "share": "disabled", "autoupdate": false})
}

fn read(line: &Value, account: &mut Account) {
    let part = &line["part"];
    match line["type"].as_str().unwrap_or_default() {
        "text" => {
            account.answer(part["messageID"].as_str().unwrap_or_default());
            account.say("agent", part["text"].as_str().unwrap_or_default());
        }
        "tool_use" => {
            account.answer(part["messageID"].as_str().unwrap_or_default());
            let name = part["tool"].as_str().unwrap_or_default();
            let (state, made) = (&part["state"], call(name, &part["state"]["input"]));
            account.say("calls", &made);
            let refused = |error: &str| error.contains("a rule which prevents you");
            if state["error"].as_str().is_some_and(refused) {
                account.deny(made);
            }
        }
        "step_finish" => {
            if let Some(usd) = part["cost"].as_f64() {
                account.reported = Some(account.reported.unwrap_or(0.0) + usd);
            }
        }
        "error" => {
            let error = &line["error"];
            let text = error["data"]["message"]
                .as_str()
                .or(error["name"].as_str())
                .unwrap_or_default();
            account.ended = Some(refusal(error["data"]["statusCode"].as_u64(), text));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::End;

    #[test]
    fn its_events_are_understood() {
        let mut account = Account::default();
        for line in [
            json!({"type": "text", "part": {"messageID": "m", "text": "I look."}}),
            json!({"type": "step_finish", "part": {"cost": 0.02}}),
            json!({"type": "step_finish", "part": {"cost": 0.03}}),
        ] {
            read(&line, &mut account);
        }
        assert!((account.usd() - 0.05).abs() < 1e-9 && account.turns == 1);
        let error =
            json!({"type": "error", "error": {"name": "APIError", "data": {"message": "no", "statusCode": 429}}});
        read(&error, &mut account);
        assert_eq!(account.ended.unwrap().end, End::RateLimit);
    }

    #[test]
    fn everything_is_denied_but_the_list() {
        let fence = Fence::new(std::path::Path::new("/i"), &[]);
        let permissions = permissions(&fence);
        assert_eq!(permissions["permission"]["bash"]["*"], "deny");
        assert_eq!(permissions["permission"]["bash"]["oc-probe"], "allow");
        assert_eq!(permissions["permission"]["external_directory"], "deny");
    }
}
