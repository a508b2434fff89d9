//! The command line.

use clap::{Parser, Subcommand, ValueEnum};
use oc_core::run::{Answer, Common, Tool};
use std::path::PathBuf;
use std::time::Duration;

/// What happened: for people, for Prometheus, for a browser
///
/// Reads the journal and never changes anything; writes only metrics.prom and pages.
#[derive(Debug, Parser)]
#[command(name = "oc-report", version)]
pub struct Cli {
    /// What to show.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every tool has.
    #[command(flatten)]
    pub common: Common,
}

/// What to show.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// How things stand, on one screen
    Status,
    /// What happened, in order; of one incident, or of the last ones
    Timeline {
        /// An incident's id (or its beginning)
        incident: Option<String>,
        /// How many incidents
        #[arg(long, default_value_t = 5)]
        last: usize,
    },
    /// Figures of a span of time: incidents, recovery, availability, cost
    Digest {
        /// How far back, such as 24h or 7d
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = oc_core::run::duration)]
        since: Duration,
        /// Form of the text
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Write metrics.prom for node_exporter's textfile collector, or serve it
    Metrics {
        /// Serve on this loopback address instead, such as 127.0.0.1:9477
        #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "")]
        listen: Option<String>,
        /// Write to this file instead; - is standard output
        #[arg(long, value_name = "FILE", conflicts_with = "listen")]
        output: Option<PathBuf>,
    },
    /// One page for a browser, complete in itself
    Html {
        /// Serve on this loopback address
        #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "")]
        listen: Option<String>,
        /// Write to this file; - is standard output
        #[arg(long, value_name = "FILE", default_value = "-", conflicts_with = "listen")]
        output: PathBuf,
    },
    /// When memory will reach its limit and the disk be full, if they go on as they do
    Forecast,
}

/// Form of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For a terminal.
    #[default]
    Text,
    /// For a chat or a document.
    Markdown,
}

impl Tool for Cli {
    const NAME: &'static str = "oc-report";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> oc_core::Result<Answer> {
        crate::run(self)
    }
}
