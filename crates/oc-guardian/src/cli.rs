//! The command line.

use crate::commands;
use clap::{Args, Parser, Subcommand};
use oc_core::fault::Result;
use oc_core::run::{Answer, Common, Tool, duration};
use oc_core::world::World;
use std::path::PathBuf;
use std::time::Duration;

const EXITS: &str = "\
Exit codes:
  start, stop, restart, apply, install, uninstall
             0 done (or nothing to do), 1 refused: a person's will or another fact forbids it, 2 tried and failed
  status     0 running, 1 on its way (starting, stopping, waiting before the next start), 2 stopped on purpose,
             3 not running, 4 not known here
  ensure     0 all in place, or left alone on purpose, 1 something was wrong and is put right, 2 wrong and not put right
  supervise  the service's own code (0 when it ended cleanly), 127 or 126 when CMD cannot be run
  all        64 usage, 65 input not understood, 69 no supervisor here, 70 internal, 74 I/O,
             75 another supervisor or healing is at work (named on stderr), 77 permission, 78 our configuration is wrong";

const EXEC: &str = "\
Examples:
  ExecStart=/usr/local/bin/oc-guardian exec -- /usr/bin/node /opt/openclaw/dist/index.js gateway --port 18789
  <array><string>/usr/local/bin/oc-guardian</string><string>exec</string><string>--</string>...</array>

First `oc-doctor preflight`: a configuration that is missing, unparsable or without its required keys ends it with 78, which
systemd (RestartPreventExitStatus=78) does not start again; nothing else keeps the service down. Then a wait of 10 s for each
start in a row that was never ready (at most 300 s; service.supervise.backoff_step, backoff_max), which an `oc-guardian
start` or a changed configuration ends. Then the process becomes CMD.

Exit codes: CMD's own; 78 the configuration lets no start succeed; 126, 127 CMD cannot be run; 64 no command";

const SELF_CHECK: &str = "\
Examples:
  oc-guardian self-check                                  a table; the line below a finding mends it
  oc-guardian self-check --json | jq -r '.checks[] | select(.status == \"fail\") | .mend'
  oc-guardian self-check --exercise >transcript.txt       what the service manager of this machine really does

Exit codes: 0 nothing to mend, 1 warnings, 2 something that a healing needs does not work; with --exercise 0 as expected, 2 not,
            69 without launchd and systemd";

/// Starts, stops and guards the service through its manager
#[derive(Debug, Parser)]
#[command(name = "oc-guardian", version, after_help = EXITS)]
pub struct Guardian {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Common flags
    #[command(flatten)]
    pub common: Common,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run CMD as the service and keep it running: level 0 without launchd or systemd
    Supervise(Supervise),
    /// Become CMD, after a look at the configuration: for ProgramArguments of launchd and ExecStart of systemd
    #[command(after_help = EXEC)]
    Exec(Exec),
    /// Have the service running; clears a deliberate stop
    Start(Start),
    /// Stop the service and keep it stopped until `start`
    Stop(Stop),
    /// Restart the service, letting it finish its work
    Restart(Restart),
    /// Show what the service manager knows
    Status,
    /// Put back what is missing: a supervisor that died
    Ensure,
    /// Look after the guardian's own entry in the crontab; the watchdog calls it now and then
    Upkeep,
    /// Look whether everything is there that a healing will need; says how to mend what is not
    #[command(after_help = SELF_CHECK)]
    SelfCheck(SelfCheck),
    /// Carry out what `oc-escalate decide` decided
    Apply(Apply),
    /// Have healing passes and guardian start by themselves: launchd or systemd, and cron
    #[command(after_help = INSTALL)]
    Install(Install),
    /// Take away what install registered, and nothing else
    Uninstall(Uninstall),
}

const INSTALL: &str = "\
Examples:
  oc-guardian install --dry-run              what would be done, and nothing of it
  oc-guardian install --agent claude         with consent to the AI doctor
  oc-guardian install --takeover             in place of an earlier self-healing system
What it will do is printed before it is done. A second install changes nothing.";

