//! The agents by name: how each is called, which variables it may have, and what its output means. One file each.

mod claude;
mod codex;
mod gemini;
mod local;
mod opencode;

use crate::account::{Account, End, Ended};
use crate::fence::Fence;
use oc_core::config::{self, Driver};
use oc_core::fault::{Fault, Result};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What every agent's program knows how to do, besides its name.
pub struct Preset {
    /// Its name in `agent.agents`.
    pub name: &'static str,
    /// Its program.
    pub program: &'static str,
    /// Arguments; `{prompt}`, `{dir}` and `{model}` are filled in.
    pub args: &'static [&'static str],
    /// Arguments that name a model, when one is configured.
    pub model: &'static [&'static str],
    /// Variables it gets from our environment or from `.env`.
    pub environment: &'static [&'static str],
    /// Variables with fixed values.
    pub fixed: fn(&Fence) -> Vec<(String, String)>,
    /// What one JSON line of its output means; `None` where nobody here can read it further.
    pub read: Option<fn(&Value, &mut Account)>,
    /// Whether it gets prompt and evidence on stdin, because it cannot read files, and answers with its plan.
    pub by_stdin: bool,
}

const PRESETS: [&Preset; 5] = [
    &claude::PRESET,
    &codex::PRESET,
    &gemini::PRESET,
    &opencode::PRESET,
    &local::PRESET,
];

/// A command that nobody here knows: it gets the prompt's line, and its end is its end.
const UNKNOWN: Preset = Preset {
    name: "",
    program: "",
    args: &["{prompt}"],
    model: &[],
    environment: &[
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_API_KEY",
    ],
    fixed: |_| Vec::new(),
    read: None,
    by_stdin: false,
};

/// One agent as it is configured.
pub struct Agent {
    /// Its name.
    pub name: String,
    /// What is known about it.
    pub preset: &'static Preset,
    command: Vec<String>,
    model: Option<String>,
}

/// The places of one session that its command line speaks of.
pub struct Places<'a> {
    /// The incident directory.
    pub dir: &'a Path,
    /// The session's private directory.
    pub scratch: &'a Path,
    /// The prompt's file.
    pub prompt: PathBuf,
    /// Bounds that only Claude Code itself can hold, without a terminal.
    pub turns: u32,
    /// US dollars.
    pub usd: f64,
}

impl Places<'_> {
    fn line(&self) -> String {
        format!("Read {} and follow it.", self.prompt.display())
    }
}

impl Agent {
    /// The agent of this name.
    ///
    /// # Errors
    /// 78 when it is neither a preset nor has a command.
    pub fn named(name: &str, config: &config::Agent) -> Result<Self> {
        let preset = PRESETS.into_iter().find(|preset| preset.name == name);
        let command = config.commands.get(name).cloned().unwrap_or_default();
        if preset.is_none() && command.is_empty() {
            return Err(
                Fault::config(format_args!("no agent is called {name:?}")).hint(format_args!(
                    "known are {}; any other needs a command in agent.commands",
                    PRESETS.map(|preset| preset.name).join(", ")
                )),
            );
        }
        Ok(Self {
            name: name.to_owned(),
            preset: preset.unwrap_or(&UNKNOWN),
            command,
            model: config.model.clone(),
        })
    }

    /// True for Claude Code, which is driven by its hooks.
    #[must_use]
    pub fn is_claude(&self) -> bool {
        self.preset.name == claude::PRESET.name
    }

