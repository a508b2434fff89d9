//! The command line.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Faults done to a gateway under the real tools, and what came of them.
#[derive(Debug, Parser)]
#[command(
    name = "chaos",
    after_help = "Examples:\n  chaos list\n  chaos run P6 C2f\n  chaos all --ci --jobs 2 --out target/chaos\n  OC_REAL_OPENCLAW=/usr/local/bin/openclaw chaos all --real\n  chaos rivals --jobs 4 --out docs/results"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Every fault, and what it needs.
    List {
        /// Of those that are done to the real OpenClaw.
        #[arg(long)]
        real: bool,
    },
    /// Some faults, by their ids.
    Run {
        #[arg(required = true)]
        ids: Vec<String>,
        #[command(flatten)]
        options: Options,
    },
    /// Every fault that is possible here.
    All {
        /// One of each kind only, for every change.
        #[arg(long, conflicts_with = "nightly")]
        ci: bool,
        /// All of them (the default).
        #[arg(long)]
        nightly: bool,
        #[command(flatten)]
        options: Options,
    },
    /// Every tool killed at every step that changes anything.
    Sweep(SweepOptions),
    /// The same faults under other supervisors: monit, supervisord with httpok, the bash predecessor.
    Rivals(RivalsOptions),
}

#[derive(Debug, Args)]
pub(crate) struct RivalsOptions {
    /// Only these faults, by their ids.
    pub(crate) ids: Vec<String>,
    /// A checkout of the predecessor, with scripts/gateway-watchdog.sh.
    #[arg(long, value_name = "DIR")]
    pub(crate) predecessor: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) measured: Measured,
}

#[derive(Debug, Args)]
pub(crate) struct SweepOptions {
    /// Scenarios whose names begin so; all of them when none is named.
    pub(crate) names: Vec<String>,
    /// Only every tenth step.
    #[arg(long)]
    pub(crate) ci: bool,
    /// This step only.
    #[arg(long)]
    pub(crate) step: Option<usize>,
    #[command(flatten)]
    pub(crate) work: Work,
    /// Show the end of the log of a point with a violation.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

impl SweepOptions {
    pub(crate) const fn every(&self) -> usize {
        if self.ci { 10 } else { 1 }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Do them to the real OpenClaw that OC_REAL_OPENCLAW names (and, where it is asked, the real Claude Code that OC_REAL_CLAUDE
    /// names) instead of the stand-in. The table is then real.md and so on.
    #[arg(long)]
    pub(crate) real: bool,
    #[command(flatten)]
    pub(crate) measured: Measured,
    /// Show the end of the log of a case that did not end as declared.
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// Of what has times.
#[derive(Debug, Args)]
pub(crate) struct Measured {
    /// How often each is done; the table then shows medians and ranges.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    #[command(flatten)]
    pub(crate) work: Work,
}

/// Of whatever is done many times and ends in a table.
#[derive(Debug, Args)]
pub(crate) struct Work {
    /// How many at once: most of each is waiting; times are exact with 1.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) jobs: u32,
    /// Where to write the table, as Markdown and as JSON.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
}
