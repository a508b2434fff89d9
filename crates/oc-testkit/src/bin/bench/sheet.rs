//! The table and its JSON twin.

use crate::figures::Figures;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

#[derive(Serialize)]
pub(crate) struct Sheet {
    machine: String,
    rows: Vec<Row>,
    /// What could not be measured here, and why.
    absent: Vec<String>,
}

#[derive(Serialize)]
struct Row {
    group: String,
    name: String,
    unit: &'static str,
    #[serde(flatten)]
    figures: Figures,
    /// The median, relative to that of the group's first row.
    ratio: Option<f64>,
    /// The median must not be above it.
    target: Option<f64>,
    met: Option<bool>,
}

impl Sheet {
    pub(crate) fn new() -> Self {
        let sheet = Self {
            machine: machine(),
            rows: Vec::new(),
            absent: Vec::new(),
        };
        say(&sheet.machine);
        sheet
    }

    pub(crate) fn group(&self, title: &str) {
        say(&format!(
            "\n{title:<56} {:>4} {:>9} {:>9} {:>9}       {:>7}  target (median)",
            "n", "min", "median", "max", "ratio"
        ));
    }

    /// A row; `base` is the median that the ratio refers to. Returns its median.
    pub(crate) fn row(
        &mut self,
        group: &str,
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
            group: group.to_owned(),
            name: name.to_owned(),
            unit,
            ratio: base.map(|base| median / base),
            target,
            met: target.map(|target| median <= target),
            figures,
        };
        let mut line = format!("  {:<54} {:>4}", row.name, row.figures.n);
        for value in [row.figures.min, row.figures.median, row.figures.max] {
            // Writing into a String cannot fail.
            _ = write!(line, " {:>9}", number(value));
        }
        _ = write!(line, "  {unit:<4}");
        _ = write!(
            line,
            " {:>7}",
            row.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2} x"))
        );
        if let (Some(target), Some(met)) = (row.target, row.met) {
            let verdict = if met { "met" } else { "MISSED" };
            _ = write!(line, "  <= {} {unit}: {verdict}", number(target));
        }
        say(&line);
        self.rows.push(row);
        Some(median)
    }

    pub(crate) fn absent(&mut self, name: &str, why: &str) {
        let line = format!("{name}: not measured, {why}");
        say(&format!("  {line}"));
        self.absent.push(line);
    }

    pub(crate) fn end(&self) {
        let judged = self.rows.iter().filter(|row| row.met.is_some()).count();
        let missed: Vec<&Row> = self.rows.iter().filter(|row| row.met == Some(false)).collect();
        say(&format!("\n{} of {judged} targets met", judged - missed.len()));
        for row in missed {
            say(&format!("  missed: {}: {}", row.group, row.name));
        }
    }

    pub(crate) fn save(&self, file: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        std::fs::write(file, text)
    }
}

fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.3}"),
    }
}

pub(crate) fn say(text: &str) {
    // Whoever closed the pipe still gets the JSON.
    drop(writeln!(std::io::stdout(), "{text}"));
}

fn machine() -> String {
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_default()
            .to_owned();
        line.rsplit(": ").next().unwrap_or_default().trim().to_owned()
    };
    let uname = rustix::system::uname();
    format!(
        "oc {}, {} {} {}, {} cores of {}, load average {}",
        env!("CARGO_PKG_VERSION"),
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy(),
        std::thread::available_parallelism().map_or(0, usize::from),
        first("/proc/cpuinfo", "model name"),
        first("/proc/loadavg", "")
    )
}
