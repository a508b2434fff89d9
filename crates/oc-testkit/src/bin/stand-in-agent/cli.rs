//! The arguments of Claude Code that matter here, and two of our own, which a wrapper gives.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// A stand-in for Claude Code. `--script` and `--record` are ours, the rest is its own.
#[derive(Parser)]
#[command(version = "2.1.330 (Claude Code)", disable_version_flag = true)]
pub(crate) struct Cli {
    /// What to do, in JSON.
    #[arg(long)]
    pub(crate) script: PathBuf,
    /// Where to write down what was seen: JSON objects, one a line.
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,

    /// No screen: the prompt, an answer, the end.
    #[arg(short, long)]
    pub(crate) print: bool,
    /// Of `-p`.
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) output_format: Format,
    /// File or JSON.
    #[arg(long)]
    pub(crate) settings: Option<String>,
    /// Name of the conversation.
    #[arg(long)]
    pub(crate) session_id: Option<String>,
    /// Shown in the footer.
    #[arg(long, default_value = "auto")]
    pub(crate) permission_mode: String,
    /// "2.1.330 (Claude Code)".
    #[arg(short, long)]
    pub(crate) version: bool,
    #[command(flatten)]
    _taken: Taken,
    /// The prompt.
    pub(crate) prompt: Option<String>,
}

/// Taken and recorded, of no effect here.
#[derive(clap::Args)]
struct Taken {
    #[arg(long)]
    verbose: bool,
    #[arg(long)]
    setting_sources: Option<String>,
    #[arg(long)]
    strict_mcp_config: bool,
    #[arg(long, num_args = 1..)]
    mcp_config: Vec<String>,
    #[arg(long)]
    model: Option<String>,
    #[arg(long)]
    fallback_model: Option<String>,
    #[arg(long)]
    max_turns: Option<u32>,
    #[arg(long)]
    max_budget_usd: Option<f64>,
    #[arg(long, alias = "allowed-tools", num_args = 1.., value_name = "TOOLS")]
    #[arg(id = "allowedTools")]
    allowed: Vec<String>,
    #[arg(long, alias = "disallowed-tools", num_args = 1.., value_name = "TOOLS")]
    #[arg(id = "disallowedTools")]
    disallowed: Vec<String>,
    #[arg(long, num_args = 1..)]
    tools: Vec<String>,
    #[arg(long, num_args = 1..)]
    add_dir: Vec<String>,
    #[arg(long)]
    append_system_prompt: Option<String>,
    #[arg(long)]
    system_prompt: Option<String>,
    #[arg(long)]
    permission_prompts: Option<String>,
    #[arg(long)]
    input_format: Option<String>,
    #[arg(long)]
    include_hook_events: bool,
    #[arg(long)]
    include_partial_messages: bool,
    #[arg(long)]
    disable_slash_commands: bool,
    #[arg(long)]
    no_session_persistence: bool,
    #[arg(long)]
    no_chrome: bool,
    #[arg(long)]
    restricted: bool,
    #[arg(long)]
    effort: Option<String>,
    #[arg(long)]
    name: Option<String>,
    #[arg(long)]
    ax_screen_reader: bool,
}

/// What `-p` prints.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    StreamJson,
}
