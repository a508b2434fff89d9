//! The runner: parse, run, answer, exit. Every `main.rs` is one call of [`main`].

use crate::clock::Stamp;
use crate::exit::Exit;
use crate::fault::{Fault, Result};
use crate::report::Envelope;
use clap::{ArgAction, Args, Parser, ValueEnum};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// The suite's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Flags that every tool has.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Print one JSON object on stdout (and errors as JSON on stderr)
    #[arg(long, global = true)]
    pub json: bool,
    /// Print nothing on stdout; the exit code is the answer
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; may be repeated
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Only read, change nothing, and print what would be done
    #[arg(short = 'n', long, global = true, env = "OC_DRY_RUN", value_parser = clap::builder::FalseyValueParser::new())]
    pub dry_run: bool,
    /// Our configuration file [default: config.json in the state directory]
    #[arg(long, global = true, value_name = "FILE", env = "OC_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where state, journal and locks live [default: ~/.openclaw/watchdog]
    #[arg(long, global = true, value_name = "DIR", env = "OC_STATE_DIR")]
    pub state_dir: Option<PathBuf>,
    /// Which instance: an OpenClaw profile or a service named in config.json
    #[arg(
        long,
        global = true,
        value_name = "NAME",
        env = "OC_INSTANCE",
        default_value = "default"
    )]
    pub instance: String,
    /// Limit of one try (such as 5s)
    #[arg(long, global = true, value_name = "TIME", env = "OC_TIMEOUT", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Limit of the whole command
    #[arg(long, global = true, value_name = "TIME", env = "OC_DEADLINE", value_parser = duration)]
    pub deadline: Option<Duration>,
    /// Colour on stdout; auto respects NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", env = "OC_COLOR", default_value = "auto")]
    pub color: Color,
    /// Print every setting, its value and where it came from, then exit
    #[arg(long, global = true)]
    pub print_config: bool,
    /// Print a man page or shell completions, then exit
    #[arg(long, global = true, value_name = "WHAT", hide = true)]
    pub generate: Option<Generate>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Common {
    /// Whether anybody reads an answer in words.
    #[must_use]
    pub fn wants_words(&self) -> bool {
        !self.json && !self.quiet
    }
}

impl Color {
    /// Whether the answer may carry colour.
    #[must_use]
    pub fn enabled(self) -> bool {
        match self {
            Self::Auto => crate::out::colour_by_default(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// What `--generate` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Generate {
    /// A man page.
    Man,
    /// bash completions.
    Bash,
    /// zsh completions.
    Zsh,
    /// fish completions.
    Fish,
}

/// A duration on the command line: `90`, `1.5s`, `2m`, `1h 30m`. A bare number is seconds.
///
/// # Errors
/// A sentence for clap.
pub fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string());
    }
    humantime::parse_duration(text).map_err(|e| format!("{e} (write it like 5s, 2m or 1h30m)"))
}

/// A tool's good or bad answer. Not an error: see [`Fault`] for that.
#[derive(Debug)]
pub struct Answer {
    /// Exit code.
    pub exit: Exit,
    /// One word for the envelope.
    pub verdict: &'static str,
    /// Name and version of the body, such as `oc.probe/1`.
    pub schema: &'static str,
    /// The tool's own fields.
    pub body: Value,
    /// What a person reads on stdout, with its final newline; may be empty.
    pub text: String,
}

impl Answer {
    /// An answer with a body.
    ///
    /// # Errors
    /// 70 when the body cannot be turned into JSON.
    pub fn new(schema: &'static str, exit: Exit, verdict: &'static str, body: &impl Serialize) -> Result<Self> {
        let body = serde_json::to_value(body).map_err(Fault::internal)?;
        Ok(Self {
            exit,
            verdict,
            schema,
            body,
            text: String::new(),
        })
    }

    /// Sets what a person reads.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }

    /// The envelope around the body, as `--json` prints it.
    #[must_use]
    pub fn envelope(&self, tool: &str, instance: &str) -> Envelope<&Value> {
        Envelope {
            schema: self.schema.to_owned(),
            tool: tool.to_owned(),
            version: VERSION.to_owned(),
            instance: instance.to_owned(),
            run: std::env::var("OC_RUN_ID").ok(),
            at: Stamp::now().rfc3339(),
            verdict: self.verdict.to_owned(),
            exit: self.exit.code(),
            body: &self.body,
        }
    }
}

/// A tool of the suite.
pub trait Tool: Parser {
    /// The program's name.
    const NAME: &'static str;

    /// The common flags within the parsed command line.
    fn common(&self) -> &Common;

