//! Claude Code: the one agent with a fence of exact rules, hooks that prove what happens, and a meter.

use super::{Places, Preset, refusal};
use crate::account::{Account, End, Ended, call};
use crate::fence::{Fence, TOOLS};
use oc_core::config::Driver;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use serde_json::{Value, json};
use std::path::Path;

pub(super) const PRESET: Preset = Preset {
    name: "claude",
    program: "claude",
    args: &[],
    model: &["--model", "{model}"],
    environment: &[
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_MAX_RETRIES",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_VERTEX",
        "AWS_PROFILE",
        "AWS_REGION",
        "ANTHROPIC_VERTEX_PROJECT_ID",
        "CLOUD_ML_REGION",
    ],
    fixed: |_| {
        let on = |name: &str| (name.to_owned(), "1".to_owned());
        vec![
            // A person's instructions to Claude Code are not meant for this.
            on("CLAUDE_CODE_DISABLE_CLAUDE_MDS"),
            on("CLAUDE_CODE_DISABLE_AUTO_MEMORY"),
            on("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"),
            on("CLAUDE_CODE_DISABLE_TERMINAL_TITLE"),
            on("DISABLE_AUTOUPDATER"),
            // With its ten tries a refused key is told after three minutes.
            ("CLAUDE_CODE_MAX_RETRIES".to_owned(), "3".to_owned()),
        ]
    },
    read: Some(read),
    by_stdin: false,
};

/// The arguments that make the fence.
pub(super) fn fenced(driver: Driver, places: &Places<'_>) -> Vec<String> {
    let settings = places.scratch.join("settings.json").display().to_string();
    let mut args: Vec<String> = [
        "--permission-mode",
        "dontAsk",
        "--settings",
        &settings,
        // Not the person's settings, not a project's: neither their rights nor their hooks.
        "--setting-sources",
        "",
        "--strict-mcp-config",
        "--tools",
        TOOLS,
    ]
    .map(str::to_owned)
    .to_vec();
    if driver == Driver::Headless {
        let (turns, usd) = (places.turns.to_string(), format!("{:.2}", places.usd));
        args.extend(
            [
                "-p",
                "--output-format",
                "stream-json",
                "--verbose",
                "--no-session-persistence",
                "--max-turns",
                &turns,
                "--max-budget-usd",
                &usd,
            ]
            .map(str::to_owned),
        );
    }
    args
}

/// Settings with our hooks, and with a key a configuration directory of its own in which every question of a first start is
/// answered. Without a key the person's own login is used where it is.
pub(super) fn furnish(fence: &Fence, places: &Places<'_>, key: Option<&str>) -> Result<Vec<(String, String)>> {
    let scratch = places.scratch;
    let me = std::env::current_exe().map_err(|e| Fault::internal(format_args!("who am I? {e}")))?;
    let settings = fence.settings(|event| {
        format!(
            "{} hook {event} --dir {}",
            crate::drivers::quoted(&me.display().to_string()),
            crate::drivers::quoted(&scratch.display().to_string())
        )
    });
    put(&scratch.join("settings.json"), &settings)?;
    fsx::private_dir(&scratch.join("hooks"))?;
    let Some(key) = key else {
        return Ok(vec![("CLAUDE_CODE_SANDBOXED".to_owned(), "1".to_owned())]);
    };
    let dir = scratch.join("claude");
    fsx::private_dir(&dir)?;
    let tail: String = key.chars().skip(key.chars().count().saturating_sub(20)).collect();
    let cwd = scratch.join("cwd").display().to_string();
    put(
        &dir.join(".claude.json"),
        &json!({"hasCompletedOnboarding": true, "customApiKeyResponses": {"approved": [tail], "rejected": []},
            "projects": {cwd: {"hasTrustDialogAccepted": true}}}),
    )?;
    Ok(vec![("CLAUDE_CONFIG_DIR".to_owned(), dir.display().to_string())])
}

fn put(path: &Path, value: &Value) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(value).map_err(Fault::internal)?;
    fsx::replace_quick(path, &bytes)
}

/// A line of `--output-format stream-json`, or of the transcript that an interactive session writes: their messages have
/// one shape.
fn read(line: &Value, account: &mut Account) {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "assistant" => assistant(line, account),
        "user" => results(line, account),
        "result" => result(line, account),
        _ => {}
    }
}

