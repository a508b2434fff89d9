//! The command line.

use crate::commands;
use clap::{Parser, Subcommand};
use oc_core::fault::Result;
use oc_core::run::{Answer, Common, Tool};
use std::path::PathBuf;

/// Diagnose and repair a service's configuration and surroundings; every repair can be undone.
#[derive(Debug, Parser)]
#[command(name = "oc-doctor", version, after_help = AFTER)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit status (check, fix): 0 nothing wrong (any more), 1 findings remain that `fix` can mend, 2 findings remain without a
remedy; 75 another healing is under way. preflight: 78 when the configuration lets no start succeed.

Examples:
  oc-doctor check                  what is wrong, in milliseconds, changing nothing
  oc-doctor fix --dry-run          what would be changed, as a diff without secrets
  oc-doctor fix --verify           repair, wait for the service, keep the change or take it back
  oc-doctor diff good              what changed since the configuration last proved good
  oc-doctor rollback -1            back to the configuration before this one
  oc-doctor explain config.required_key
  oc-doctor playbook list          what healed before, and whether it fits what is wrong now";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say what is wrong; changes nothing and starts nothing
    Check(Probed),
    /// Repair what can be repaired; the change stays open until `commit` or `undo`
    Fix {
        /// Evidence
        #[command(flatten)]
        probed: Probed,
        /// Wait for the service and keep the change or take it back accordingly
        #[arg(long)]
        verify: bool,
    },
    /// Keep the open repair, when the probe says that it helped
    Commit(Probed),
    /// Take the open repair back; with a probe report only when it did not help
    Undo(Probed),
    /// Before a start: 78 when the configuration is missing, unreadable or without its required keys
    Preflight,
    /// Keep the present configuration as a generation
    Snapshot {
        /// Why, for `generations`
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
        /// Quietly: only when it changed, and count how long the service has been healthy with it
        #[arg(long)]
        auto: bool,
        /// Evidence
        #[command(flatten)]
        probed: Probed,
    },
    /// List the snapshots
    Generations,
    /// Show what changed since a generation: an id or its beginning, `good`, or -1 for the newest other one
    Diff {
        /// The generation
        #[arg(value_name = "GEN", default_value = "good", allow_hyphen_values = true)]
        generation: String,
    },
    /// Go back to a generation
    Rollback {
        /// The generation
        #[arg(value_name = "GEN", default_value = "good", allow_hyphen_values = true)]
        generation: String,
    },
    /// Say what a finding means and what to do by hand; without ID list them all
    Explain {
        /// A finding's id, such as config.required_key
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
    /// Make the copy that an agent edits: DIR/openclaw.json, placeholders for the secrets
    Work {
        /// Where
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Validate and carry out a plan that an agent wrote
    Apply {
        /// The plan; the edited copy lies in work/ beside it
        #[arg(value_name = "PLAN")]
        plan: PathBuf,
        /// A person has looked at the sensitive changes and agrees
        #[arg(long)]
        approve: bool,
    },
    /// The plans that healed, repeated when their failure returns
    Playbook {
        /// What to do with them
        #[command(subcommand)]
        what: Playbook,
    },
}

/// What to do with the playbook.
#[derive(Debug, Subcommand)]
pub enum Playbook {
    /// List the lessons, those that match the present failure first
    List(Probed),
    /// Show one: the failure and every edit, secrets as placeholders
    Show {
        /// Its id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Let one be repeated without asking, though it changes who may do what, or failed once
    Accept {
        /// Its id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Drop one
    Forget {
        /// Its id, or the beginning of it
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Evidence.
#[derive(Debug, Clone, clap::Args)]
pub struct Probed {
    /// A report of `oc-probe --json` (`-` for stdin) [default: that of the running pass]
    #[arg(long, value_name = "FILE")]
    pub probe: Option<PathBuf>,
}

impl Tool for Cli {
    const NAME: &'static str = "oc-doctor";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> Result<Answer> {
        commands::run(&self.common, self.command)
    }
}
