//! The table: on the terminal, as Markdown and as JSON, with a picture of the times.

use crate::case::Case;
use crate::cli::Options;
use crate::judge::Verdict;
use crate::{plot, real};
use oc_testkit::results;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

const STAND_IN: &str =
    "stand-in under oc-guardian supervise, times scaled by config.json (a pass each second, hung after 1 s)";

#[derive(Serialize)]
pub(crate) struct Sheet {
    schema: &'static str,
    at: String,
    version: &'static str,
    machine: String,
    gateway: String,
    made_by: &'static str,
    repetitions: u32,
    jobs: u32,
    took_s: u64,
    pub(crate) rows: Vec<Row>,
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) id: &'static str,
    class: &'static str,
    pub(crate) fault: &'static str,
    expected: &'static str,
    predecessor: Option<&'static str>,
    /// Why it was not done.
    skipped: Option<String>,
    detected: Option<Range>,
    pub(crate) recovered: Option<Range>,
    /// The longest time in which nobody served.
    outage: Option<Range>,
    runs: Vec<Verdict>,
}

/// Of the repetitions, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Range {
    pub(crate) min_ms: u64,
    pub(crate) median_ms: u64,
    pub(crate) max_ms: u64,
}

impl Range {
    pub(crate) fn of(times: impl Iterator<Item = u64>) -> Option<Self> {
        let mut times: Vec<u64> = times.collect();
        times.sort_unstable();
        Some(Self {
            min_ms: *times.first()?,
            median_ms: *times.get(times.len() / 2)?,
            max_ms: *times.last()?,
        })
    }

    pub(crate) fn words(range: Option<Self>) -> String {
        let seconds = |ms: u64| {
            if ms < 1000 {
                format!("{ms} ms")
            } else {
                format!("{:.1} s", Duration::from_millis(ms).as_secs_f64())
            }
        };
        match range {
            None => "-".to_owned(),
            Some(range) if range.min_ms == range.max_ms => seconds(range.median_ms),
            Some(range) => format!(
                "{} ({} to {})",
                seconds(range.median_ms),
                seconds(range.min_ms),
                seconds(range.max_ms)
            ),
        }
    }
}

impl Row {
    pub(crate) fn skipped(case: &Case, why: String) -> Self {
        Self {
            skipped: Some(why),
            ..Self::done(case, Vec::new())
        }
    }

    pub(crate) fn done(case: &Case, runs: Vec<Verdict>) -> Self {
        Self {
            id: case.id,
            class: case.class.name(),
            fault: case.fault,
            expected: case.end.words(),
            predecessor: case.predecessor,
            skipped: None,
            detected: Range::of(runs.iter().filter_map(|run| run.detected_ms)),
            recovered: Range::of(runs.iter().filter_map(|run| run.recovered_ms)),
            outage: Range::of(runs.iter().filter_map(|run| run.outage_ms)),
            runs,
        }
    }

    fn misses(&self) -> Vec<&str> {
        self.runs
            .iter()
            .flat_map(|run| &run.misses)
            .map(String::as_str)
            .collect()
    }

    fn outcome(&self) -> &'static str {
        match (&self.skipped, self.misses().is_empty()) {
            (Some(_), _) => "skipped",
            (None, true) => "as declared",
            (None, false) => "MISSED",
        }
    }

    fn level(&self) -> String {
        let level = self.runs.iter().filter_map(|run| run.level).max();
        level.map_or("-".to_owned(), |level| level.to_string())
    }

    fn actions(&self) -> String {
        let longest = self
            .runs
            .iter()
            .map(|run| &run.actions)
            .max_by_key(|actions| actions.len());
        longest
            .filter(|actions| !actions.is_empty())
            .map_or("-".to_owned(), |actions| actions.join(", "))
    }

    fn wrong(&self) -> usize {
        self.runs.iter().map(|run| run.wrong.len()).sum()
    }

    fn alerts(&self) -> usize {
        self.runs.iter().map(|run| run.alerts.len()).max().unwrap_or(0)
    }

    /// As it goes over the terminal.
    pub(crate) fn line(&self) -> String {
        let mut line = format!(
            "{:<5} {:<11} {}; {}: detected {}, serving {}; {}; {} alerts",
            self.id,
            self.outcome(),
            self.fault,
            self.expected,
            Range::words(self.detected),
            Range::words(self.recovered),
            self.actions(),
            self.alerts()
        );
        if let Some(why) = &self.skipped {
            line = format!("{:<5} {:<11} {}: {why}", self.id, self.outcome(), self.fault);
        }
        for miss in self.misses() {
            // Writing into a String cannot fail.
            _ = write!(line, "\n        {miss}");
        }
        line
    }
}

