//! See `oc-claude-pty --help`.

fn main() -> std::process::ExitCode {
    oc_core::run::main::<oc_claude_pty::cli::Cli>()
}
