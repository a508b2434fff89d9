//! The command line.

use crate::subject::Subject;
use crate::watch::Patience;
use clap::{ArgAction, Parser, ValueEnum};
use oc_core::run::{Common, duration};
use std::time::Duration;

const EXAMPLES: &str = "\
Exit codes (those of a Nagios plugin):
  0 healthy   1 degraded: serving, but see the report   2 down   3 unknown: could not tell

Examples:
  oc-probe                                  a table of what was seen
  oc-probe -q || echo \"gateway: $?\"         for cron
  oc-probe --json | jq .class               for programs
  oc-probe -o identity.pid                  one field, no jq
  oc-probe --nagios                         one line with performance data
  oc-probe --wait 2m --stable 10s           until it serves, and stays
  oc-probe --checks liveness --timeout 1s   one request, nothing else
  oc-probe --all                            every instance of config.json";

/// Is the service healthy? Looks at process, HTTP, memory, configuration, port and disk; changes nothing.
#[derive(Debug, Clone, Parser)]
#[command(name = "oc-probe", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Looks before "not good" counts [default: probe.tries, 3]
    #[arg(long, value_name = "N", env = "OC_PROBE_TRIES", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub tries: Option<u32>,
    /// Pause between two looks [default: probe.interval, 2s]
    #[arg(long, value_name = "TIME", env = "OC_PROBE_INTERVAL", value_parser = duration)]
    pub interval: Option<Duration>,
    /// Wait up to this long until it is healthy; longer (up to 5 min) while a start makes progress, shorter when nobody
    /// will start it
    #[arg(long, value_name = "TIME", value_parser = duration, conflicts_with = "tries")]
    pub wait: Option<Duration>,
    /// It must then stay good, as the same process, for this long
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub stable: Option<Duration>,
    /// Only these checks
    #[arg(long, value_name = "LIST", value_delimiter = ',', action = ArgAction::Append)]
    pub checks: Vec<CheckName>,
    /// Print only this field of the JSON report, such as identity.pid or checks.memory.actual; may be repeated
    #[arg(short, long, value_name = "FIELD", conflicts_with_all = ["json", "nagios"])]
    pub output: Vec<String>,
    /// Print one line with performance data, as a Nagios plugin does
    #[arg(long, conflicts_with = "json")]
    pub nagios: bool,
    /// Look at every instance of config.json; the worst one gives the exit code
    #[arg(long, conflicts_with_all = ["wait", "stable", "nagios"])]
    pub all: bool,
    /// With --all: how many instances are looked at at the same time
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// What every tool understands.
    #[command(flatten)]
    pub common: Common,
}

/// A check by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckName {
    /// What the service manager says
    Service,
    /// Whether the process lives
    Process,
    /// Whether it answers
    Liveness,
    /// Whether it is ready for work
    Readiness,
    /// Memory of the process tree
    Memory,
    /// The service's configuration file
    Config,
    /// Who holds the port
    Port,
    /// Free space
    Disk,
    /// The optional checks of config.json
    Deep,
}

impl Cli {
    /// How long to go on looking.
    #[must_use]
    pub fn patience(&self, subject: &Subject) -> Patience {
        Patience {
            tries: self.tries.unwrap_or(subject.config.probe.tries).max(1),
            interval: self.interval.unwrap_or(subject.config.probe.interval.get()),
            wait: self.wait,
            stable: self.stable,
            deadline: self.common.deadline,
        }
    }
}
