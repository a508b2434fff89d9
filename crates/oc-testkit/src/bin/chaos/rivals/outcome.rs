//! One fault under one keeper, and what came of it: the cell of the table.

use super::Keeper;
use crate::arena::Arena;
use crate::case::{Case, Class, End};
use crate::judge::{self, Facts};
use crate::results::Range;
use crate::runner::guarded;
use oc_testkit::trial::{Result, Stop, broken};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What does not serve by then is not healed.
const CEILING: Duration = Duration::from_secs(60);
/// How long a cause stays that only a person can take away, and what is to be left alone: every rival would have acted by then.
const HELD: Duration = Duration::from_secs(30);
/// What serves this long goes on serving: longer than any rival's round.
const STAYS: Duration = Duration::from_secs(6);
/// Cases whose own findings are about the service, whoever keeps it.
const ABOUT_THE_SERVICE: &[&str] = &["P8", "P10"];

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    Healed,
    NotHealed,
    /// As it should be.
    LeftAlone,
    /// It was to be left alone, and was not: what was done.
    Wrong(String),
    /// It could not be judged, and why.
    Broken(String),
    /// It was not tried, and why.
    Skipped(String),
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Outcome {
    ended: Ended,
    /// From the fault, or from its end where only that could heal it, to serving.
    served_ms: Option<u64>,
    /// How often the gateway was started since the fault.
    starts: u64,
    /// What was left behind.
    left: Vec<String>,
}

impl Outcome {
    fn without(ended: Ended) -> Self {
        Self {
            ended,
            served_ms: None,
            starts: 0,
            left: Vec::new(),
        }
    }
}

/// All repetitions of a fault under a keeper.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Cell {
    pub(super) served: Option<Range>,
    runs: Vec<Outcome>,
}

impl Cell {
    fn new(runs: Vec<Outcome>) -> Self {
        let healed = |run: &&Outcome| run.ended == Ended::Healed;
        Self {
            served: Range::of(runs.iter().filter(healed).filter_map(|run| run.served_ms)),
            runs,
        }
    }

    /// Healed, or left alone, every time.
    pub(super) fn good(&self) -> bool {
        let good = |run: &Outcome| matches!(run.ended, Ended::Healed | Ended::LeftAlone);
        self.runs.iter().all(good)
    }

    pub(super) fn wrong(&self) -> bool {
        self.runs.iter().any(|run| matches!(run.ended, Ended::Wrong(_)))
    }

    pub(super) fn skipped(&self) -> bool {
        self.runs.iter().any(|run| matches!(run.ended, Ended::Skipped(_)))
    }

    /// As it stands in the table: the worst of the repetitions.
    pub(super) fn words(&self) -> String {
        let bad = |run: &&Outcome| !matches!(run.ended, Ended::Healed | Ended::LeftAlone);
        let Some(run) = self.runs.iter().find(bad).or(self.runs.first()) else {
            return "-".to_owned();
        };
        let starts = |n: u64| if n > 1 { format!(", {n} starts") } else { String::new() };
        let words = match &run.ended {
            Ended::Healed => format!("{}{}", Range::words(self.served), starts(run.starts)),
            Ended::NotHealed => format!("no{}", starts(run.starts)),
            Ended::LeftAlone => "left alone".to_owned(),
            Ended::Wrong(what) => format!("**wrong**: {what}"),
            Ended::Broken(why) => format!("not judged: {why}"),
            Ended::Skipped(why) => format!("skipped: {why}"),
        };
        let left: String = run.left.iter().map(|what| format!("; {what}")).collect();
        words + &left
    }
}

pub(super) fn cell(case: &Case, keeper: &Keeper, repeat: u32, interrupted: &Arc<AtomicBool>) -> Cell {
    let skipped = |why: String| Cell::new(vec![Outcome::without(Ended::Skipped(why))]);
    if keeper.setup.is_err() {
        return skipped("see below".to_owned());
    }
    if let Some(why) = case.needs.iter().find_map(|need| need.missing()) {
        return skipped(why);
    }
    if let Some(why) = keeper.rival.as_ref().and_then(|rival| rival.exempt(case.id)) {
        return skipped(why.to_owned());
    }
    let once = |_| {
        let played = guarded(|| {
            let mut arena = Arena::new(case, None, Arc::clone(interrupted));
            arena.rival.clone_from(&keeper.rival);
            play(case, &mut arena)
        });
        played.unwrap_or_else(|why| Outcome::without(Ended::Broken(why)))
    };
    let wanted = (0..repeat).take_while(|_| !interrupted.load(Ordering::SeqCst));
    Cell::new(wanted.map(once).collect())
}

