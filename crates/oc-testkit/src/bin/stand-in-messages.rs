//! The stand-in for the Messages API, for use by hand: point `ANTHROPIC_BASE_URL` at what it prints. docs/agent.md shows how.

use clap::Parser;
use oc_testkit::messages_api::{MessagesApi, Script};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Plays a script of turns as the Messages API does, on loopback, until it is ended; requests go to stderr.
#[derive(Parser)]
struct Cli {
    /// The script, in JSON.
    script: PathBuf,
    /// The loopback port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A value for {{NAME}} in the script.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = pair)]
    values: Vec<(String, String)>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE is expected")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(never) => match never {},
        Err(fault) => {
            _ = writeln!(std::io::stderr(), "stand-in-messages: {fault}");
            ExitCode::from(65)
        }
    }
}

fn run(cli: &Cli) -> Result<std::convert::Infallible, String> {
    let name = cli.script.display();
    let text = std::fs::read_to_string(&cli.script).map_err(|e| format!("{name}: {e}"))?;
    let mut script = Script::parse(&text).map_err(|e| format!("{name}: {e}"))?;
    script.values.extend(cli.values.iter().cloned());
    let api = MessagesApi::on(cli.port, script).map_err(|e| format!("port {}: {e}", cli.port))?;
    _ = writeln!(std::io::stdout(), "{}", api.url());
    let mut shown = 0;
    loop {
        for taken in api.taken().iter().skip(shown) {
            shown += 1;
            let last = taken.body["messages"].as_array().and_then(|all| all.last());
            let said = last.map(|message| message["content"].to_string()).unwrap_or_default();
            let short: String = said
                .chars()
                .rev()
                .take(300)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            _ = writeln!(
                std::io::stderr(),
                "{} {} {} {short}",
                taken.status,
                taken.method,
                taken.path
            );
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
