//! `soak`: the real tools look after a gateway for an hour, a pass each second and a fault now and then, and what must stay as it
//! is (memory, descriptors, threads, processes, files, the cadence) is measured all the time and judged in the end.
//!
//! | file | what it knows |
//! |---|---|
//! | ground | the HOME in which it happens, and waiting in it |
//! | faults | what is done to it, and how each must end |
//! | cadence | when passes began, and when they were to begin |
//! | sample | what is measured |
//! | series | whether a series grows; pure |
//! | judge | every series against its limit; pure |
//! | results | the table |
//!
//! Exit: 0 nothing grows, drifts or stays broken; 1 something does; 64 usage; 130 interrupted.

mod cadence;
mod cli;
mod faults;
mod ground;
mod judge;
mod results;
mod sample;
mod series;

use clap::Parser as _;
use oc_testkit::trial::watch_signals;
use std::io::Write as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let options = match cli::Cli::try_parse() {
        Ok(options) => options,
        Err(error) => {
            drop(error.print());
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    let interrupted = match watch_signals() {
        Ok(interrupted) => interrupted,
        Err(error) => {
            say(&format!("soak: cannot watch for signals: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let Some(run) = ground::run(&options, interrupted) else {
        return ExitCode::from(130);
    };
    let sheet = results::Sheet::new(&options, &run);
    say(&results::table(&sheet));
    if let Some(dir) = &options.out
        && let Err(error) = results::save(&sheet, dir)
    {
        say(&format!("soak: cannot write the results: {error}"));
        return ExitCode::FAILURE;
    }
    if sheet.green() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn say(text: &str) {
    // A reader who closed the pipe has seen enough; what was started must still be ended.
    drop(writeln!(std::io::stdout(), "{text}"));
}
