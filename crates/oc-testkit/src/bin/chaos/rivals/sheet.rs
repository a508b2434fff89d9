//! The table: a row per fault, a column per keeper; as Markdown and as JSON.

use super::Keeper;
use super::outcome::Cell;
use crate::case::{Case, Class, End};
use crate::cli::RivalsOptions;
use oc_testkit::results;
use serde::Serialize;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

#[derive(Serialize)]
pub(crate) struct Sheet {
    schema: &'static str,
    at: String,
    machine: String,
    repetitions: u32,
    jobs: u32,
    took_s: u64,
    keepers: Vec<Column>,
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Column {
    name: &'static str,
    setup: Option<String>,
    skipped: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Row {
    id: &'static str,
    class: &'static str,
    fault: &'static str,
    wanted: &'static str,
    /// In the order of the keepers.
    cells: Vec<Cell>,
}

impl Row {
    pub(super) fn new(case: &Case, cells: Vec<Cell>) -> Self {
        let wanted = match case.end {
            End::Healed if case.class == Class::Control => "left alone",
            End::Healed => "healed",
            // Nobody but a person can take the cause away; what is measured is the time from then on.
            End::Human => "serves when the cause is gone",
            End::Passed | End::LeftAlone(_) => "left alone",
        };
        Self {
            id: case.id,
            class: case.class.name(),
            fault: case.fault,
            wanted,
            cells,
        }
    }
}

impl Sheet {
    pub(super) fn new(keepers: &[Keeper], rows: Vec<Row>, options: &RivalsOptions, took: Duration) -> Self {
        let column = |keeper: &Keeper| Column {
            name: keeper.name,
            setup: keeper.setup.clone().ok(),
            skipped: keeper.setup.clone().err(),
        };
        Self {
            schema: "oc.rivals/1",
            at: results::now(),
            machine: results::machine(),
            repetitions: options.measured.repeat,
            jobs: options.measured.work.jobs,
            took_s: took.as_secs(),
            keepers: keepers.iter().map(column).collect(),
            rows,
        }
    }

    pub(crate) fn ours_is_good(&self) -> bool {
        self.rows
            .iter()
            .all(|row| row.cells[0].good() || row.cells[0].skipped())
    }

    pub(crate) fn save(&self, dir: &Path) -> std::io::Result<()> {
        results::save(dir, "rivals", self, &self.markdown())
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "# Rivals: the same faults under other supervisors\n\n{}, {}. {} repetition(s), {} at a time, {} s in all. One stand-in \
             gateway, one observer that asks it every 10 ms, whoever keeps it. Made by `make rivals`.\n\n\
             A time is from the fault to the first good answer that stayed good, the median where it was repeated; where nobody but \
             a person can take the cause away, from that moment on. `no`: not serving 60 s later. Starts of a gateway that got as far as its port are shown where there \
             was more than one. **wrong**: a gateway that was to be left alone was restarted, or started against a person's will. Whether people \
             are told is not compared: monit mails, supervisord does not, and neither says what it could not heal.\n\n",
            self.at, self.machine, self.repetitions, self.jobs, self.took_s
        );
        // Writing into a String cannot fail.
        let names: Vec<&str> = self.keepers.iter().map(|keeper| keeper.name).collect();
        _ = writeln!(text, "| id | fault | wanted | {} |", names.join(" | "));
        _ = writeln!(text, "|---|---|---|{}", "---|".repeat(names.len()));
        for row in &self.rows {
            let cells: Vec<String> = row.cells.iter().map(|cell| escape(&cell.words())).collect();
            _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                row.id,
                escape(row.fault),
                row.wanted,
                cells.join(" | ")
            );
        }
        _ = writeln!(text, "\n| | good | wrong | quicker than oc |\n|---|---:|---:|---|");
        for (n, keeper) in self
            .keepers
            .iter()
            .enumerate()
            .filter(|(_, keeper)| keeper.skipped.is_none())
        {
            let (good, wrong) = (self.count(n, Cell::good), self.count(n, Cell::wrong));
            let asked = self.rows.len() - self.count(n, Cell::skipped);
            _ = writeln!(
                text,
                "| {} | {good} of {asked} | {wrong} | {} |",
                keeper.name,
                self.quicker(n)
            );
        }
        _ = writeln!(
            text,
            "\nHow they are set up, each as its manual allows for the quickest healing:\n"
        );
        for keeper in &self.keepers {
            let skipped = || format!("skipped: {}", keeper.skipped.as_deref().unwrap_or_default());
            _ = writeln!(
                text,
                "- {}: {}",
                keeper.name,
                keeper.setup.clone().unwrap_or_else(skipped)
            );
        }
        text
    }

    fn count(&self, keeper: usize, of: impl Fn(&Cell) -> bool) -> usize {
        self.rows.iter().filter(|row| of(&row.cells[keeper])).count()
    }

    /// The faults that this keeper heals sooner than ours.
    fn quicker(&self, keeper: usize) -> String {
        let sooner = |row: &&Row| match (row.cells[keeper].served, row.cells[0].served) {
            (Some(theirs), Some(ours)) => theirs.median_ms < ours.median_ms,
            (theirs, None) => theirs.is_some(),
            _ => false,
        };
        let ids: Vec<&str> = self.rows.iter().filter(sooner).map(|row| row.id).collect();
        if ids.is_empty() { "-".to_owned() } else { ids.join(" ") }
    }
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
