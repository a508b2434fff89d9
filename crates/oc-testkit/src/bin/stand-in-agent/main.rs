//! A stand-in for Claude Code: takes its arguments, runs the hooks of its settings, shows its dialogs, and does what a script
//! says instead of what a model says. It keeps to no permission rule: what only those hold back is for tests with the real one.

mod acts;
mod cli;
mod dialogs;
mod hooks;
mod record;
mod script;
mod session;
mod terminal;
mod transcript;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match session::run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(fault) => {
            terminal::complain(&fault);
            ExitCode::FAILURE
        }
    }
}
