//! OpenAI's codex, without a terminal of its own: its sandbox lets it write below the incident directory only, without network.

use super::{Preset, refusal};
use crate::account::{Account, End, Ended, call};
use serde_json::Value;

pub(super) const PRESET: Preset = Preset {
    name: "codex",
    program: "codex",
    args: &[
        "exec",
        "--json",
        "--skip-git-repo-check",
        "--sandbox",
        "workspace-write",
        "--cd",
        "{dir}",
        "-c",
        "sandbox_workspace_write.exclude_slash_tmp=true",
        "-c",
        "sandbox_workspace_write.exclude_tmpdir_env_var=true",
        "{prompt}",
    ],
    model: &["--model", "{model}"],
    environment: &["OPENAI_API_KEY", "OPENAI_BASE_URL", "CODEX_API_KEY", "CODEX_HOME"],
    fixed: |_| Vec::new(),
    read: Some(read),
    by_stdin: false,
};

fn read(line: &Value, account: &mut Account) {
    let message = |value: &Value| value["message"].as_str().unwrap_or_default().to_owned();
    match line["type"].as_str().unwrap_or_default() {
        // Told while it still tries again; what it gives up on is a failed turn.
        "error" => account.say("error", &message(line)),
        "item.completed" if line["item"]["type"] == "error" => account.say("error", &message(&line["item"])),
        "item.completed" => {
            let item = &line["item"];
            account.answer(item["id"].as_str().unwrap_or_default());
            match item["type"].as_str().unwrap_or_default() {
                "agent_message" => account.say("agent", item["text"].as_str().unwrap_or_default()),
                "command_execution" => account.say("calls", &call("command", item)),
                other => account.say("agent", &format!("[{other}]")),
            }
        }
        "turn.completed" => {
            account.usage("turn", "codex", &line["usage"]);
            account.ended = Some(Ended::new(End::Done, ""));
        }
        "turn.failed" => account.ended = Some(refusal(None, &message(&line["error"]))),
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
            json!({"type": "thread.started", "thread_id": "t"}),
            json!({"type": "item.completed", "item": {"id": "i0", "type": "agent_message", "text": "I look."}}),
            json!({"type": "turn.completed", "usage": {"input_tokens": 10, "cached_input_tokens": 5, "output_tokens": 2}}),
        ] {
            read(&line, &mut account);
        }
        assert_eq!((account.turns, account.ended.unwrap().end), (1, End::Done));
        let mut account = Account::default();
        read(
            &json!({"type": "turn.failed", "error": {"message": "401 Unauthorized"}}),
            &mut account,
        );
        assert_eq!(account.ended.unwrap().end, End::Login);
    }
}
