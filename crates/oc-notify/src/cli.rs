//! The command line.

use crate::message::Severity;
use clap::{Parser, Subcommand};
use oc_core::run::{Answer, Common, Tool};
use std::path::PathBuf;

/// Tells people: once, in time, with everything they need
///
/// Nothing is lost (what cannot be delivered waits in the outbox) and nothing is spammed (one incident is one thread of
/// messages). Exit 0: delivered, or rightly suppressed. 1: some channels failed, spooled. 2: none delivered, spooled.
#[derive(Debug, Parser)]
#[command(name = "oc-notify", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every tool has.
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a message of your own
    Send {
        /// How urgent it is
        #[arg(long, value_enum)]
        severity: Severity,
        /// One line
        #[arg(long)]
        title: String,
        /// The message; - reads it from standard input
        #[arg(long)]
        text: String,
        /// What it is about; the same message with the same key within 5 minutes is sent once
        #[arg(long)]
        key: Option<String>,
    },
    /// Tell what a pass of healing makes news; called by oc-heal
    Incident {
        /// The directory of the pass
        #[arg(long, value_name = "DIR", env = "OC_RUN_DIR")]
        run: PathBuf,
    },
    /// Really send a test message, and say what came back
    Test {
        /// Only this channel
        channel: Option<String>,
    },
    /// Deliver what waits in the outbox
    Flush,
    /// Show what waits in the outbox, and the state of every channel
    Outbox,
    /// Ping the dead-man's switch, flush, and send what is due by the day; called by the guardian at every pass
    Heartbeat {
        /// Say that a pass begins (`URL/start`)
        #[arg(long, conflicts_with = "status")]
        start: bool,
        /// Exit status of what is watched (`URL/STATUS`); 0 is good
        #[arg(long, default_value_t = 0)]
        status: u8,
    },
}

impl Tool for Cli {
    const NAME: &'static str = "oc-notify";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> oc_core::Result<Answer> {
        crate::run(self)
    }
}
