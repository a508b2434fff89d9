//! Diagnoses and repairs a service's configuration and surroundings; each repair is a transaction that can be undone.

fn main() -> std::process::ExitCode {
    oc_core::run::main::<oc_doctor::cli::Cli>()
}
