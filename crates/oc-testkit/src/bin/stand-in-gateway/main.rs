//! A stand-in for `openclaw gateway run`: the same config checks, exit codes, HTTP answers, lock and signals, in
//! milliseconds instead of seconds. The conformance suite keeps it honest against the real one. What it does wrong is told
//! from outside: see `oc_testkit::faults`.

mod burden;
mod cli;
mod config;
mod control;
mod database;
mod hostile;
mod ledger;
mod lifecycle;
mod lock;
mod log;
mod places;
mod refusal;
mod reload;
mod routes;
mod server;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::Cli::parse().command {
        cli::Command::Gateway(gateway) => ExitCode::from(lifecycle::run(&gateway)),
        cli::Command::Child(child) => burden::child(&child),
    }
}