/// `install`
#[derive(Debug, Args)]
pub struct Install {
    /// Time between two healing passes, kept in config.json [default: policy.interval]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub interval: Option<Duration>,
    /// Leave the crontab alone: the guardian becomes a job of the service manager
    #[arg(long)]
    pub no_cron: bool,
    /// Leave launchd and systemd alone: cron starts the passes, once a minute
    #[arg(long)]
    pub no_service: bool,
    /// Put the jobs of an earlier self-healing system out of action; their files are kept
    #[arg(long)]
    pub takeover: bool,
    /// Consent to the AI doctor, by this agent; `none` takes the consent back. It costs money, and logs leave the machine
    #[arg(long, value_name = "NAME", value_parser = agent_name)]
    pub agent: Option<String>,
}

/// A preset or a name in `agent.commands`: both are identifiers.
fn agent_name(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    if fits {
        Ok(text.to_owned())
    } else {
        Err("an agent's name has letters, digits, - and _".to_owned())
    }
}

/// `uninstall`
#[derive(Debug, Args)]
pub struct Uninstall {
    /// Remove our state as well: history, snapshots, settings
    #[arg(long)]
    pub purge: bool,
}

/// `supervise`
#[derive(Debug, Args)]
pub struct Supervise {
    /// Start no healing passes; only restart the service when its process ends
    #[arg(long)]
    pub no_heal: bool,
    /// Time between two healing passes [default: policy.interval_embedded]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub every: Option<Duration>,
    /// The service in the foreground: program and arguments [default: service.command]
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `exec`
#[derive(Debug, Args)]
pub struct Exec {
    /// The service in the foreground: program and arguments [default: service.command]
    #[arg(last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `start`
#[derive(Debug, Args)]
pub struct Start {
    /// Return only when it is ready
    #[arg(long)]
    pub wait: bool,
}

/// `stop`
#[derive(Debug, Args)]
pub struct Stop {
    /// Why, for those who find it stopped
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `restart`
#[derive(Debug, Args)]
pub struct Restart {
    /// Return only when it is ready
    #[arg(long)]
    pub wait: bool,
}

/// `self-check`
#[derive(Debug, Args)]
pub struct SelfCheck {
    /// Go through register, start, kill -9, unload, disable, ... with a throw-away job, and print a transcript for a bug report
    #[arg(long)]
    pub exercise: bool,
}

/// `apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// The answer of `oc-escalate decide --json`; - for stdin
    #[arg(long, value_name = "FILE")]
    pub decision: PathBuf,
}

impl Tool for Guardian {
    const NAME: &'static str = "oc-guardian";

    fn common(&self) -> &Common {
        &self.common
    }

    fn run(self) -> Result<Answer> {
        // Whatever is wrong with our own files, the service is kept running.
        match &self.command {
            Command::Supervise(args) => {
                return commands::supervise::run(&World::open_whatever(Self::NAME, &self.common)?, args);
            }
            Command::Exec(args) => return commands::exec::run(&World::open_whatever(Self::NAME, &self.common)?, args),
            Command::SelfCheck(args) => return commands::self_check::run(Self::NAME, &self.common, args),
            _ => {}
        }
        let world = World::open(Self::NAME, &self.common, true)?;
        match &self.command {
            Command::Supervise(args) => commands::supervise::run(&world, args),
            Command::Exec(args) => commands::exec::run(&world, args),
            Command::Start(args) => commands::start::run(&world, args),
            Command::Stop(args) => commands::stop::run(&world, args),
            Command::Restart(args) => commands::restart::run(&world, args),
            Command::Status => commands::status::run(&world),
            Command::Ensure => commands::ensure::run(&world),
            Command::Upkeep => commands::upkeep::run(&world),
            Command::SelfCheck(args) => commands::self_check::run(Self::NAME, &self.common, args),
            Command::Apply(args) => commands::apply::run(&world, args),
            Command::Install(args) => commands::install::run(&world, args),
            Command::Uninstall(args) => commands::uninstall::run(&world, args),
        }
    }
}
