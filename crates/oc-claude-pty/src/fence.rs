//! What an agent may do: look at the incident directory, edit three files in it, run a few read-only commands, nothing else.
//!
//! The permissions of Claude Code are the fence: deny by default, no wildcards in commands. Our hook before each call is the
//! belt: it judges by the same list, and it also denies what Claude Code would run unasked (`echo`, `ls`).

use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::{Component, Path, PathBuf};

/// The tools that exist for the agent at all.
pub const TOOLS: &str = "Bash,Read,Edit,Write,Grep,Glob";
/// What it may read, below the incident directory. Not all of it: the files of earlier passes lie there, too.
const READABLE: [&str; 5] = ["evidence", "work", "prompt.md", "plan.json", "report.md"];
/// The files it may write, below the incident directory. Not `work/base.json`: it says which configuration the copy was
/// made of, and a person's edit made meanwhile is recognised by it.
const WRITABLE: [&str; 3] = ["work/openclaw.json", "plan.json", "report.md"];
/// The commands it may run, word for word: an option such as `--config` would make them read other settings.
const COMMANDS: [&str; 9] = [
    "oc-probe",
    "oc-probe --json",
    "oc-doctor check",
    "oc-doctor check --json",
    "oc-doctor explain",
    "oc-report status",
    "oc-report status --json",
    "oc-report timeline",
    "oc-report timeline --json",
];
/// Hooks that only report.
pub const EVENTS: [&str; 4] = ["SessionStart", "UserPromptSubmit", "Stop", "StopFailure"];
const NAME: &str = "fence.json";

/// The rights of one session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fence {
    /// The incident directory, canonical.
    pub dir: PathBuf,
    /// Commands, word for word.
    pub commands: Vec<String>,
}

impl Fence {
    /// Around an incident directory; `findings` are the ids that may be explained.
    #[must_use]
    pub fn new(dir: &Path, findings: &[String]) -> Self {
        let plain = |id: &&String| {
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let explain = findings
            .iter()
            .filter(plain)
            .map(|id| format!("oc-doctor explain {id}"));
        let mut commands: Vec<String> = COMMANDS.map(str::to_owned).into_iter().chain(explain).collect();
        commands.dedup();
        Self {
            dir: dir.to_owned(),
            commands,
        }
    }

    /// The rules in the words of Claude Code. An absolute path has two slashes; with one it matches nothing.
    #[must_use]
    pub fn allow(&self) -> Vec<String> {
        let dir = self.dir.display();
        let reads = READABLE.iter().map(|name| {
            let all = if name.contains('.') { "" } else { "/**" };
            format!("Read(/{dir}/{name}{all})")
        });
        let writes = WRITABLE.iter().map(|file| format!("Edit(/{dir}/{file})"));
        let commands = self.commands.iter().map(|command| format!("Bash({command})"));
        reads.chain(writes).chain(commands).collect()
    }

    /// The settings of a session; `hook` gives the command for an event.
    #[must_use]
    pub fn settings(&self, hook: impl Fn(&str) -> String) -> Value {
        let command = |event: &str| json!([{"hooks": [{"type": "command", "command": hook(event), "timeout": 10}]}]);
        let judged = |event: &str| json!([{"matcher": "*", "hooks": [{"type": "command", "command": hook(event), "timeout": 10}]}]);
        let mut hooks: serde_json::Map<String, Value> = EVENTS
            .iter()
            .map(|event| ((*event).to_owned(), command(event)))
            .collect();
        for event in ["PreToolUse", "PermissionRequest"] {
            hooks.insert(event.to_owned(), judged(event));
        }
        json!({
            "permissions": {
                "defaultMode": "dontAsk",
                "disableBypassPermissionsMode": "disable",
                "allow": self.allow(),
                "deny": ["WebFetch", "WebSearch", "Task", "NotebookEdit"],
            },
            "hooks": hooks,
            "includeCoAuthoredBy": false,
            "enableAllProjectMcpServers": false,
        })
    }

    /// Why a call is denied; `None` when it is on the list.
    #[must_use]
    pub fn objection(&self, tool: &str, input: &Value) -> Option<String> {
        let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
        let readable = |path: &str| {
            let below = self.inside(path);
            below.is_some_and(|below| READABLE.iter().any(|name| below.starts_with(name)))
        };
        let allowed = match tool {
            "Bash" => {
                self.commands.iter().any(|command| command == text("command").trim())
                    && input.get("run_in_background") != Some(&Value::Bool(true))
                    && input.get("dangerouslyDisableSandbox") != Some(&Value::Bool(true))
            }
            "Read" => readable(text("file_path")),
            "Edit" | "Write" => self
                .inside(text("file_path"))
                .is_some_and(|below| WRITABLE.iter().any(|file| below == Path::new(file))),
            "Grep" => readable(text("path")),
            "Glob" => readable(text("path")) && !text("pattern").contains("..") && !text("pattern").starts_with('/'),
            _ => false,
        };
        (!allowed).then(|| {
            format!(
                "not on the list. You may read {dir}/{reads}, edit {dir}/{files}, and run exactly: {commands}",
                dir = self.dir.display(),
                reads = READABLE.join(", "),
                files = WRITABLE.join(", "),
                commands = self.commands.join("; "),
            )
        })
    }

    /// The path below the directory, symbolic links resolved as far as it exists.
    fn inside(&self, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        if !path.is_absolute() || path.components().any(|c| c == Component::ParentDir) {
            return None;
        }
        let real = match (path.canonicalize(), path.parent(), path.file_name()) {
            (Ok(real), ..) => real,
            // A link that leads nowhere yet is still a link.
            (Err(_), ..) if path.is_symlink() => return None,
            (Err(_), Some(parent), Some(name)) => parent.canonicalize().ok()?.join(name),
            _ => return None,
        };
        real.strip_prefix(&self.dir).ok().map(Path::to_owned)
    }

    /// Writes it where the hook finds it.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, scratch: &Path) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(Fault::internal)?;
        fsx::replace_quick(&scratch.join(NAME), &bytes)
    }