fn play(case: &Case, arena: &mut Arena) -> Result<Outcome> {
    (case.prepare)(arena)?;
    arena.open(case)?;
    let boots = arena.env().boots();
    arena.mark();
    match (case.inject)(arena) {
        // What a control cannot do is for what was done against it.
        Err(Stop::Broken(why)) if case.class == Class::Control => return Ok(Outcome::without(Ended::Wrong(why))),
        other => other?,
    }
    // Some injections begin with what is no fault yet, and mark the moment anew.
    let injected = arena.injected.ok_or_else(|| broken("the fault has no moment"))?;
    arena.within(CEILING, "it hurts", |arena| (case.hurts)(arena))?;
    let mended = endure(case, arena)?;
    let before = arena.before;
    let served = arena.within(CEILING + STAYS, "it serves again", |arena| {
        let other = |serving| case.end != End::Healed || serving != before;
        let last = arena.sights().last().copied();
        last.is_some_and(|sight| sight.serving.is_some() && other(sight.serving) && sight.at.elapsed() > STAYS)
    });
    if let Err(Stop::Interrupted) = served {
        return Err(Stop::Interrupted);
    }
    let left = match case.id {
        id if ABOUT_THE_SERVICE.contains(&id) => (case.verify)(arena),
        _ => Vec::new(),
    };
    let (sights, starts) = (arena.sights(), arena.env().boots() - boots);
    let same = sights.last().and_then(|sight| sight.serving) == before;
    let facts = Facts {
        injected,
        mended,
        before,
        sights: &sights,
        events: &[],
        alerts: &[],
        left: Vec::new(),
    };
    let served_ms = judge::recovered(&facts, mended.unwrap_or(injected.0)).map(judge::millis);
    Ok(Outcome {
        ended: ended(case, served_ms.is_some(), starts, same),
        served_ms,
        starts,
        left,
    })
}

/// The time that a fault stays, and when a person took it away.
fn endure(case: &Case, arena: &mut Arena) -> Result<Option<Instant>> {
    if matches!(case.end, End::Healed | End::Passed) {
        return Ok(None);
    }
    let begun = Instant::now();
    arena.wait("the fault stays", |_| begun.elapsed() > HELD)?;
    let mended = Instant::now();
    (case.mend)(arena)?;
    Ok((case.end == End::Human).then_some(mended))
}

/// `same`: who served before serves now.
fn ended(case: &Case, served: bool, starts: u64, same: bool) -> Ended {
    let times = |n: u64| match n {
        0 => "stopped".to_owned(),
        1 => "started once".to_owned(),
        n => format!("started {n} times"),
    };
    match case.end {
        End::Passed | End::LeftAlone(_) if starts == 0 && same => Ended::LeftAlone,
        End::Passed | End::LeftAlone(_) => Ended::Wrong(times(starts)),
        // The one start is the person's.
        End::Healed if case.class == Class::Control && starts > 1 => Ended::Wrong(times(starts)),
        End::Healed if case.class == Class::Control && served => Ended::LeftAlone,
        End::Healed | End::Human if served => Ended::Healed,
        End::Healed | End::Human => Ended::NotHealed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::CASE;

    #[test]
    fn what_was_to_be_left_alone_may_not_be_started() {
        let case = Case {
            end: End::LeftAlone(3),
            ..CASE
        };
        assert_eq!(ended(&case, false, 0, true), Ended::LeftAlone);
        assert_eq!(ended(&case, true, 3, false), Ended::Wrong("started 3 times".to_owned()));
        // A process beside the one that serves is one too many, too.
        assert_eq!(ended(&case, false, 1, true), Ended::Wrong("started once".to_owned()));
        assert_eq!(ended(&case, false, 0, false), Ended::Wrong("stopped".to_owned()));
    }

    #[test]
    fn a_persons_own_start_is_not_wrong() {
        let case = Case {
            class: Class::Control,
            ..CASE
        };
        assert_eq!(ended(&case, true, 1, false), Ended::LeftAlone);
        assert_eq!(ended(&case, true, 2, false), Ended::Wrong("started 2 times".to_owned()));
        assert_eq!(ended(&case, false, 1, false), Ended::NotHealed);
    }

    #[test]
    fn a_cell_shows_the_worst_of_its_repetitions() {
        let run = |ended: Ended, served_ms| Outcome {
            served_ms,
            starts: 1,
            ..Outcome::without(ended)
        };
        let healed = run(Ended::Healed, Some(700));
        assert_eq!(Cell::new(vec![healed.clone()]).words(), "700 ms");
        let cell = Cell::new(vec![healed, run(Ended::NotHealed, None)]);
        assert_eq!((cell.words().as_str(), cell.good()), ("no", false));
    }
}
