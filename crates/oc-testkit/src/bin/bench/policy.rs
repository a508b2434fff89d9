//! The policy at full speed.

use crate::cost;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin};
use std::fmt::Write as _;

const RUNS: usize = 10;
/// Milliseconds of CPU: the wall would measure the machine's other work as well.
const YEAR: f64 = 1000.0;

pub(crate) fn year(sheet: &mut Sheet) {
    sheet.group("the policy");
    let env = TestEnv::new();
    let file = env.write("year.jsonl", trace());
    let mut command = env.std_command(bin("oc-escalate"));
    command.args(["simulate", "--quiet", "--trace"]).arg(file);
    let costs = cost::many(RUNS, &mut command);
    sheet.row(
        "a simulated year of passes (1 051 200): CPU",
        "ms",
        costs.as_deref().and_then(cost::cpu),
        None,
        Some(YEAR),
    );
}

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
