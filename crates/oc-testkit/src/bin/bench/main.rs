//! `bench`: measures the release binaries beside other programs that do the same, and prints one table. Run by scripts/bench.
//! Ratios of one run are what counts: the machine is part of every figure. One file per part.
//!
//! Exit: 0 measured, whether or not the targets are met; 64 usage, 74 the results cannot be written.

mod agent;
mod binaries;
mod check;
mod cli;
mod cost;
mod figures;
mod instructions;
mod many;
mod markdown;
mod pass;
mod policy;
mod probe;
mod record;
mod recovery;
mod repair;
mod sheet;
mod supervisors;
mod trace;
mod world;

use clap::Parser as _;
use sheet::{Sheet, say};
use std::process::ExitCode;

type Part = (&'static str, fn(&mut Sheet));

const PARTS: &[Part] = &[
    ("pass", pass::healthy_pass),
    ("probe", probe::one_probe),
    ("instructions", instructions::counted),
    ("binaries", binaries::binaries),
    ("config", check::configuration),
    ("policy", policy::year),
    ("record", record::year_and_million),
    ("many", many::instances),
    ("crash", recovery::crash),
    ("hang", recovery::hang),
    ("defaults", recovery::hang_by_default),
    ("repair", repair::configuration),
    ("agent", agent::end_of_work),
];

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let known = |name: &&String| PARTS.iter().any(|(part, _)| part == name);
    if let Some(unknown) = cli.only.iter().find(|name| !known(name)) {
        say(&format!("bench: no part {unknown}; see `bench --list`"));
        return ExitCode::from(64);
    }
    let wanted = |part: &&Part| cli.only.is_empty() || cli.only.iter().any(|name| name == part.0);
    if cli.list {
        PARTS.iter().for_each(|(name, _)| say(name));
        return ExitCode::SUCCESS;
    }
    let mut sheet = Sheet::new();
    for (_, measure) in PARTS.iter().filter(wanted) {
        measure(&mut sheet);
    }
    sheet.end();
    match cli.out.map_or(Ok(()), |dir| sheet.save(&dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("bench: cannot write the results: {error}"));
            ExitCode::from(74)
        }
    }
}
