//! The policy at full speed, the history at full size, and the binaries themselves.

use crate::cost;
use crate::figures::Figures;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin};
use serde_json::json;
use std::fmt::Write as _;
use std::path::Path;

const RUNS: usize = 10;
/// Milliseconds of CPU: the wall would measure the machine's other work as well.
const YEAR: f64 = 1000.0;
const STATUS: f64 = 100.0;

/// A pass every 30 s, and one crash a day that level 0 and one restart of ours heal.
fn trace() -> String {
    let mut text = String::new();
    for day in 0..365 {
        // Writing into a String cannot fail.
        _ = writeln!(text, r#"{{"pid": {}, "repeat": 2876}}"#, 100 + day);
        _ = writeln!(
            text,
            r#"{{"class": "process_gone", "exits": [{{"signal": 9, "was_ready": true}}], "repeat": 4}}"#
        );
    }
    text
}

/// A year of samples and one incident a day, up to the size at which the journal is rotated.
fn journal() -> String {
    let event = json!({"wall_ms": 1_767_225_600_000_u64, "boot_ms": 1, "awake_ms": 1, "boot": "b", "at": "2026-01-01T00:00:00.000Z",
        "kind": "sample", "tool": "oc-escalate", "instance": "default", "text": "rss 480 MB, p95 12 ms",
        "data": {"rss_min_bytes": 503_316_480, "p95_ms": 12}});
    format!("{event}\n").repeat(365 * 288)
}

pub(crate) fn year_and_status(sheet: &mut Sheet) {
    let group = "policy and history";
    sheet.group(group);
    let env = TestEnv::new();
    let file = env.write("year.jsonl", trace());
    let mut command = env.std_command(bin("oc-escalate"));
    command.args(["simulate", "--quiet", "--trace"]).arg(file);
    let costs = cost::many(RUNS, &mut command);
    sheet.row(
        group,
        "a simulated year of passes (1 051 200): CPU",
        "ms",
        costs.as_deref().and_then(cost::cpu),
        None,
        Some(YEAR),
    );
    let journal = env.write(".openclaw/watchdog/journal.jsonl", journal());
    let mib = std::fs::metadata(journal).map_or(0, |meta| meta.len()) >> 20;
    let mut command = env.std_command(bin("oc-escalate"));
    command.arg("status");
    let costs = cost::many(RUNS, &mut command);
    let name = format!("oc-escalate status over a year of journal ({mib} MiB): CPU");
    sheet.row(
        group,
        &name,
        "ms",
        costs.as_deref().and_then(cost::cpu),
        None,
        Some(STATUS),
    );
}

pub(crate) fn binaries(sheet: &mut Sheet) {
    let group = "binaries";
    sheet.group(group);
    let env = TestEnv::new();
    let mut base = None;
    for tool in [
        "bench-get",
        "oc-probe",
        "oc-escalate",
        "oc-guardian",
        "oc-doctor",
        "oc-claude-pty",
        "oc-notify",
        "oc-report",
    ] {
        let Some(path) = built(tool) else { continue };
        let mut command = env.std_command(&path);
        command.arg(if tool == "bench-get" { "0" } else { "--version" });
        let costs = cost::many(100, &mut command);
        let name = match tool {
            "bench-get" => "the least: a static program that does nothing".to_owned(),
            _ => format!("{tool} --version"),
        };
        let median = sheet.row(group, &name, "ms", wall(costs.as_deref()), base, None);
        base = base.or(median);
        if tool != "bench-get" {
            sheet.row(group, &format!("{tool}: size"), "MiB", size(&path), None, None);
        }
    }
}

fn built(tool: &str) -> Option<std::path::PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name(tool);
    path.is_file().then_some(path)
}

fn size(path: &Path) -> Option<Figures> {
    let kib = u32::try_from(std::fs::metadata(path).ok()?.len() >> 10).ok()?;
    Figures::of(vec![f64::from(kib) / 1024.0])
}

fn wall(costs: Option<&[cost::Cost]>) -> Option<Figures> {
    cost::wall(costs?)
}
