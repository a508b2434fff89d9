//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// Speed and size of the release binaries, beside other programs that do the same. Made for ratios: the machine is part of every
/// figure.
#[derive(Debug, Parser)]
#[command(
    name = "bench",
    after_help = "Examples:\n  bench --list\n  bench --only probe,instructions\n  bench --out docs/results"
)]
pub(crate) struct Cli {
    /// Where to write bench.md and bench.json.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Only these parts.
    #[arg(long, value_name = "PARTS", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Name the parts.
    #[arg(long)]
    pub(crate) list: bool,
}
