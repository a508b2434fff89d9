//! What launchd reads from a property list.

use plist::{Dictionary, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// When it is started again.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeepAlive {
    pub(crate) always: bool,
    /// On success (true) or failure (false) only.
    pub(crate) successful_exit: Option<bool>,
}

/// A job as it was loaded: the file may change or go, launchd does not look again.
#[derive(Debug, Clone)]
pub(crate) struct Definition {
    pub(crate) path: PathBuf,
    pub(crate) label: String,
    pub(crate) argv: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cwd: Option<String>,
    pub(crate) stdout: Option<String>,
    pub(crate) stderr: Option<String>,
    pub(crate) run_at_load: bool,
    pub(crate) keep_alive: KeepAlive,
    /// In seconds of the property list.
    pub(crate) interval: Option<u32>,
    pub(crate) throttle: u32,
    pub(crate) exit_timeout: u32,
    pub(crate) abandon: bool,
    pub(crate) session_type: Option<Vec<String>>,
}

/// `None` when it is no property list of a job.
pub(crate) fn read(path: &Path) -> Option<Definition> {
    let value = Value::from_reader(std::io::Cursor::new(std::fs::read(path).ok()?)).ok()?;
    let dict = value.into_dictionary()?;
    let text = |key: &str| dict.get(key).and_then(Value::as_string).map(str::to_owned);
    let yes = |key: &str| dict.get(key).and_then(Value::as_boolean).unwrap_or(false);
    let number = |key: &str| {
        dict.get(key)
            .and_then(Value::as_unsigned_integer)
            .and_then(|n| u32::try_from(n).ok())
    };
    let mut argv = strings(dict.get("ProgramArguments"));
    if let Some(program) = text("Program") {
        match argv.first_mut() {
            Some(first) => *first = program,
            None => argv.push(program),
        }
    }
    let keep_alive = match dict.get("KeepAlive") {
        Some(Value::Boolean(always)) => KeepAlive {
            always: *always,
            successful_exit: None,
        },
        Some(Value::Dictionary(conditions)) => KeepAlive {
            always: false,
            successful_exit: conditions.get("SuccessfulExit").and_then(Value::as_boolean),
        },
        _ => KeepAlive::default(),
    };
    (!argv.is_empty()).then_some(())?;
    Some(Definition {
        path: path.to_owned(),
        label: text("Label")?,
        argv,
        env: variables(dict.get("EnvironmentVariables").and_then(Value::as_dictionary)),
        cwd: text("WorkingDirectory"),
        stdout: text("StandardOutPath"),
        stderr: text("StandardErrorPath"),
        run_at_load: yes("RunAtLoad") || keep_alive.always || keep_alive.successful_exit.is_some(),
        keep_alive,
        interval: number("StartInterval"),
        throttle: number("ThrottleInterval").unwrap_or(10),
        exit_timeout: number("ExitTimeOut").unwrap_or(5),
        abandon: yes("AbandonProcessGroup"),
        session_type: dict.get("LimitLoadToSessionType").map(|value| strings(Some(value))),
    })
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(all)) => all.iter().filter_map(|v| v.as_string().map(str::to_owned)).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

fn variables(dict: Option<&Dictionary>) -> BTreeMap<String, String> {
    dict.into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.clone(), value.as_string()?.to_owned())))
        .collect()
}

/// Seconds of a property list in real time.
pub(crate) fn scaled(seconds: u32, second_ms: u64) -> Duration {
    Duration::from_millis(u64::from(seconds) * second_ms)
}
