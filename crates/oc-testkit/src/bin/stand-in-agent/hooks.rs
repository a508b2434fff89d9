//! The hooks of the settings, run as Claude Code runs them: `sh -c`, the event as JSON on stdin.

use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

pub(crate) struct Hooks {
    settings: Value,
    /// What every event carries.
    common: Value,
}

impl Hooks {
    /// `settings` is a file or JSON.
    pub(crate) fn new(settings: Option<&str>, session: &str, cwd: &str, transcript: &str) -> Result<Self, String> {
        let settings = match settings {
            None => Value::Null,
            Some(text) if text.trim_start().starts_with('{') => {
                serde_json::from_str(text).map_err(|e| format!("Error: Invalid JSON provided to --settings: {e}"))?
            }
            Some(file) => {
                let text =
                    std::fs::read_to_string(file).map_err(|_| format!("Error: Settings file not found: {file}"))?;
                serde_json::from_str(&text).map_err(|e| format!("Error: Invalid JSON in settings file: {e}"))?
            }
        };
        let common = json!({"session_id": session, "transcript_path": transcript, "cwd": cwd});
        Ok(Self { settings, common })
    }

    /// Runs the hooks of an event and returns what they printed. A hook that exits with 2 blocks; its stderr says why.
    pub(crate) fn run(&self, event: &str, tool: &str, with: &Value) -> Vec<Value> {
        let mut input = self.common.clone();
        input["hook_event_name"] = json!(event);
        for (key, value) in with.as_object().into_iter().flatten() {
            input[key] = value.clone();
        }
        let groups = self.settings["hooks"][event].as_array().into_iter().flatten();
        let fitting = groups.filter(|group| fits(group["matcher"].as_str(), tool));
        let hooks = fitting.flat_map(|group| group["hooks"].as_array().into_iter().flatten());
        hooks
            .filter_map(|hook| run(hook["command"].as_str()?, &input))
            .collect()
    }

    /// Why a tool may not be used, if a hook says so.
    pub(crate) fn refusal(&self, tool: &str, input: &Value) -> Option<String> {
        let with = json!({"tool_name": tool, "tool_input": input, "permission_mode": "dontAsk"});
        self.run("PreToolUse", tool, &with).iter().find_map(|said| {
            let said = &said["hookSpecificOutput"];
            let reason = || said["permissionDecisionReason"].as_str().unwrap_or("denied").to_owned();
            (said["permissionDecision"] == "deny").then(reason)
        })
    }

    /// Whether a hook answers the question that a person would be asked.
    pub(crate) fn answers(&self, tool: &str, input: &Value) -> bool {
        let with = json!({"tool_name": tool, "tool_input": input});
        let said = self.run("PermissionRequest", tool, &with);
        said.iter()
            .any(|said| !said["hookSpecificOutput"]["decision"].is_null())
    }
}

fn fits(matcher: Option<&str>, tool: &str) -> bool {
    let matcher = matcher.unwrap_or("*");
    matcher.is_empty() || matcher == "*" || matcher == ".*" || matcher.split('|').any(|name| name == tool)
}

fn run(command: &str, input: &Value) -> Option<Value> {
    let mut child = Command::new("/bin/sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    _ = child
        .stdin
        .take()
        .map(|mut pipe| pipe.write_all(input.to_string().as_bytes()));
    let output = child.wait_with_output().ok()?;
    if output.status.code() == Some(2) {
        let why = String::from_utf8_lossy(&output.stderr).into_owned();
        return Some(json!({"hookSpecificOutput": {"permissionDecision": "deny", "permissionDecisionReason": why}}));
    }
    serde_json::from_slice(&output.stdout).ok()
}
