//! See `oc-notify --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    oc_core::run::main::<oc_notify::cli::Cli>()
}
