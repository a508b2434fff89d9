//! The table: on the terminal as it grows, and as JSON. Its Markdown is in markdown.rs.

use crate::figures::Figures;
use crate::{markdown, world};
use oc_testkit::results;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

#[derive(Serialize)]
pub(crate) struct Sheet {
    schema: &'static str,
    pub(crate) at: String,
    pub(crate) version: &'static str,
    pub(crate) machine: String,
    /// Of the other programs in the table.
    pub(crate) versions: Vec<String>,
    pub(crate) took_s: u64,
    pub(crate) rows: Vec<Row>,
    /// What could not be measured here, and why.
    pub(crate) absent: Vec<String>,
    #[serde(skip)]
    begun: Instant,
    #[serde(skip)]
    group: &'static str,
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) group: &'static str,
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    #[serde(flatten)]
    pub(crate) figures: Figures,
    /// The median, relative to that of another row.
    pub(crate) ratio: Option<f64>,
    /// The median must not be above it.
    pub(crate) target: Option<f64>,
    met: Option<bool>,
}

impl Row {
    /// `<= 5 ms: met`; nothing where there is no target.
    pub(crate) fn verdict(&self) -> String {
        let (Some(target), Some(met)) = (self.target, self.met) else {
            return String::new();
        };
        let verdict = if met { "met" } else { "MISSED" };
        let unit = if self.unit.is_empty() { "" } else { " " };
        format!("<= {}{unit}{}: {verdict}", number(target), self.unit)
    }

    pub(crate) fn ratio(&self) -> String {
        self.ratio
            .map_or_else(String::new, |ratio| format!("{} x", number(ratio)))
    }
}

impl Sheet {
    pub(crate) fn new() -> Self {
        let sheet = Self {
            schema: "oc.bench/1",
            at: results::now(),
            version: env!("CARGO_PKG_VERSION"),
            machine: format!("{}, load average {}", results::machine(), results::load()),
            versions: world::versions(),
            took_s: 0,
            rows: Vec::new(),
            absent: Vec::new(),
            begun: Instant::now(),
            group: "",
        };
        say(&format!("{}, oc {}, {}", sheet.at, sheet.version, sheet.machine));
        say(&sheet.versions.join("; "));
        sheet
    }

    pub(crate) fn group(&mut self, title: &'static str) {
        self.group = title;
        say(&format!(
            "\n{title:<58} {:>4} {:>9} {:>9} {:>9}       {:>8}  target (median)",
            "n", "min", "median", "max", "ratio"
        ));
    }

    /// A row; `base` is the median that the ratio refers to. Returns its median.
    pub(crate) fn row(
        &mut self,
        name: &str,
        unit: &'static str,
        figures: Option<Figures>,
        base: Option<f64>,
        target: Option<f64>,
    ) -> Option<f64> {
        let Some(figures) = figures else {
            self.absent(name, "it could not be run");
            return None;
        };
        let median = figures.median;
        let row = Row {
            group: self.group,
            name: name.to_owned(),
            unit,
            ratio: base.map(|base| median / base),
            target,
            met: target.map(|target| median <= target),
            figures,
        };
        let mut line = format!("  {:<56} {:>4}", row.name, row.figures.n);
        for value in [row.figures.min, row.figures.median, row.figures.max] {
            // Writing into a String cannot fail.
            _ = write!(line, " {:>9}", number(value));
        }
        _ = write!(line, "  {unit:<4} {:>8}  {}", row.ratio(), row.verdict());
        say(line.trim_end());
        self.rows.push(row);
        Some(median)
    }

    pub(crate) fn absent(&mut self, name: &str, why: &str) {
        let line = format!("{name}: not measured, {why}");
        say(&format!("  {line}"));
        self.absent.push(format!("{}: {line}", self.group));
    }

    pub(crate) fn end(&mut self) {
        self.took_s = self.begun.elapsed().as_secs();
        say(&format!("\n{}; {} s in all", self.summary(), self.took_s));
    }

    pub(crate) fn summary(&self) -> String {
        let judged = self.rows.iter().filter(|row| row.met.is_some()).count();
        let missed: Vec<String> = self
            .rows
            .iter()
            .filter(|row| row.met == Some(false))
            .map(|row| format!("{}: {}", row.group, row.name))
            .collect();
        match missed.as_slice() {
            [] => format!("{judged} of {judged} targets met"),
            _ => format!(
                "{} of {judged} targets met; missed: {}",
                judged - missed.len(),
                missed.join("; ")
            ),
        }
    }

    pub(crate) fn save(&self, dir: &Path) -> std::io::Result<()> {
        results::save(dir, "bench", self, &markdown::page(self))
    }
}

/// Three digits that say something.
pub(crate) fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 || value == value.trunc() => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

pub(crate) fn say(text: &str) {
    // Whoever closed the pipe still gets the files.
    drop(writeln!(std::io::stdout(), "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_to_three_digits() {
        let shown = [0.0, 0.1234, 1.5, 12.34, 123.4, 60.0].map(number);
        assert_eq!(shown, ["0", "0.123", "1.50", "12.3", "123", "60"]);
    }
}
