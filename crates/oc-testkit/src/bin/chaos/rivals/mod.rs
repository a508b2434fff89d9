//! The same faults under other supervisors, with the same gateway and the same observer: who heals what and how soon, and who
//! restarts what was to be left alone. One file per rival; ours is the arena without one.

mod monit;
mod outcome;
mod predecessor;
mod sheet;
mod supervisord;

use crate::arena::Arena;
use crate::case::Case;
use crate::cli::RivalsOptions;
use crate::list::{self, say};
use crate::runner;
use oc_testkit::Cmd;
use sheet::Sheet;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Those of the catalogue that are about the gateway and need nothing but it and its supervisor.
const FAULTS: &[&str] = &[
    "P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8", "P9", "P10", "H1", "H2", "H3", "H4", "H5", "H7", "H8", "H9", "H10",
    "R1", "R3", "R5", "C1f", "C2f", "C3f", "C4f", "C5f", "C6f", "N1", "E1", "X1", "X2", "X3", "X4", "X5", "X7", "X8",
];
/// As above; they load the machine, so that nothing else may be measured meanwhile.
const LOADS: &[&str] = &["R4", "X6"];
/// A rival that needs long for a round gets no more than this for several.
const ROUNDS_MOST: Duration = Duration::from_secs(20);

/// Another program in the place of our tools.
pub(crate) trait Rival: Send + Sync {
    fn name(&self) -> &'static str;

    /// Its version and how it is set up, for the reader of the table; the error says why it cannot be asked.
    fn setup(&self) -> Result<String, String>;

    /// Writes its configuration and says how it is started.
    fn command(&self, arena: &Arena) -> Result<Cmd, String>;

    /// What a person types in a shell instead of this line of ours; `None`: it has nothing of the kind.
    fn person(&self, ours: &[&str]) -> Option<String>;

    /// From the first good answer until it looks at the gateway with all its checks.
    fn grace(&self) -> Duration;

    /// Between two looks.
    fn round(&self) -> Duration;

    /// Why this fault cannot be done to it.
    fn exempt(&self, _id: &str) -> Option<&'static str> {
        None
    }

    /// What so many of our passes are worth.
    fn time(&self, rounds: usize) -> Duration {
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        self.round().saturating_mul(rounds).min(ROUNDS_MOST)
    }
}

/// What counts as ill, from a case's settings for our own tools, so that a rival judges by the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Seconds without an answer.
    pub(crate) silence_s: u64,
    /// Megabytes of the whole process tree.
    pub(crate) memory_mb: u64,
}

impl Limits {
    pub(crate) fn of(case: &Case) -> Self {
        let settings = (case.settings)();
        let number = |key: &str| {
            let digits = settings["probe"][key].as_str()?.trim_end_matches(char::is_alphabetic);
            digits.parse().ok()
        };
        Self {
            silence_s: number("hang_after").unwrap_or(1),
            memory_mb: number("memory_limit").unwrap_or(2048),
        }
    }
}

/// A column of the table.
struct Keeper {
    name: &'static str,
    /// How it is set up, or why it is not asked.
    setup: Result<String, String>,
    rival: Option<Arc<dyn Rival>>,
}

impl Keeper {
    fn ours() -> Self {
        let setup = format!(
            "{}; the settings of `make chaos`: a pass every second (default 10 s), hung after one second without a byte (default 45 s), \
             at most 0.5 s between the starts of one that dies at once (default 300 s), 3 s for a stop in order",
            env!("CARGO_PKG_VERSION")
        );
        Self {
            name: "oc",
            setup: Ok(setup),
            rival: None,
        }
    }

    fn rival(rival: impl Rival + 'static) -> Self {
        Self {
            name: rival.name(),
            setup: rival.setup(),
            rival: Some(Arc::new(rival)),
        }
    }
}

/// Only the cases that are named, or all. `None`: interrupted.
pub(crate) fn run(named: &[&'static Case], options: &RivalsOptions, interrupted: &Arc<AtomicBool>) -> Option<Sheet> {
    let keepers = [
        Keeper::ours(),
        Keeper::rival(monit::Monit),
        Keeper::rival(supervisord::Supervisord),
        Keeper::rival(predecessor::Predecessor::of(options.predecessor.as_deref())),
    ];
    let chosen = |ids: &[&str]| -> Vec<&'static Case> {
        let wanted = |case: &&Case| named.is_empty() || named.iter().any(|other| other.id == case.id);
        let all = list::selected(false, false).into_iter();
        all.filter(|case| ids.contains(&case.id) && wanted(case)).collect()
    };
    runner::hush_panics();
    let begun = Instant::now();
    let mut rows = Vec::new();
    for (cases, jobs) in [(chosen(FAULTS), options.measured.work.jobs), (chosen(LOADS), 1)] {
        let cells = runner::spread(jobs, cases.len() * keepers.len(), interrupted, |n| {
            let (case, keeper) = (cases[n / keepers.len()], &keepers[n % keepers.len()]);
            let cell = outcome::cell(case, keeper, options.measured.repeat, interrupted);
            say(&format!("{:<5} {:<20} {}", case.id, keeper.name, cell.words()));
            cell
        })?;
        let mut cells = cells.into_iter();
        let row = |case: &&Case| sheet::Row::new(case, cells.by_ref().take(keepers.len()).collect());
        rows.extend(cases.iter().map(row));
    }
    Some(Sheet::new(&keepers, rows, options, begun.elapsed()))
}

/// The first line that a program says about its version.
fn version(program: &str, argument: &str) -> Result<String, String> {
    let path = oc_testkit::peers::installed(program)?;
    let output = Cmd::new(path).arg(argument).run();
    let line = output.stdout.lines().next().unwrap_or_default();
    Ok(line.rsplit(' ').next().unwrap_or_default().to_owned())
}

/// The line of a shell that runs the gateway of this arena.
fn gateway(arena: &Arena) -> Vec<String> {
    let port = arena.service.port.to_string();
    let program = arena.program.display().to_string();
    vec![
        program,
        "gateway".to_owned(),
        "run".to_owned(),
        "--port".to_owned(),
        port,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_of_the_catalogue() {
        for id in FAULTS.iter().chain(LOADS) {
            assert!(list::named(&[(*id).to_owned()], false).is_ok(), "{id}");
        }
    }

    #[test]
    fn a_rival_judges_by_the_limits_of_the_case() {
        let limits = |id: &str| Limits::of(list::named(&[id.to_owned()], false).unwrap()[0]);
        assert_eq!((limits("H1").silence_s, limits("H1").memory_mb), (1, 2048));
        assert_eq!(limits("R3").silence_s, 30);
        assert_eq!(limits("R1").memory_mb, 150);
    }
}