impl Sheet {
    pub(crate) fn new(rows: Vec<Row>, options: &Options, took: Duration) -> Self {
        Self {
            schema: "oc.chaos/1",
            at: results::now(),
            version: env!("CARGO_PKG_VERSION"),
            machine: results::machine(),
            gateway: if options.real {
                real::words()
            } else {
                STAND_IN.to_owned()
            },
            made_by: if options.real {
                "make chaos REAL=1"
            } else {
                "make chaos"
            },
            repetitions: options.measured.repeat,
            jobs: options.measured.work.jobs,
            took_s: took.as_secs(),
            rows,
        }
    }

    fn count(&self, outcome: &str) -> usize {
        self.rows.iter().filter(|row| row.outcome() == outcome).count()
    }

    pub(crate) fn green(&self) -> bool {
        self.count("MISSED") == 0
    }
}

/// The last line.
pub(crate) fn summary(sheet: &Sheet) -> String {
    let wrong: usize = sheet.rows.iter().map(Row::wrong).sum();
    format!(
        "\n{} as declared, {} missed, {} skipped; {wrong} wrong or needless actions; {} s",
        sheet.count("as declared"),
        sheet.count("MISSED"),
        sheet.count("skipped"),
        sheet.took_s
    )
}

/// As `NAME.md`, `NAME.json` and `NAME.svg`.
pub(crate) fn save(sheet: &Sheet, dir: &Path, name: &str) -> std::io::Result<()> {
    results::save(dir, name, sheet, &markdown(sheet, name))?;
    std::fs::write(dir.join(format!("{name}.svg")), plot::recoveries(&sheet.rows))
}

fn markdown(sheet: &Sheet, name: &str) -> String {
    let mut text = format!(
        "# Chaos: every fault, and what came of it\n\n{}, oc {}, {}. Gateway: {}. {} repetition(s), {} at a time, {} s in all; \
         times are medians with their range. Made by `{}`.\n{}.\n\n![Recovery times]({name}.svg)\n\n\
         | id | class | fault | must end as | outcome | detected | serving again | longest outage | level | actions | wrong | alerts | predecessor |\n\
         |---|---|---|---|---|---:|---:|---:|---:|---|---:|---:|---|\n",
        sheet.at,
        sheet.version,
        sheet.machine,
        sheet.gateway,
        sheet.repetitions,
        sheet.jobs,
        sheet.took_s,
        sheet.made_by,
        summary(sheet)
    );
    for row in &sheet.rows {
        let outcome = row.skipped.as_deref().unwrap_or_else(|| row.outcome());
        // Writing into a String cannot fail.
        _ = writeln!(
            text,
            "| {} | {} | {} | {} | {outcome} | {} | {} | {} | {} | {} | {} | {} | {} |",
            row.id,
            row.class,
            row.fault.replace('|', "\\|"),
            row.expected,
            Range::words(row.detected),
            Range::words(row.recovered),
            Range::words(row.outage),
            row.level(),
            row.actions(),
            row.wrong(),
            row.alerts(),
            row.predecessor.unwrap_or_default()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_shown_only_when_there_is_one() {
        assert_eq!(Range::words(Range::of([7].into_iter())), "7 ms");
        assert_eq!(
            Range::words(Range::of([2_000, 7, 900].into_iter())),
            "900 ms (7 ms to 2.0 s)"
        );
        assert_eq!(Range::words(Range::of(std::iter::empty())), "-");
    }
}