    /// Its program's name.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.first().map_or(self.preset.program, String::as_str)
    }

    /// Its command line. Never holds a key or foreign text.
    #[must_use]
    pub fn argv(&self, driver: Driver, places: &Places<'_>) -> Vec<String> {
        let whole = self.command.iter().any(|word| word.contains("{prompt}"));
        let mut argv = self.command.clone();
        if argv.is_empty() {
            argv.push(self.preset.program.to_owned());
        }
        if !whole {
            argv.extend(self.preset.args.iter().map(|arg| (*arg).to_owned()));
            if self.model.is_some() {
                argv.extend(self.preset.model.iter().map(|arg| (*arg).to_owned()));
            }
        }
        let model = self.model.as_deref().unwrap_or(local::MODEL);
        let mut argv: Vec<String> = argv
            .iter()
            .map(|word| {
                word.replace("{prompt}", &places.line())
                    .replace("{dir}", &places.dir.display().to_string())
                    .replace("{model}", model)
            })
            .collect();
        if self.is_claude() {
            argv.extend(claude::fenced(driver, places));
            argv.push("--".to_owned());
            argv.push(places.line());
        }
        argv
    }

    /// Where it works: an empty directory where it reads by absolute paths, else the incident's.
    #[must_use]
    pub fn cwd(&self, places: &Places<'_>) -> PathBuf {
        if self.is_claude() {
            places.scratch.join("cwd")
        } else {
            places.dir.to_owned()
        }
    }
}

/// Writes what an agent needs before its start into its private directory; returns further variables.
///
/// # Errors
/// 74 or 77.
pub fn furnish(agent: &Agent, fence: &Fence, places: &Places<'_>, key: Option<&str>) -> Result<Vec<(String, String)>> {
    let mut variables = (agent.preset.fixed)(fence);
    if agent.is_claude() {
        variables.extend(claude::furnish(fence, places, key)?);
    }
    Ok(variables)
}

/// The plan in the answer of an agent that cannot write files.
#[must_use]
pub fn plan_in(answer: &str) -> Option<String> {
    local::plan_in(answer)
}

/// What a refusal says, the more particular words first.
const REFUSALS: [(End, &[&str]); 6] = [
    (
        End::Login,
        &["not logged in", "/login", "api key", "authenticat", "unauthorized"],
    ),
    (
        End::RateLimit,
        &["rate limit", "rate_limit", "too many requests", "(429)"],
    ),
    (
        End::Model,
        &["issue with the selected model", "model_not_found", "model not found"],
    ),
    (
        End::Network,
        &[
            "connection to",
            "connection refused",
            "econn",
            "enotfound",
            "fetch failed",
            "unable to connect",
        ],
    ),
    (
        End::Overloaded,
        &[
            "overloaded",
            "at capacity",
            "internal server error",
            "server_error",
            "server-side",
        ],
    ),
    (End::Network, &["connection", "network", "timed out"]),
];
const USED_UP: [&str; 5] = ["credit balance", "usage limit", "quota", "billing", "limit reached"];

