//! A session from its start to its end, with a screen or without.

use crate::acts::{Agent, End};
use crate::cli::{Cli, Format};
use crate::dialogs::{self, Outcome};
use crate::hooks::Hooks;
use crate::record::Record;
use crate::script::Script;
use crate::terminal::{self, Key};
use crate::transcript::Transcript;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

pub(crate) fn run(cli: &Cli) -> Result<u8, String> {
    if cli.version {
        terminal::say("2.1.330 (Claude Code)\n");
        return Ok(0);
    }
    let text = std::fs::read_to_string(&cli.script).map_err(|e| format!("{}: {e}", cli.script.display()))?;
    let script: Script = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", cli.script.display()))?;
    let record = Record(cli.record.clone());
    let cwd = std::env::current_dir()
        .map_err(|e| e.to_string())?
        .display()
        .to_string();
    let prompt = prompt(cli)?;
    let env: BTreeMap<_, _> = std::env::vars().collect();
    let argv: Vec<_> = std::env::args().collect();
    let pid = std::process::id();
    record.add(&json!({"event": "start", "pid": pid, "argv": argv, "env": env, "cwd": cwd, "prompt": prompt}));
    if let Some(last_words) = script.dies {
        return Err(last_words);
    }
    let session = cli
        .session_id
        .clone()
        .unwrap_or_else(|| "00000000-0000-4000-8000-000000000000".to_owned());
    let transcript = Transcript::new(&cwd, &session);
    let hooks = Hooks::new(cli.settings.as_deref(), &session, &cwd, &transcript.path())?;
    if let Some(file) = &script.starts_after {
        wait_for(file);
    }
    if !cli.print {
        terminal::raw();
        for name in &script.dialogs {
            match dialogs::show(name)? {
                Outcome::Passed => record.add(&json!({"event": "passed", "dialog": name})),
                Outcome::Refused => return Err(format!("Claude Code didn't start: {name}")),
                Outcome::TerminalGone => return Ok(129),
            }
        }
    }
    hooks.run("SessionStart", "", &json!({"source": "startup"}));
    if script.swallows {
        terminal::say(&format!("❯ {prompt}\n"));
        return idle(&record);
    }
    if !prompt.is_empty() {
        hooks.run("UserPromptSubmit", "", &json!({"prompt": prompt}));
    }
    let mut agent = Agent::new(
        hooks,
        record,
        transcript,
        &cwd,
        &prompt,
        cli.output_format == Format::StreamJson,
    );
    agent.announce(&session, &cli.permission_mode);
    let end = agent.work(&script.acts);
    match end {
        End::Exit(code) => Ok(code),
        end if cli.print => Ok(headless(&agent, &end, cli.output_format, &session)),
        end => interactive(&agent, &end, &cli.permission_mode),
    }
}

fn prompt(cli: &Cli) -> Result<String, String> {
    match &cli.prompt {
        Some(prompt) => Ok(prompt.clone()),
        None if cli.print => std::io::read_to_string(std::io::stdin()).map_err(|e| e.to_string()),
        None => Ok(String::new()),
    }
}

/// The `result` line, its status, and then no exit while a background task lives: as the real one.
fn headless(agent: &Agent, end: &End, format: Format, session: &str) -> u8 {
    let failed = matches!(end, End::Failed { .. });
    let (text, status) = match end {
        End::Failed { text, status, .. } => (text.as_str(), *status),
        _ => (agent.answer(), None),
    };
    agent.stop(end);
    let result: Value = json!({
        "type": "result", "subtype": "success", "is_error": failed, "api_error_status": status, "result": text,
        "terminal_reason": if failed { "api_error" } else { "completed" },
        "num_turns": agent.turns(), "duration_ms": 1, "total_cost_usd": 0.01, "session_id": session,
        "usage": {"input_tokens": 1000, "output_tokens": 100},
        "permission_denials": agent.denied(),
    });
    match format {
        Format::Text => terminal::say(&format!("{text}\n")),
        Format::Json | Format::StreamJson => terminal::say(&format!("{result}\n")),
    }
    agent.wait_for_tasks();
    u8::from(failed)
}

/// The box again, until somebody types `/exit` or the terminal goes away.
fn interactive(agent: &Agent, end: &End, mode: &str) -> Result<u8, String> {
    match end {
        End::Failed { text, .. } => terminal::say(&format!("  ⎿  {text}\n")),
        _ => terminal::say("✻ Cooked for 1s · done 7:26 AM\n"),
    }
    agent.stop(end);
    let line = "─".repeat(40);
    terminal::say(&format!("{line}\n❯ \n{line}\n  ⏵⏵ {mode} on (shift+tab to cycle)\n"));
    idle(agent.record())
}

fn idle(record: &Record) -> Result<u8, String> {
    let mut typed = String::new();
    while let Some(keys) = terminal::keys() {
        for key in keys {
            match key {
                Key::Text(text) => typed.push_str(&text),
                Key::Enter if typed.trim() == "/exit" => {
                    record.add(&json!({"event": "exit"}));
                    return Ok(0);
                }
                Key::Enter => typed.clear(),
                _ => {}
            }
        }
    }
    Ok(129)
}

pub(crate) fn wait_for(file: &Path) {
    while !file.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
}
