//! The command line.

use crate::commands;
use clap::{Parser, Subcommand, ValueEnum};
use oc_core::config::Driver;
use oc_core::fault::Result;
use oc_core::run::{Answer, Common, Tool};
use std::path::PathBuf;

/// Ask an AI doctor for a plan: it may look at everything and touch nothing.
#[derive(Debug, Parser)]
#[command(name = "oc-claude-pty", version, after_help = AFTER)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit status (run): 0 there is a plan that oc-doctor can apply, or the service became healthy meanwhile; 1 no usable plan, or
only steps for a person; 2 no session: consent, login, quota, agent missing, budget spent; 75 another healing is under way.

Examples:
  oc-claude-pty run --incident ./now --dry-run   what would be started, with which rights; starts nothing
  oc-claude-pty run --incident ./now             ask for a plan; needs agent.enabled
  oc-doctor apply ./now/plan.json --dry-run      what the plan would change
  oc-claude-pty attach                           watch the session that runs (leave with C-b d)
  oc-claude-pty stop                             end it";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Ask one agent after the other for a plan
    Run(Run),
    /// Watch the session that runs; its keyboard stays locked
    Attach {
        /// Unlock the keyboard
        #[arg(long)]
        control: bool,
    },
    /// Say which session runs
    List,
    /// End the session that runs
    Stop {
        /// Only what a killed oc-claude-pty left behind
        #[arg(long)]
        stale: bool,
    },
    /// What the agent's hooks call
    #[command(hide = true)]
    Hook {
        /// The event
        #[arg(value_name = "EVENT")]
        event: String,
        /// The session's private directory
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// Of `run`.
#[derive(Debug, Clone, clap::Args)]
pub struct Run {
    /// Where evidence, working copy, plan and report lie
    #[arg(long, value_name = "DIR")]
    pub incident: PathBuf,
    /// Only this agent [default: agent.agents, in their order]
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// In tmux, where it can be watched, or without a terminal [default: agent.driver]
    #[arg(long, value_name = "WHICH")]
    pub driver: Option<Which>,
}

/// A driver by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Which {
    /// In tmux
    Tmux,
    /// Without a terminal
    Headless,
}

impl From<Which> for Driver {
    fn from(which: Which) -> Self {
        match which {
            Which::Tmux => Self::Tmux,
            Which::Headless => Self::Headless,
        }
    }
}

impl Tool for Cli {
    const NAME: &'static str = "oc-claude-pty";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> Result<Answer> {
        commands::run(&self.common, self.command)
    }
}
