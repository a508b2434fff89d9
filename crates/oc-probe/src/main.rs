//! `oc-probe`: is the service healthy?

use std::process::ExitCode;

fn main() -> ExitCode {
    oc_core::run::main::<oc_probe::cli::Cli>()
}