    /// Does the work.
    ///
    /// # Errors
    /// A [`Fault`] when the tool could not do its job.
    fn run(self) -> Result<Answer>;
}

/// Runs a tool: the whole of `main`. Maps clap's usage errors to 64, a panic to 70, a fault to its code; prints errors as
/// JSON on stderr in `--json` mode; a broken pipe on stdout is no error.
#[must_use]
pub fn main<T: Tool>() -> ExitCode {
    crate::lock::seal_inherited();
    let json = std::env::args_os()
        .skip(1)
        .take_while(|a| a != "--")
        .any(|a| a == "--json");
    let exit = std::panic::catch_unwind(|| run::<T>(json)).unwrap_or(Exit::Internal);
    exit.into()
}

fn run<T: Tool>(json: bool) -> Exit {
    if let Some(what) = generate_argument() {
        return generate::<T>(what);
    }
    let tool = match T::try_parse() {
        Ok(tool) => tool,
        Err(error) => return usage(&error, json),
    };
    let common = tool.common().clone();
    let outcome = if common.print_config {
        print_config(&common)
    } else {
        tool.run()
    };
    match outcome.and_then(|answer| deliver::<T>(&answer, &common).map(|()| answer.exit)) {
        Ok(exit) => exit,
        Err(fault) => complain(T::NAME, &fault, json),
    }
}

fn deliver<T: Tool>(answer: &Answer, common: &Common) -> Result<()> {
    if common.json {
        let mut line = serde_json::to_string(&answer.envelope(T::NAME, &common.instance)).map_err(Fault::internal)?;
        line.push('\n');
        crate::out::answer(&line)
    } else if common.quiet || answer.text.is_empty() {
        Ok(())
    } else {
        crate::out::answer(&answer.text)
    }
}

fn complain(name: &str, fault: &Fault, json: bool) -> Exit {
    if json {
        let object = json!({"schema": "oc.error/1", "tool": name, "version": VERSION, "exit": fault.exit.code(),
            "error": fault.what, "hint": fault.hint});
        crate::out::raw_talk(object);
    } else {
        crate::out::raw_talk(format_args!("{name}: {}", fault.what));
        if let Some(hint) = &fault.hint {
            crate::out::raw_talk(format_args!("hint: {hint}"));
        }
    }
    fault.exit
}

/// `--help` and `--version` are answers; anything else is a usage error, 64 instead of clap's 2.
fn usage(error: &clap::Error, json: bool) -> Exit {
    if !error.use_stderr() {
        let text = error.render();
        let rendered = if crate::out::colour_by_default() {
            text.ansi().to_string()
        } else {
            text.to_string()
        };
        return match crate::out::answer(&rendered) {
            Ok(()) => Exit::Good,
            Err(fault) => fault.exit,
        };
    }
    if json {
        let object = json!({"schema": "oc.error/1", "version": VERSION, "exit": Exit::Usage.code(),
            "error": error.render().to_string().trim_end(), "hint": "see --help"});
        crate::out::raw_talk(object);
    } else {
        crate::out::raw_talk(error.render().to_string().trim_end());
    }
    Exit::Usage
}

/// `--generate` must work without the subcommand or operand that a tool otherwise insists on.
fn generate_argument() -> Option<Generate> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [flag, what] if flag == "--generate" => Generate::from_str(what, true).ok(),
        _ => None,
    }
}

fn generate<T: Tool>(what: Generate) -> Exit {
    let mut command = T::command();
    let mut bytes = Vec::new();
    match what {
        Generate::Man => bytes.extend(crate::manual::page(&command).bytes()),
        Generate::Bash => clap_complete::generate(clap_complete::Shell::Bash, &mut command, T::NAME, &mut bytes),
        Generate::Zsh => clap_complete::generate(clap_complete::Shell::Zsh, &mut command, T::NAME, &mut bytes),
        Generate::Fish => clap_complete::generate(clap_complete::Shell::Fish, &mut command, T::NAME, &mut bytes),
    }
    match crate::out::answer(&String::from_utf8_lossy(&bytes)) {
        Ok(()) => Exit::Good,
        Err(fault) => fault.exit,
    }
}

/// Works with a configuration that is otherwise refused only as far as it can be read: the fault then says the rest.
fn print_config(common: &Common) -> Result<Answer> {
    let loaded = crate::config::Config::load(&crate::world::request(common, false))?;
    let body = loaded.print_json();
    Ok(Answer::new("oc.config/1", Exit::Good, "config", &body)?.text(loaded.print_table()))
}
