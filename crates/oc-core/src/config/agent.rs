//! Section `agent`: the AI doctor. Nothing of it runs without `enabled`.

use super::{Secret, Span};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How a session is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Driver {
    /// In tmux, where a person can attach; headless when tmux is missing.
    #[default]
    Tmux,
    /// Without a terminal.
    Headless,
}

/// Section `agent`. How many sessions and at what cost is bounded by `policy.agent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Agent {
    /// The consent: sessions cost money, and redacted logs leave the machine.
    pub enabled: bool,
    /// Agents in the order in which they are tried; names of presets or of `commands`.
    pub agents: Vec<String>,
    /// Commands of agents by name. `{prompt}` stands for the one line that names the prompt's file, `{model}` for the
    /// model; a command without `{prompt}` takes the place of a preset's program, whose arguments follow.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Names of further environment variables that agents get, from the environment or `.env`.
    pub environment: Vec<String>,
    /// A template in place of the prompt of this language.
    pub prompt_file: Option<PathBuf>,
    /// `tmux` or `headless`.
    pub driver: Driver,
    /// Model passed to the agent; `null` leaves the choice to it.
    pub model: Option<String>,
    /// Key for Claude Code; without one its own login is used.
    pub anthropic_api_key: Option<Secret>,
    /// Time for all agents of one incident together.
    pub deadline: Span,
    /// How long an agent may take to its first answer before the next one is tried.
    pub first_answer: Span,
    /// Turns of one session, at most.
    pub max_turns: u32,
}

impl Default for Agent {
    fn default() -> Self {
        Self {
            enabled: false,
            agents: vec!["claude".to_owned()],
            commands: BTreeMap::new(),
            environment: Vec::new(),
            prompt_file: None,
            driver: Driver::Tmux,
            model: None,
            anthropic_api_key: None,
            deadline: Span::mins(10),
            first_answer: Span::secs(90),
            max_turns: 50,
        }
    }
}
