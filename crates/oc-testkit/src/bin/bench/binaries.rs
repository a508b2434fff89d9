//! The binaries themselves: how large they are, and how long they take to do nothing.

use crate::cost;
use crate::figures::Figures;
use crate::sheet::Sheet;
use oc_testkit::{TestEnv, bin};
use std::path::Path;

const RUNS: usize = 100;
const TOOLS: [&str; 7] = [
    "oc-probe",
    "oc-escalate",
    "oc-guardian",
    "oc-doctor",
    "oc-claude-pty",
    "oc-notify",
    "oc-report",
];

pub(crate) fn binaries(sheet: &mut Sheet) {
    sheet.group("binaries: start-up and size");
    let env = TestEnv::new();
    let nothing = |program: &str, arg: &str| {
        let mut command = env.std_command(bin(program));
        command.arg(arg);
        cost::wall(&cost::many(RUNS, &mut command)?)
    };
    let least = sheet.row(
        "the least: a static program that does nothing",
        "ms",
        nothing("bench-get", "0"),
        None,
        None,
    );
    for tool in TOOLS {
        sheet.row(
            &format!("{tool} --version"),
            "ms",
            nothing(tool, "--version"),
            least,
            None,
        );
    }
    for tool in TOOLS {
        sheet.row(&format!("{tool}: size"), "MiB", size(&bin(tool)), None, None);
    }
}

fn size(path: &Path) -> Option<Figures> {
    let kib = u32::try_from(std::fs::metadata(path).ok()?.len() >> 10).ok()?;
    Figures::of(vec![f64::from(kib) / 1024.0])
}
