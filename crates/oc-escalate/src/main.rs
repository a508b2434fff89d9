//! `oc-escalate`: what may be done next, by history and policy.

fn main() -> std::process::ExitCode {
    oc_core::run::main::<oc_escalate::cli::Cli>()
}
