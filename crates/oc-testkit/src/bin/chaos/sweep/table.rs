//! The result: on the terminal, as Markdown and as JSON.

use super::Scenario;
use crate::cli::SweepOptions;
use oc_testkit::results;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

#[derive(Serialize)]
pub(crate) struct Sheet {
    schema: &'static str,
    at: String,
    version: &'static str,
    machine: String,
    every: usize,
    took_s: u64,
    rows: Vec<Row>,
}

#[derive(Serialize)]
pub(super) struct Row {
    scenario: &'static str,
    what: &'static str,
    /// Steps of each tool in the run in which nobody was killed.
    steps: BTreeMap<String, usize>,
    points: usize,
    took_s: u64,
    violations: Vec<Violation>,
}

/// Something that must never be.
#[derive(Debug, Serialize)]
pub(super) struct Violation {
    step: usize,
    /// What was about to be done.
    at: String,
    what: String,
}

impl Violation {
    pub(super) fn of(step: usize, at: &str, all: Vec<String>) -> Vec<Self> {
        let one = |what| Self {
            step,
            at: at.to_owned(),
            what,
        };
        all.into_iter().map(one).collect()
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "step {} ({}): {}", self.step, self.at, self.what)
    }
}

impl Row {
    pub(super) fn new(
        scenario: &Scenario,
        steps: &[String],
        points: usize,
        found: Vec<Violation>,
        took: Duration,
    ) -> Self {
        let mut by_tool: BTreeMap<String, usize> = BTreeMap::new();
        for step in steps {
            let tool = step.split(' ').next().unwrap_or_default();
            *by_tool.entry(tool.to_owned()).or_default() += 1;
        }
        Self {
            scenario: scenario.name,
            what: scenario.what,
            steps: by_tool,
            points,
            took_s: took.as_secs(),
            violations: found,
        }
    }

    fn tools(&self) -> String {
        let tools: Vec<String> = self
            .steps
            .iter()
            .map(|(tool, steps)| format!("{tool} {steps}"))
            .collect();
        tools.join(", ")
    }

    pub(super) fn line(&self) -> String {
        let Self {
            scenario,
            points,
            took_s,
            ..
        } = self;
        let (tools, violations) = (self.tools(), self.violations.len());
        let mut line =
            format!("{scenario:<20} {points:>4} points, {violations} violations; {took_s} s; steps: {tools}");
        for violation in &self.violations {
            // Writing into a String cannot fail.
            _ = write!(line, "\n    {violation}");
        }
        line
    }
}

impl Sheet {
    pub(super) fn new(rows: Vec<Row>, options: &SweepOptions, took: Duration) -> Self {
        Self {
            schema: "oc.sweep/1",
            at: results::now(),
            version: env!("CARGO_PKG_VERSION"),
            machine: results::machine(),
            every: options.every(),
            took_s: took.as_secs(),
            rows,
        }
    }

    pub(crate) fn green(&self) -> bool {
        self.violations() == 0
    }

    fn violations(&self) -> usize {
        self.rows.iter().map(|row| row.violations.len()).sum()
    }

    /// The last line.
    pub(crate) fn summary(&self) -> String {
        let points: usize = self.rows.iter().map(|row| row.points).sum();
        let (scenarios, violations, took_s) = (self.rows.len(), self.violations(), self.took_s);
        format!("{points} kills in {scenarios} scenarios, {violations} violations; {took_s} s")
    }
}

/// Writes sweep.json and sweep.md.
pub(crate) fn save(sheet: &Sheet, dir: &Path) -> std::io::Result<()> {
    let Sheet {
        at,
        version,
        machine,
        every,
        ..
    } = sheet;
    let which = if *every == 1 {
        "each step".to_owned()
    } else {
        format!("every {every}th step")
    };
    let mut text = format!(
        "# Crash points: every tool killed at every step\n\n{at}, oc {version}, {machine}. Killed at {which} that changes anything \
         outside of the process; a write counts twice, before it and in its middle. Then normal passes, then the invariants. Made \
         by `make sweep`.\n{}.\n\n| scenario | what is done | steps of | points | violations |\n|---|---|---|---:|---:|\n",
        sheet.summary()
    );
    for row in &sheet.rows {
        let (tools, violations) = (row.tools(), row.violations.len());
        // Writing into a String cannot fail.
        _ = writeln!(
            text,
            "| {} | {} | {tools} | {} | {violations} |",
            row.scenario, row.what, row.points
        );
    }
    results::save(dir, "sweep", sheet, &text)
}
