//! `kill-at`: runs a command, counts the steps in which our tools below it change anything outside of themselves, and kills
//! (as `kill -9` does) the tool that is about to make step N. Linux with glibc only: it watches the system calls by ptrace(2), so that the
//! tools need no hook and can be release binaries.
//!
//! Exit: as the command did; 64 usage, 71 when it cannot be watched.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod steps;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod tracer;

use clap::Parser;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// Kill a tool at a step that changes something.
#[derive(Debug, Parser)]
#[command(
    name = "kill-at",
    after_help = "Examples:\n  kill-at --list steps -- oc-escalate maintenance on\n  kill-at --step 3 --list steps -- scripts/oc-heal"
)]
struct Cli {
    /// The step, from 1; without it the command is only watched.
    #[arg(long)]
    step: Option<usize>,
    /// Count the steps of this program only (its name begins so).
    #[arg(long, default_value = "oc-")]
    tool: String,
    /// Where to write the steps that were made, one a line.
    #[arg(long, value_name = "FILE")]
    list: PathBuf,
    #[arg(required = true, last = true)]
    command: Vec<OsString>,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing better can be done about a closed terminal.
            _ = error.print();
            return ExitCode::from(if error.use_stderr() { 64 } else { 0 });
        }
    };
    match run(&cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            // As above.
            _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("kill-at: cannot watch the command: {error}\n").as_bytes(),
            );
            ExitCode::from(71)
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn run(cli: &Cli) -> std::io::Result<u8> {
    let mut tracer = tracer::Tracer::new(&cli.tool, cli.step);
    let code = tracer.run(&cli.command);
    std::fs::write(&cli.list, tracer.steps.join("\n"))?;
    code
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn run(_: &Cli) -> std::io::Result<u8> {
    Err(std::io::ErrorKind::Unsupported.into())
}
