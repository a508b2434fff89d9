//! The command line: as much of OpenClaw's as a watchdog uses.

use clap::{Args, Parser, Subcommand};

/// OpenClaw, played.
#[derive(Debug, Parser)]
#[command(name = "openclaw", version = concat!("2026.9.6 (stand-in ", env!("CARGO_PKG_VERSION"), ")"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the gateway in the foreground.
    Gateway(Gateway),
    /// What the gateway starts as its own children.
    #[command(hide = true)]
    Child(Child),
}

#[derive(Debug, Args)]
pub(crate) struct Gateway {
    /// "run", or nothing at all as in the service definition.
    #[arg(value_parser = ["run"])]
    pub(crate) verb: Option<String>,
    /// Beats the config and OPENCLAW_GATEWAY_PORT.
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// State in ~/.openclaw-NAME.
    #[arg(long, global = true)]
    pub(crate) profile: Option<String>,
    /// Start without gateway.mode.
    #[arg(long)]
    pub(crate) allow_unconfigured: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Child {
    /// Hold this much memory.
    #[arg(long, default_value_t = 0)]
    pub(crate) hold_mb: u32,
    /// Grow by this much a second.
    #[arg(long, default_value_t = 0)]
    pub(crate) leak_mb_per_s: u32,
    /// Leave the parent's session and outlive it.
    #[arg(long)]
    pub(crate) own_session: bool,
}
