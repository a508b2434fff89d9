//! `chaos`: every fault of the catalogue is done to a gateway under the real tools, in a HOME that is thrown away, and what
//! came of it is judged. One file per fault in `cases/`.
//!
//! Exit: 0 every outcome as declared, 1 not, 64 usage, 130 interrupted.

mod arena;
mod case;
mod cases;
mod cli;
mod judge;
mod list;
mod needs;
mod observer;
mod plot;
mod results;
mod runner;
mod systemd;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (wanted, options) = match cli::Cli::parse().command {
        cli::Command::List => {
            list::show();
            return ExitCode::SUCCESS;
        }
        cli::Command::Run { ids, options } => match list::named(&ids) {
            Ok(cases) => (cases, options),
            Err(unknown) => {
                list::say(&format!("chaos: no case {unknown}; see `chaos list`"));
                return ExitCode::from(64);
            }
        },
        cli::Command::All { ci, options, .. } => (list::selected(ci), options),
    };
    match runner::run(&wanted, &options) {
        Some(sheet) => {
            let saved = options.out.as_ref().map_or(Ok(()), |dir| results::save(&sheet, dir));
            list::say(&results::summary(&sheet));
            if let Err(error) = saved {
                list::say(&format!("chaos: cannot write the results: {error}"));
                return ExitCode::FAILURE;
            }
            if sheet.green() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        None => ExitCode::from(130),
    }
}
