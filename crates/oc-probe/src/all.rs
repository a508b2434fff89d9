//! `--all`: every instance of config.json at the same time, so that a slow one does not delay the others.

use crate::cli::Cli;
use crate::subject::Subject;
use crate::{answer, fields, table, watch};
use oc_core::class::Health;
use oc_core::fault::{Fault, Result};
use oc_core::report::Report;
use oc_core::run::{Answer, Tool as _};
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Name and version of the body.
pub const SCHEMA: &str = "oc.probe-all/1";

#[derive(Serialize)]
struct Body {
    /// One report each, as a single probe prints it, plus `name`; or `error` where it could not be probed.
    instances: Vec<Value>,
}

/// Looks at all of them.
///
/// # Errors
/// 78 when config.json is wrong as a whole; what is wrong with one instance is that instance's answer.
pub fn run(cli: &Cli) -> Result<Answer> {
    let first = Subject::open(cli, None)?;
    let names: Vec<String> = first.config.instance_names().into_iter().map(str::to_owned).collect();
    let found = look_at(cli, &names);
    let health = found
        .iter()
        .map(|(_, outcome)| health(outcome))
        .max_by_key(|h| badness(*h))
        .unwrap_or(Health::Healthy);
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut instances = Vec::new();
    for (name, outcome) in &found {
        match outcome {
            Ok(report) => {
                text.push_str(&table::line(name, width, report, cli.common.color.enabled()));
                let mut entry =
                    serde_json::to_value(answer(report)?.envelope(Cli::NAME, name)).map_err(Fault::internal)?;
                if let Some(map) = entry.as_object_mut() {
                    map.insert("name".to_owned(), json!(name));
                }
                instances.push(entry);
            }
            Err(fault) => {
                text.push_str(&format!("{name:<width$}  unknown   {}\n", fault.what));
                instances.push(json!({"name": name, "instance": name, "verdict": "unknown", "exit": 3,
                    "error": fault.what, "hint": fault.hint}));
            }
        }
    }
    let answer = Answer::new(SCHEMA, health.exit(), health.name(), &Body { instances })?;
    if cli.output.is_empty() {
        return Ok(answer.text(text));
    }
    let envelope = serde_json::to_value(answer.envelope(Cli::NAME, first.name())).map_err(Fault::internal)?;
    let text = fields::pick(&envelope, &cli.output)?;
    Ok(answer.text(text))
}

/// Every name is taken by the next free worker; the answers come back in the order of the names.
fn look_at(cli: &Cli, names: &[String]) -> Vec<(String, Result<Report>)> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..usize::from(cli.jobs).min(names.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(name) = names.get(at) else { return };
                    let outcome = Subject::open(cli, Some(name)).map(|one| watch::watch(&one, &cli.patience(&one)));
                    if let Ok(mut found) = found.lock() {
                        found.push((at, name.clone(), outcome));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    found.sort_by_key(|(at, ..)| *at);
    found.into_iter().map(|(_, name, outcome)| (name, outcome)).collect()
}

fn health(outcome: &Result<Report>) -> Health {
    outcome.as_ref().map_or(Health::Unknown, Report::health)
}

/// A service that is down is worse than one that we cannot see.
fn badness(health: Health) -> u8 {
    match health {
        Health::Healthy => 0,
        Health::Degraded => 1,
        Health::Unknown => 2,
        Health::Down => 3,
    }
}
