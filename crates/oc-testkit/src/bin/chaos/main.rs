//! `chaos`: every fault of the catalogue is done to a gateway under the real tools, in a HOME that is thrown away, and what
//! came of it is judged. One file per fault in `cases/`.
//!
//! Exit: 0 every outcome as declared, 1 not, 64 usage, 69 no real gateway, 130 interrupted.

mod arena;
mod case;
mod cases;
mod cli;
mod judge;
mod list;
mod needs;
mod observer;
mod plot;
mod real;
mod results;
mod rivals;
mod runner;
mod sweep;
mod systemd;

use clap::Parser as _;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (wanted, options) = match cli::Cli::parse().command {
        cli::Command::List { real } => {
            list::show(real);
            return ExitCode::SUCCESS;
        }
        cli::Command::Run { ids, options } => match list::named(&ids, options.real) {
            Ok(cases) => (cases, options),
            Err(unknown) => {
                let flag = if options.real { " --real" } else { "" };
                list::say(&format!("chaos: no case {unknown}; see `chaos list{flag}`"));
                return ExitCode::from(64);
            }
        },
        cli::Command::Sweep(options) => return swept(&options),
        cli::Command::Rivals(options) => return compared(&options),
        cli::Command::All { ci, options, .. } => (list::selected(ci, options.real), options),
    };
    if options.real && oc_testkit::real::openclaw().is_none() {
        list::say("chaos: --real needs OC_REAL_OPENCLAW to name an openclaw; `make chaos REAL=1` installs one");
        return ExitCode::from(69);
    }
    let Some(sheet) = runner::run(&wanted, &options) else {
        return ExitCode::from(130);
    };
    list::say(&results::summary(&sheet));
    let name = if options.real { "real" } else { "chaos" };
    ended(&options.measured.work, sheet.green(), |dir| {
        results::save(&sheet, dir, name)
    })
}

fn swept(options: &cli::SweepOptions) -> ExitCode {
    let Some(sheet) = runner::watch_signals().and_then(|interrupted| sweep::run(options, &interrupted)) else {
        return ExitCode::from(130);
    };
    list::say(&sheet.summary());
    ended(&options.work, sheet.green(), |dir| sweep::save(&sheet, dir))
}

fn compared(options: &cli::RivalsOptions) -> ExitCode {
    let cases = match list::named(&options.ids, false) {
        Ok(cases) => cases,
        Err(unknown) => {
            list::say(&format!("chaos: no case {unknown}; see `chaos list`"));
            return ExitCode::from(64);
        }
    };
    let Some(sheet) = runner::watch_signals().and_then(|interrupted| rivals::run(&cases, options, &interrupted)) else {
        return ExitCode::from(130);
    };
    list::say(&format!("\n{}", sheet.markdown()));
    ended(&options.measured.work, sheet.ours_is_good(), |dir| sheet.save(dir))
}

/// Keeps the table where that is wanted.
fn ended(work: &cli::Work, good: bool, save: impl FnOnce(&Path) -> std::io::Result<()>) -> ExitCode {
    if let Some(Err(error)) = work.out.as_deref().map(save) {
        list::say(&format!("chaos: cannot write the results: {error}"));
        return ExitCode::FAILURE;
    }
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