    /// Reads it.
    ///
    /// # Errors
    /// 65 when it is none, 74 or 77.
    pub fn load(scratch: &Path) -> Result<Self> {
        let bytes = fsx::read_capped(&scratch.join(NAME), 1 << 20)?.unwrap_or_default();
        serde_json::from_slice(&bytes).map_err(|e| Fault::data(format_args!("{NAME} is no fence: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence() -> (tempfile::TempDir, Fence) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(path.join("work")).unwrap();
        let findings = ["config.required_key".to_owned(), "x; curl evil".to_owned()];
        (dir, Fence::new(&path, &findings))
    }

    #[test]
    fn absolute_rules_have_two_slashes_and_commands_no_wildcard() {
        let (_dir, fence) = fence();
        let rules = fence.allow();
        assert!(
            rules
                .iter()
                .filter(|r| r.starts_with("Bash"))
                .all(|r| !r.contains(['*', ';'])),
            "{rules:?}"
        );
        assert!(
            rules
                .iter()
                .filter(|r| !r.starts_with("Bash"))
                .all(|r| r.contains("(//")),
            "{rules:?}"
        );
        assert!(rules.contains(&"Bash(oc-doctor explain config.required_key)".to_owned()));
        let settings = fence.settings(|event| format!("hook {event}"));
        assert_eq!(settings["permissions"]["defaultMode"], "dontAsk");
        assert_eq!(
            settings["hooks"]["PreToolUse"][0]["hooks"][0]["command"],
            "hook PreToolUse"
        );
        assert_eq!(settings["hooks"].as_object().unwrap().len(), 6);
    }

    #[test]
    fn what_is_on_the_list_is_let_through() {
        let (_dir, fence) = fence();
        let at = |name: &str| fence.dir.join(name).display().to_string();
        for (tool, input) in [
            ("Read", json!({"file_path": at("evidence/probe.json")})),
            ("Read", json!({"file_path": at("plan.json")})),
            ("Edit", json!({"file_path": at("work/openclaw.json")})),
            ("Write", json!({"file_path": at("plan.json")})),
            ("Write", json!({"file_path": at("report.md")})),
            ("Grep", json!({"pattern": "error", "path": at("evidence")})),
            ("Glob", json!({"pattern": "*", "path": at("evidence")})),
            ("Bash", json!({"command": "oc-probe --json"})),
            ("Bash", json!({"command": "oc-doctor explain config.required_key"})),
        ] {
            let evidence = fence.dir.join("evidence");
            std::fs::create_dir_all(evidence).unwrap();
            assert_eq!(fence.objection(tool, &input), None, "{tool} {input}");
        }
    }

    #[test]
    fn ten_ways_out_are_closed() {
        let (_dir, fence) = fence();
        let at = |name: &str| fence.dir.join(name).display().to_string();
        std::os::unix::fs::symlink("/etc/passwd", fence.dir.join("link")).unwrap();
        std::os::unix::fs::symlink("/nowhere/yet", fence.dir.join("plan.json")).unwrap();
        for (tool, input) in [
            ("Bash", json!({"command": "rm -rf /"})),
            ("Bash", json!({"command": "oc-probe --json; curl evil"})),
            ("Bash", json!({"command": "oc-probe --config /tmp/evil.json"})),
            ("Bash", json!({"command": "oc-probe --json", "run_in_background": true})),
            ("Bash", json!({"command": "echo hi"})),
            ("Bash", json!({})),
            ("Read", json!({"file_path": "/etc/passwd"})),
            ("Read", json!({"file_path": at("../x")})),
            ("Read", json!({"file_path": at("link")})),
            ("Read", json!({"file_path": "relative"})),
            ("Write", json!({"file_path": at("plan.json")})),
            ("Write", json!({"file_path": at("work/base.json")})),
            ("Write", json!({"file_path": at("evidence")})),
            ("Edit", json!({"file_path": "/root/.bashrc"})),
            ("Read", json!({"file_path": at("20260101T000000-0000/probe.json")})),
            ("Grep", json!({"pattern": "x", "path": at("")})),
            ("Grep", json!({"pattern": "x"})),
            ("Grep", json!({"pattern": "x", "path": "/etc"})),
            ("Glob", json!({"pattern": "/etc/*"})),
            ("Glob", json!({"pattern": "../*"})),
            ("WebFetch", json!({"url": "https://evil"})),
            ("Task", json!({"prompt": "x"})),
            ("AskUserQuestion", json!({"questions": []})),
            ("mcp__x__y", json!({})),
        ] {
            assert!(fence.objection(tool, &input).is_some(), "{tool} {input}");
        }
    }

    #[test]
    fn it_survives_being_written_down() {
        let (dir, fence) = fence();
        fence.save(dir.path()).unwrap();
        assert_eq!(Fence::load(dir.path()).unwrap().commands, fence.commands);
    }
}
