//! The record at full size: a year of it, and a million events.

use crate::cost;
use crate::pass::Healthy;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin, scripts, wall_ms};
use serde_json::{Value, json};
use std::io::{BufWriter, Write};
use std::path::Path;

const RUNS: usize = 10;
/// Milliseconds of CPU: the wall would measure the machine's other work as well.
const STATUS: f64 = 100.0;
const DIGEST: f64 = 2000.0;
/// One more than the old files that the journal keeps.
const FILES: u32 = 4;
const SAMPLE: i64 = 300_000;
const DAY: i64 = 86_400_000;

pub(crate) fn year_and_million(sheet: &mut Sheet) {
    sheet.group("the record: a year of passes (107 310 events)");
    let env = TestEnv::new();
    if let Err(error) = write_year(&env.watchdog()) {
        return sheet.absent("the record", &error.to_string());
    }
    let digest = ["oc-report", "digest", "--since", "365d"];
    cpu(sheet, &env, &["oc-escalate", "status"], Some(STATUS));
    cpu(sheet, &env, &["oc-report", "status"], Some(STATUS));
    cpu(sheet, &env, &digest, Some(DIGEST));
    drop(env);

    sheet.group("the record: a million events, in 4 files");
    let healthy = Healthy::new();
    let env = &healthy.env;
    heal(sheet, env, "a healthy pass without it: CPU");
    if let Err(error) = write_million(&env.watchdog()) {
        return sheet.absent("the record", &error.to_string());
    }
    heal(sheet, env, "a healthy pass with it: CPU");
    cpu(sheet, env, &["oc-escalate", "status"], Some(STATUS));
    cpu(sheet, env, &["oc-report", "status"], Some(STATUS));
    cpu(sheet, env, &digest, None);
}

fn cpu(sheet: &mut Sheet, env: &TestEnv, words: &[&str], target: Option<f64>) {
    let mut command = env.std_command(bin(words[0]));
    command.args(&words[1..]);
    let costs = cost::many(RUNS, &mut command).filter(|costs| costs.iter().all(|cost| cost.status.success()));
    let figures = costs.as_deref().and_then(cost::cpu);
    sheet.row(&format!("{}: CPU", words.join(" ")), "ms", figures, None, target);
}

fn heal(sheet: &mut Sheet, env: &TestEnv, name: &str) {
    let costs = cost::many(RUNS, &mut env.std_command(scripts().join("oc-heal")));
    sheet.row(name, "ms", costs.as_deref().and_then(cost::cpu), None, None);
}

/// A sample every five minutes and one incident a day, up to now.
fn write_year(dir: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(dir)?;
    let mut file = BufWriter::new(std::fs::File::create(dir.join("journal.jsonl"))?);
    let begun = wall_ms() - 365 * DAY;
    for day in 0..365 {
        let at = begun + day * DAY;
        incident(&mut file, at, day)?;
        for n in 0..DAY / SAMPLE {
            sample(&mut file, at + n * SAMPLE)?;
        }
    }
    file.flush()
}

/// As much as the journal ever holds.
fn write_million(dir: &Path) -> std::io::Result<()> {
    let (each, end) = (1_000_000 / i64::from(FILES), wall_ms());
    for n in 0..FILES {
        let name = match n {
            0 => "journal.jsonl".to_owned(),
            n => format!("journal.jsonl.{n}"),
        };
        let mut file = BufWriter::new(std::fs::File::create(dir.join(name))?);
        let last = end - i64::from(n) * each * SAMPLE / 10;
        for event in (0..each).rev() {
            sample(&mut file, last - event * SAMPLE / 10)?;
        }
        file.flush()?;
    }
    Ok(())
}

fn sample(to: &mut impl Write, at: i64) -> std::io::Result<()> {
    let facts = json!({"health": "healthy", "rss_bytes": 503_316_480, "latency_p50_ms": 3, "latency_p95_ms": 12});
    event(to, at, "sample", "", &Value::Null, facts)
}

fn incident(to: &mut impl Write, at: i64, day: i64) -> std::io::Result<()> {
    let id = json!(format!("2026-{day}"));
    let attempt = json!({"number": 1, "action": "restart", "method": "start", "class": "process_gone"});
    event(
        to,
        at,
        "exited",
        "ended by signal 9",
        &Value::Null,
        json!({"signal": 9}),
    )?;
    event(
        to,
        at + 1,
        "incident_opened",
        "the process is gone",
        &id,
        json!({"class": "process_gone"}),
    )?;
    event(to, at + 20_000, "attempt", "restart: start", &id, attempt)?;
    event(
        to,
        at + 21_000,
        "outcome",
        "serving again",
        &id,
        json!({"number": 1, "healthy": true}),
    )?;
    event(
        to,
        at + 22_000,
        "ready",
        "serves",
        &Value::Null,
        json!({"pid": 100 + day}),
    )?;
    event(
        to,
        at + 40_000,
        "incident_closed",
        "healthy for 10 s",
        &id,
        json!({"took_ms": 40_000}),
    )
}

fn event(to: &mut impl Write, at: i64, kind: &str, text: &str, incident: &Value, data: Value) -> std::io::Result<()> {
    let stamp = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    let mut line = json!({"wall_ms": at, "boot_ms": 1, "awake_ms": 1, "boot": "b", "at": format!("{stamp:.3}"), "kind": kind,
        "tool": "oc-escalate", "instance": "default", "text": text, "data": data});
    if !incident.is_null() {
        line["incident"] = incident.clone();
    }
    writeln!(to, "{line}")
}