fn assistant(line: &Value, account: &mut Account) {
    let message = &line["message"];
    let id = message["id"].as_str().unwrap_or_default();
    let model = message["model"].as_str().unwrap_or_default();
    // Its own words about a failure of the API, in the form of an answer.
    let synthetic = model == "<synthetic>" || line["isApiErrorMessage"] == Value::Bool(true);
    if !synthetic {
        account.answer(id);
        account.usage(id, model, &message["usage"]);
    }
    for part in message["content"].as_array().into_iter().flatten() {
        match part["type"].as_str().unwrap_or_default() {
            "text" => account.say("agent", part["text"].as_str().unwrap_or_default()),
            "tool_use" => {
                let name = part["name"].as_str().unwrap_or_default();
                account.say("calls", &call(name, &part["input"]));
            }
            _ => {}
        }
    }
}

fn results(line: &Value, account: &mut Account) {
    for part in line["message"]["content"].as_array().into_iter().flatten() {
        if part["type"] != "tool_result" {
            continue;
        }
        let content = &part["content"];
        let text = content.as_str().map_or_else(|| content.to_string(), str::to_owned);
        let short: String = text.chars().take(2000).collect();
        account.say(
            if part["is_error"] == Value::Bool(true) {
                "error"
            } else {
                "result"
            },
            &short,
        );
    }
}

/// The exit code knows 0 and 1 only, and `subtype` says `success` when the API refused: neither is asked.
fn result(line: &Value, account: &mut Account) {
    account.reported = line["total_cost_usd"].as_f64();
    // A refusal of the service counts as a turn there.
    if let Some(turns) = line["num_turns"].as_u64().filter(|_| account.answered) {
        account.turns = account.turns.max(u32::try_from(turns).unwrap_or(u32::MAX));
    }
    for denial in line["permission_denials"].as_array().into_iter().flatten() {
        let name = denial["tool_name"].as_str().unwrap_or_default();
        account.deny(call(name, &denial["tool_input"]));
    }
    let errors = line["errors"].as_array().into_iter().flatten();
    let said = line["result"]
        .as_str()
        .or(errors.filter_map(Value::as_str).next())
        .unwrap_or_default();
    account.ended = Some(match line["terminal_reason"].as_str().unwrap_or_default() {
        "completed" if line["is_error"] != Value::Bool(true) => Ended::new(End::Done, said),
        "max_turns" => Ended::new(End::Turns, said),
        "budget_exhausted" => Ended::new(End::Budget, said),
        _ => refusal(line["api_error_status"].as_u64(), said),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[Value]) -> Account {
        let mut account = Account::default();
        lines.iter().for_each(|line| read(line, &mut account));
        account
    }

    #[test]
    fn success_that_is_none_is_a_refusal() {
        let account = after(&[
            json!({"type": "assistant", "isApiErrorMessage": true, "message": {"id": "x", "model": "<synthetic>",
                "content": [{"type": "text", "text": "Invalid API key"}]}}),
            json!({"type": "result", "subtype": "success", "is_error": true, "terminal_reason": "api_error",
                "api_error_status": 401, "result": "Invalid API key · Fix external API key"}),
        ]);
        assert_eq!(account.ended.unwrap().end, End::Login);
        assert!(!account.answered && account.turns == 0);
    }

    #[test]
    fn the_result_line_ends_it_with_its_own_sum_and_what_was_denied() {
        let account = after(&[
            json!({"type": "assistant", "message": {"id": "m", "model": "claude-sonnet-5",
                "usage": {"input_tokens": 100, "output_tokens": 10},
                "content": [{"type": "tool_use", "name": "Bash", "input": {"command": "rm -rf /"}}]}}),
            json!({"type": "result", "subtype": "success", "is_error": false, "terminal_reason": "completed", "num_turns": 3,
                "result": "recovery completed, HTTP 200", "total_cost_usd": 0.08,
                "permission_denials": [{"tool_name": "Bash", "tool_input": {"command": "rm -rf /"}}]}),
        ]);
        assert_eq!(account.ended.as_ref().unwrap().end, End::Done);
        assert_eq!((account.turns, account.usd(), account.denied.len()), (3, 0.08, 1));
        assert!(account.said[0].contains("rm -rf"));
    }

    #[test]
    fn the_bounds_it_holds_itself_are_told() {
        for (reason, end) in [("max_turns", End::Turns), ("budget_exhausted", End::Budget)] {
            let line = json!({"type": "result", "is_error": true, "terminal_reason": reason, "errors": ["Reached"]});
            assert_eq!(after(&[line]).ended.unwrap(), Ended::new(end, "Reached"));
        }
    }
}
