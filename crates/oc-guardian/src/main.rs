//! oc-guardian: everything said to the service manager.

fn main() -> std::process::ExitCode {
    oc_core::run::main::<oc_guardian::cli::Guardian>()
}
