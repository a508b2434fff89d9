//! `hook EVENT`: what Claude Code calls. Events become files, calls are judged by the fence.

use crate::attempt::described;
use crate::fence::Fence;
use oc_core::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::run::Answer;
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

const CAP: u64 = 4 << 20;

/// Takes one event on stdin.
///
/// # Errors
/// 74 or 77; Claude Code's own permissions hold all the same.
pub(super) fn run(event: &str, dir: &Path) -> Result<Answer> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(CAP)
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::io("read", Path::new("stdin"), e))?;
    let input: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let said = match event {
        "PreToolUse" => judged(dir, &input),
        "PermissionRequest" => {
            note(dir, &input);
            Some(json!({"hookEventName": event,
                "decision": {"behavior": "deny", "message": "not on the list, and nobody is there to ask"}}))
        }
        _ if crate::fence::EVENTS.contains(&event) => {
            fsx::replace_quick(&place(dir, event), &bytes)?;
            None
        }
        _ => return Err(Fault::usage(format_args!("no event is called {event:?}"))),
    };
    let text = said.map_or_else(String::new, |said| format!("{}\n", json!({"hookSpecificOutput": said})));
    Ok(Answer::new("oc.hook/1", Exit::Good, "heard", &json!({}))?.text(text))
}

/// When the list itself cannot be read, nothing is on it.
fn judged(dir: &Path, input: &Value) -> Option<Value> {
    let tool = input["tool_name"].as_str().unwrap_or_default();
    let objection = match Fence::load(dir) {
        Ok(fence) => fence.objection(tool, &input["tool_input"]),
        Err(fault) => Some(fault.what),
    }?;
    note(dir, input);
    Some(json!({"hookEventName": "PreToolUse", "permissionDecision": "deny", "permissionDecisionReason": objection}))
}

/// Writes a denied call down for the report.
fn note(dir: &Path, input: &Value) {
    let line = format!("{}\n", Value::String(described(input)));
    let written = fsx::open_append(&dir.join("denied")).and_then(|mut file| {
        file.write_all(line.as_bytes())
            .map_err(|e| Fault::io("append to", dir, e))
    });
    if let Err(fault) = written {
        oc_core::out::talk(fault);
    }
}

/// The calls that were denied.
pub(crate) fn denied(scratch: &Path) -> Vec<String> {
    let bytes = fsx::read_capped(&scratch.join("denied"), CAP)
        .ok()
        .flatten()
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// What an event said, once it happened.
pub(crate) fn sentinel(scratch: &Path, event: &str) -> Option<Value> {
    let bytes = fsx::read_capped(&place(scratch, event), CAP).ok()??;
    Some(serde_json::from_slice(&bytes).unwrap_or_default())
}

fn place(scratch: &Path, event: &str) -> PathBuf {
    scratch.join("hooks").join(event)
}
