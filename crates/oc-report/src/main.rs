//! See `oc-report --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    oc_core::run::main::<oc_report::cli::Cli>()
}
