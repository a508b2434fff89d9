//! The command line of oc-escalate.

use crate::commands;
use clap::{Args, Parser, Subcommand};
use oc_core::fault::Result;
use oc_core::run::{Answer, Common, Tool, duration};
use std::path::PathBuf;
use std::time::Duration;

/// Decide what may be done next about a service, by its history and a policy; hold the one healing lock
///
/// Exit codes of `decide`: 0 nothing to do, 1 hold, 2 restart, 3 doctor, 4 agent, 5 human.
/// Of `settle`: 0 healthy, 1 still failing, 2 a human is needed. `run` exits as its command did; 75 means that another
/// healing is under way.
#[derive(Debug, Parser)]
#[command(name = "oc-escalate", version, about, long_about, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  oc-probe --json | oc-escalate decide --probe -     what would be done now? (a preview; records nothing)
  oc-escalate status                                 incident, counters, next allowed action
  oc-escalate maintenance on --for 30m --reason 'new node'
  oc-escalate reset                                  forget the incident and the counters
  oc-escalate run --deadline 5m -- ./my-heal.sh      your own chain under our lock and deadline";

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what may be done next about what a probe saw
    ///
    /// Inside a pass the attempt is written down before the answer; by hand this only previews.
    Decide(ProbeFile),
    /// Judge a pass by its last probe: healthy, still failing, or a human is needed
    Settle(ProbeFile),
    /// Show incident, counters and bounds, maintenance, and who holds the lock
    Status,
    /// Forget the incident and all counters (what agents have cost is kept); the way back after a human has looked
    Reset,
    /// Declare that nothing is to be touched for a while, or end that
    Maintenance {
        /// on or off
        #[command(subcommand)]
        what: Maintenance,
    },
    /// Run a recorded or invented trace of probe results through the policy and print every decision
    Simulate {
        /// The trace, one JSON object a line; - for stdin
        #[arg(long, value_name = "FILE")]
        trace: PathBuf,
    },
    /// Run a command as the one healing of this instance: lock, run directory, deadline, signals
    Run(Run),
}

#[derive(Debug, Args)]
struct ProbeFile {
    /// The probe's report (oc-probe --json); - for stdin
    #[arg(long, value_name = "FILE")]
    probe: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Maintenance {
    /// Begin
    On {
        /// How long
        #[arg(long = "for", value_name = "TIME", value_parser = duration)]
        lasts: Option<Duration>,
        /// Why, for those who wonder
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// End
    Off,
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Again and again, this long apart; the lock is taken for each pass
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Option<Duration>,
    /// One pass for every instance named in config.json, side by side
    #[arg(long)]
    pub(crate) all: bool,
    /// With --all and without --every: how many instances have their pass at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: u16,
    /// The command
    #[arg(last = true, required = true, value_name = "CMD")]
    pub(crate) command: Vec<String>,
}

impl Tool for Cli {
    const NAME: &'static str = "oc-escalate";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> Result<Answer> {
        let common = &self.common;
        match self.command {
            Command::Decide(file) => commands::decide(common, &file.probe),
            Command::Settle(file) => commands::settle(common, &file.probe),
            Command::Status => commands::status(common),
            Command::Reset => commands::reset(common),
            Command::Maintenance {
                what: Maintenance::On { lasts, reason },
            } => commands::maintenance_on(common, lasts, reason),
            Command::Maintenance { what: Maintenance::Off } => commands::maintenance_off(common),
            Command::Simulate { trace } => commands::simulate(common, &trace),
            Command::Run(run) => commands::run(common, &run),
        }
    }
}