/// What a refusal means, by the status and the words of the service behind an agent. Only for what that service or the agent's
/// program says about itself: a model may quote any of these words from a log.
#[must_use]
pub fn refusal(status: Option<u64>, text: &str) -> Ended {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let by_words = || {
        REFUSALS
            .iter()
            .find(|(_, words)| has(words))
            .map_or(End::ApiError, |(end, _)| *end)
    };
    let end = match status {
        _ if has(&USED_UP) => End::Quota,
        Some(401 | 403) => End::Login,
        Some(402) => End::Quota,
        Some(404) => End::Model,
        Some(429) => End::RateLimit,
        Some(500..=599) => End::Overloaded,
        _ => by_words(),
    };
    Ended::new(end, text.chars().take(300).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places<'a>(dir: &'a Path, scratch: &'a Path) -> Places<'a> {
        Places {
            dir,
            scratch,
            prompt: dir.join("prompt.md"),
            turns: 50,
            usd: 0.5,
        }
    }

    fn argv(name: &str, config: &config::Agent, driver: Driver) -> Vec<String> {
        let places = places(Path::new("/i"), Path::new("/s"));
        Agent::named(name, config).unwrap().argv(driver, &places)
    }

    #[test]
    fn claude_is_fenced_in_both_drivers_whatever_its_program() {
        let mut config = config::Agent::default();
        config
            .commands
            .insert("claude".into(), vec!["/opt/claude".into(), "--x".into()]);
        for driver in [Driver::Tmux, Driver::Headless] {
            let argv = argv("claude", &config, driver);
            assert_eq!(argv[..2], ["/opt/claude", "--x"]);
            for pair in [
                ["--permission-mode", "dontAsk"],
                ["--setting-sources", ""],
                ["--settings", "/s/settings.json"],
            ] {
                assert!(argv.windows(2).any(|w| w == pair), "{pair:?} {argv:?}");
            }
            assert!(argv.contains(&"--strict-mcp-config".to_owned()));
            assert!(!argv.iter().any(|word| word.contains("dangerously")));
            assert_eq!(argv.last().unwrap(), "Read /i/prompt.md and follow it.");
            assert_eq!(argv.contains(&"-p".to_owned()), driver == Driver::Headless);
        }
    }

    #[test]
    fn a_command_with_the_prompt_in_it_is_taken_as_it_is() {
        let mut config = config::Agent {
            model: Some("m1".into()),
            ..config::Agent::default()
        };
        config
            .commands
            .insert("codex".into(), vec!["my".into(), "{prompt}".into(), "{model}".into()]);
        config.commands.insert("own".into(), vec!["own".into()]);
        assert_eq!(
            argv("codex", &config, Driver::Tmux),
            ["my", "Read /i/prompt.md and follow it.", "m1"]
        );
        assert_eq!(
            argv("own", &config, Driver::Tmux),
            ["own", "Read /i/prompt.md and follow it."]
        );
        assert!(
            argv("gemini", &config, Driver::Tmux)
                .windows(2)
                .any(|w| w == ["--model", "m1"])
        );
        assert!(Agent::named("nobody", &config).is_err());
    }

    #[test]
    fn refusals_are_told_apart_by_status_first() {
        for (status, text, end) in [
            (Some(401), "Invalid API key · Fix external API key", End::Login),
            (Some(403), "Request not allowed", End::Login),
            (Some(400), "Credit balance is too low", End::Quota),
            (Some(429), "This request would exceed", End::RateLimit),
            (Some(429), "usage limit", End::Quota),
            (Some(404), "There's an issue with the selected model", End::Model),
            (Some(529), "Repeated 529 Overloaded errors", End::Overloaded),
            (Some(500), "Internal server error", End::Overloaded),
            (None, "API Error: Connection refused — a firewall", End::Network),
            (
                None,
                "Connection to the API was lost (ECONNRESET) server_error",
                End::Network,
            ),
            (None, "Not logged in · Please run /login", End::Login),
            (None, "pid 4290 is strange", End::ApiError),
        ] {
            assert_eq!(refusal(status, text).end, end, "{status:?} {text}");
        }
    }

    /// What the real ones printed: codex 0.169.0, gemini 0.61.0, opencode 1.18.33.
    #[test]
    fn recorded_output_means_what_it_meant() {
        for (name, lines, answered, end) in [
            ("codex", include_str!("recorded/codex-ok.jsonl"), true, Some(End::Done)),
            (
                "codex",
                include_str!("recorded/codex-login.jsonl"),
                false,
                Some(End::Login),
            ),
            (
                "codex",
                include_str!("recorded/codex-quota.jsonl"),
                false,
                Some(End::Quota),
            ),
            // It waits for the network for ever; only the time for the first answer ends that.
            ("codex", include_str!("recorded/codex-offline.jsonl"), false, None),
            (
                "gemini",
                include_str!("recorded/gemini-ok.jsonl"),
                true,
                Some(End::Done),
            ),
            (
                "gemini",
                include_str!("recorded/gemini-login.jsonl"),
                false,
                Some(End::Login),
            ),
            // Its end is the end of the program.
            ("opencode", include_str!("recorded/opencode-ok.jsonl"), true, None),
            (
                "opencode",
                include_str!("recorded/opencode-login.jsonl"),
                false,
                Some(End::Login),
            ),
        ] {
            let agent = Agent::named(name, &config::Agent::default()).unwrap();
            let mut account = Account::default();
            for line in lines.lines() {
                (agent.preset.read.unwrap())(&serde_json::from_str(line).unwrap(), &mut account);
            }
            let seen = (account.answered, account.ended.map(|ended| ended.end));
            assert_eq!(seen, (answered, end), "{name}: {lines}");
            assert_eq!(account.denied.is_empty(), !lines.contains("prevents you"), "{name}");
        }
    }
}
