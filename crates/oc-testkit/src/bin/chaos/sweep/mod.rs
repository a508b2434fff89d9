//! The crash-point sweep: each tool killed at each of its steps that change anything, then normal passes, then a look at what
//! is left (docs/adr/0015). One file per tool in `scenarios/`.

#![allow(
    clippy::panic,
    reason = "a point that cannot go on says so by a panic, which is its violation"
)]

mod field;
mod scenarios;
mod table;

use crate::arena::SECRETS;
use crate::cli::SweepOptions;
use crate::list::say;
use crate::runner::{hush_panics, spread, words};
use field::Field;
use oc_testkit::invariants::{self, Known};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
pub(crate) use table::save;
use table::{Row, Sheet, Violation};

/// What is done under kills, and what must come of it.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    name: &'static str,
    /// In words.
    what: &'static str,
    /// Whose steps count: names of programs begin so.
    tool: &'static str,
    /// Laid over the common settings.
    settings: fn() -> Value,
    /// Makes the state in which the command runs.
    prepare: fn(&mut Field),
    command: fn(&Field) -> Vec<OsString>,
    /// What goes on beside the command, which runs meanwhile; must end it, or wait for its end.
    beside: fn(&mut Field, &mut oc_testkit::Running),
    /// The normal passes afterwards.
    recover: fn(&mut Field),
    /// What is wrong after that, beside the invariants.
    verify: fn(&Field) -> Vec<String>,
}

/// What is not said otherwise: one pass, then passes until all is well.
const SCENARIO: Scenario = Scenario {
    name: "",
    what: "",
    tool: "oc-",
    settings: || json!({}),
    prepare: |_| (),
    command: |_| vec![oc_testkit::scripts().join("oc-heal").into()],
    beside: |_, running| Field::wait_end(running),
    recover: Field::passes,
    verify: |_| Vec::new(),
};

/// One of its points: the steps that were made, and what was wrong afterwards.
struct Point {
    steps: Vec<String>,
    violations: Vec<String>,
}

/// The sweep of these scenarios; `None`: interrupted, or a name that there is not.
pub(crate) fn run(options: &SweepOptions, interrupted: &AtomicBool) -> Option<Sheet> {
    let begun = Instant::now();
    let wanted =
        |s: &&Scenario| options.names.is_empty() || options.names.iter().any(|n| s.name.starts_with(n.as_str()));
    let chosen: Vec<&Scenario> = scenarios::ALL.iter().copied().filter(wanted).collect();
    if chosen.is_empty() {
        let names: Vec<&str> = scenarios::ALL.iter().map(|s| s.name).collect();
        say(&format!("chaos: no such scenario; there are {}", names.join(", ")));
        return None;
    }
    hush_panics();
    let mut rows = Vec::new();
    for scenario in chosen {
        let row = sweep(scenario, options, interrupted);
        if interrupted.load(Ordering::SeqCst) {
            return None;
        }
        say(&row.line());
        rows.push(row);
    }
    Some(Sheet::new(rows, options, begun.elapsed()))
}

fn sweep(scenario: &Scenario, options: &SweepOptions, interrupted: &AtomicBool) -> Row {
    let begun = Instant::now();
    let reference = point(scenario, None, options.verbose);
    let mut found: Vec<Violation> = Violation::of(0, "nobody was killed", reference.violations);
    let points: Vec<usize> = match options.step {
        Some(step) => vec![step],
        None => (1..=reference.steps.len()).step_by(options.every()).collect(),
    };
    if found.is_empty() {
        let all = spread(options.work.jobs, points.len(), interrupted, |n| {
            let step = points[n];
            let point = point(scenario, Some(step), options.verbose);
            let at = point.steps.last().map_or("before anything", String::as_str);
            let new = Violation::of(step, at, point.violations);
            new.iter()
                .for_each(|violation| say(&format!("  {}: {violation}", scenario.name)));
            new
        });
        found.extend(all.into_iter().flatten().flatten());
    }
    Row::new(scenario, &reference.steps, points.len(), found, begun.elapsed())
}

fn point(scenario: &Scenario, step: Option<usize>, verbose: bool) -> Point {
    let mut steps = Vec::new();
    let done = catch_unwind(AssertUnwindSafe(|| {
        let mut field = Field::new(&(scenario.settings)());
        let tried = catch_unwind(AssertUnwindSafe(|| {
            (scenario.prepare)(&mut field);
            steps = field.under_kill(scenario, step);
            (scenario.recover)(&mut field);
            (scenario.verify)(&field)
        }));
        let mut found = tried.unwrap_or_else(|panic| vec![words(&*panic)]);
        found.extend(
            catch_unwind(AssertUnwindSafe(|| field.end()))
                .err()
                .map(|panic| words(&*panic)),
        );
        let torn = steps.last().is_some_and(|step| step.ends_with("half of it"));
        found.extend(left(&field, step.is_some() && torn));
        if verbose && !found.is_empty() {
            say(&field.env().last_words(60));
        }
        found
    }));
    let violations = done.unwrap_or_else(|panic| vec![words(&*panic)]);
    Point { steps, violations }
}

fn left(field: &Field, torn: bool) -> Vec<String> {
    let known = Known {
        secrets: &SECRETS,
        config: field.config.as_deref(),
        busy: false,
        torn: usize::from(torn),
    };
    let mut found = invariants::check(field.env(), &known);
    if field.env().watchdog().join("transaction.json").exists() {
        found.push("a repair is left open".to_owned());
    }
    let sent = field.hook.accepted();
    let leaked = |secret: &&&str| sent.iter().any(|message| message.raw.contains(**secret));
    found.extend(SECRETS.iter().filter(leaked).map(|secret| format!("{secret} was sent")));
    found
}
