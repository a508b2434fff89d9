//! How many instructions the tools execute on the healthy path. The same on a busy machine and on a quiet one.

use crate::cost;
use crate::figures::Figures;
use crate::pass::{Healthy, NOTHING};
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin};
use std::path::Path;

/// What still varies is how an answer arrives.
const RUNS: usize = 3;

pub(crate) fn counted(sheet: &mut Sheet) {
    sheet.group("instructions, by callgrind (thousands)");
    let healthy = Healthy::new();
    let env = &healthy.env;
    let port = healthy.port.to_string();
    let report = healthy.report.display().to_string();
    let least = sheet.row(
        "the least: a static program, one GET",
        "k",
        counts(env, &[], "bench-get", &[&port]),
        None,
        None,
    );
    for words in [
        &["oc-probe", "--checks", "liveness", "--quiet"][..],
        &["oc-probe", "--json"],
        &["oc-escalate", "run", "--", NOTHING],
    ] {
        let figures = counts(env, &[], words[0], &words[1..]);
        sheet.row(&words.join(" "), "k", figures, least, None);
    }
    // As a step of a pass, which writes what it has seen.
    let pass = [
        bin("oc-escalate").display().to_string(),
        "run".to_owned(),
        "--".to_owned(),
    ];
    let words = ["decide", "--json", "--probe", &report];
    let figures = counts(env, &pass, "oc-escalate", &words);
    sheet.row("oc-escalate decide, within a pass", "k", figures, least, None);
}

/// `before` is a command that runs the rest of its line.
fn counts(env: &TestEnv, before: &[String], program: &str, args: &[&str]) -> Option<Figures> {
    (0..RUNS)
        .map(|_| count(env, before, program, args))
        .collect::<Option<_>>()
        .and_then(Figures::of)
}

fn count(env: &TestEnv, before: &[String], program: &str, args: &[&str]) -> Option<f64> {
    let out = env.path("callgrind.out");
    let mut line = before.to_vec();
    line.extend(["valgrind", "--tool=callgrind", "--quiet"].map(str::to_owned));
    line.push(format!("--callgrind-out-file={}", out.display()));
    line.push(bin(program).display().to_string());
    let mut command = env.std_command(&line[0]);
    command.args(&line[1..]).args(args);
    let ran = cost::once(&mut command).ok()?.status.success();
    total(&out).filter(|_| ran)
}

fn total(file: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("totals: "))?;
    Some(line.trim().parse::<f64>().ok()? / 1000.0)
}
