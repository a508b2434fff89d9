//! The table: on the terminal, as Markdown and as JSON.

use crate::cadence::EVERY_MS;
use crate::cli::Cli;
use crate::ground::Run;
use crate::judge::{self, Line};
use crate::sample::Sample;
use crate::series::median;
use oc_testkit::results;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;

#[derive(Serialize)]
pub(crate) struct Sheet {
    schema: &'static str,
    at: String,
    machine: String,
    seed: u64,
    leak: bool,
    took_s: u64,
    passes: u64,
    quiet_passes: u64,
    /// Of those whose beginning was up to the clock alone.
    by_the_clock: usize,
    missed: u64,
    /// How late the machine made anybody meanwhile, in the median.
    machine_late_ms: f64,
    /// Bytes that quiet passes wrote into the journal.
    quiet_journal_bytes: u64,
    messages: usize,
    faults: Vec<Row>,
    series: Vec<Line>,
    findings: Vec<String>,
    samples: Vec<Sample>,
}

/// One kind of fault.
#[derive(Serialize)]
struct Row {
    fault: &'static str,
    times: usize,
    /// From its beginning to serving again, the person's part included.
    median_ms: f64,
    max_ms: f64,
}

impl Row {
    /// The median and the longest.
    fn seconds(&self) -> [String; 2] {
        [self.median_ms, self.max_ms].map(|ms| number(Some(ms / 1000.0)))
    }
}

impl Sheet {
    pub(crate) fn new(options: &Cli, run: &Run) -> Self {
        let faults = run.faults.iter().map(|(fault, took)| {
            let mut took = took.clone();
            Row {
                fault,
                times: took.len(),
                median_ms: median(&mut took).unwrap_or(0.0).round(),
                max_ms: took.iter().copied().fold(0.0, f64::max).round(),
            }
        });
        Self {
            schema: "oc.soak/1",
            at: results::now(),
            machine: format!(
                "oc {}, {}, load average at the end {}",
                env!("CARGO_PKG_VERSION"),
                results::machine(),
                results::load()
            ),
            seed: options.seed,
            leak: options.leak,
            took_s: run.took.as_secs(),
            passes: run.cadence.passes,
            quiet_passes: run.quiet.passes,
            by_the_clock: run.cadence.late.len(),
            missed: run.cadence.missed(),
            machine_late_ms: median(&mut run.cadence.machine.clone()).unwrap_or(0.0),
            quiet_journal_bytes: run.quiet.journal_bytes,
            messages: run.told,
            faults: faults.collect(),
            series: judge::lines(run),
            findings: judge::findings(run),
            samples: run.samples.clone(),
        }
    }

    pub(crate) fn green(&self) -> bool {
        self.findings.is_empty() && self.series.iter().all(|line| line.good)
    }

    fn verdict(&self) -> String {
        let bad: Vec<&str> = self
            .series
            .iter()
            .filter(|line| !line.good)
            .map(|line| line.what)
            .collect();
        let faults: usize = self.faults.iter().map(|row| row.times).sum();
        let lead = format!(
            "{} passes in {} s, {faults} faults healed, {} messages to people",
            self.passes, self.took_s, self.messages
        );
        if self.green() {
            return format!("{lead}: nothing grows, drifts or stays broken");
        }
        format!(
            "{lead}: {}",
            bad.into_iter()
                .chain(self.findings.iter().map(String::as_str))
                .collect::<Vec<_>>()
                .join("; ")
        )
    }

    fn cadence(&self) -> String {
        format!(
            "{} passes began by the clock alone, one {} s after the other; {} were left out although the machine would have let \
             them begin. The machine made anybody late by {:.1} ms in the median, which is no drift. {} quiet passes wrote {} bytes \
             into the journal.",
            self.by_the_clock,
            EVERY_MS / 1000.0,
            self.missed,
            self.machine_late_ms,
            self.quiet_passes,
            self.quiet_journal_bytes
        )
    }
}

/// One line while it runs.
pub(crate) fn progress(now: &Sample, before: Option<&Sample>, wrong: usize) -> String {
    let cpu = before
        .filter(|before| now.passes > before.passes)
        .map_or(0.0, |before| {
            (now.cpu_ms - before.cpu_ms) / (now.passes - before.passes) as f64
        });
    let minutes = now.at_s as u64 / 60;
    format!(
        "{minutes:>3}:{:02} {:>5} passes {:>4} faults {wrong} not healed | supervisor {:.0} of {:.0} KiB, {} fd, {} threads | {} processes, {} temporary, \
         {} files, {} incidents, journal {:.0} KiB | {cpu:.1} ms CPU a pass",
        now.at_s as u64 % 60,
        now.passes,
        now.faults,
        now.supervisor.allocated_kib,
        now.supervisor.rss_kib,
        now.supervisor.descriptors,
        now.supervisor.threads,
        now.processes,
        now.temporary,
        now.files,
        now.incidents,
        now.journal_bytes / 1024.0,
    )
}

pub(crate) fn table(sheet: &Sheet) -> String {
    let mut text = String::new();
    for line in &sheet.series {
        let [first, median, last, max, growth, limit] = figures(line);
        let mark = if line.good { "ok" } else { "BAD" };
        // Writing into a String cannot fail.
        _ = writeln!(
            text,
            "{mark:<4} {:<62} {first:>10} {median:>10} {last:>10} {max:>10} {growth:>9} of {limit:>6} {}",
            line.what, line.unit
        );
    }
    for row in &sheet.faults {
        let [median, max] = row.seconds();
        _ = writeln!(
            text,
            "{:>4} times {:<66} {median:>8} s, at most {max} s",
            row.times, row.fault
        );
    }
    format!("\n{text}\n{}\n\n{}", sheet.cadence(), sheet.verdict())
}

pub(crate) fn save(sheet: &Sheet, dir: &Path) -> std::io::Result<()> {
    results::save(dir, "soak", sheet, &markdown(sheet))
}

fn markdown(sheet: &Sheet) -> String {
    let mut text = format!(
        "# Soak: does anything grow, drift or stay broken?\n\nThe tools look after the stand-in gateway under `oc-guardian supervise`, \
         a pass each second, with random faults in between (seed {}). {}, {}. Made by `make soak`.\n\n**{}.**\n\n{}\n\n\
         Each series is measured 60 times, in a quiet moment, the smallest of 12 looks. Growth is that over the second half: the \
         Theil-Sen slope, times its length, of the smallest of five samples.\n\n\
         | | series | first | median | last | max | growth | may grow by | |\n|---|---|---:|---:|---:|---:|---:|---:|---|\n",
        sheet.seed,
        sheet.at,
        sheet.machine,
        sheet.verdict(),
        sheet.cadence()
    );
    for line in &sheet.series {
        let mark = if line.good { "ok" } else { "**bad**" };
        let figures = figures(line).join(" | ");
        // Writing into a String cannot fail.
        _ = writeln!(text, "| {mark} | {} | {figures} | {} |", line.what, line.unit);
    }
    text += "\n| fault | times | serving again after (median) | at most |\n|---|---:|---:|---:|\n";
    for row in &sheet.faults {
        let [median, max] = row.seconds();
        _ = writeln!(text, "| {} | {} | {median} s | {max} s |", row.fault, row.times);
    }
    text
}

/// In the order of the columns.
fn figures(line: &Line) -> [String; 6] {
    let known = [line.first, line.median, line.last, line.max].map(Some);
    let [first, median, last, max] = known.map(number);
    [first, median, last, max, number(line.growth), number(line.limit)]
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"))
}
