//! Runs cases, a few at a time, each from its beginning to its verdict.

use crate::arena::{Arena, SECRETS};
use crate::case::{Case, End, Keeper};
use crate::cli::Options;
use crate::judge::{Facts, Verdict, judge};
use crate::list::say;
use crate::results::{Row, Sheet};
use crate::systemd;
use oc_testkit::invariants::{self, Known};
use oc_testkit::trial::{self, Result, Stop, broken};
use oc_testkit::user_manager;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// `None`: interrupted.
pub(crate) fn run(cases: &[&'static Case], options: &Options) -> Option<Sheet> {
    let interrupted = watch_signals()?;
    hush_panics();
    let begun = Instant::now();
    let rows = spread(options.measured.work.jobs, cases.len(), &interrupted, |n| {
        let row = repeat(cases[n], options, &interrupted);
        say(&format!("[{:>2}/{}] {}", n + 1, cases.len(), row.line()));
        row
    })?;
    Some(Sheet::new(rows, options, begun.elapsed()))
}

/// What a case breaks on is told with it.
pub(crate) fn hush_panics() {
    std::panic::set_hook(Box::new(|_| {}));
}

/// Does the work of every number below `count`, so many at once. `None`: interrupted.
pub(crate) fn spread<T: Send>(
    jobs: u32,
    count: usize,
    interrupted: &AtomicBool,
    work: impl Fn(usize) -> T + Sync,
) -> Option<Vec<T>> {
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, T)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while !interrupted.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    if n >= count {
                        return;
                    }
                    let result = work(n);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((n, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(n, _)| *n);
    (!interrupted.load(Ordering::SeqCst)).then(|| done.into_iter().map(|(_, result)| result).collect())
}

/// What is set when we are told to end; `None` when that cannot be heard.
pub(crate) fn watch_signals() -> Option<Arc<AtomicBool>> {
    let cannot = |error| say(&format!("chaos: cannot watch for signals: {error}"));
    trial::watch_signals().map_err(cannot).ok()
}

fn repeat(case: &'static Case, options: &Options, interrupted: &Arc<AtomicBool>) -> Row {
    if let Some(why) = case.needs.iter().find_map(|need| need.missing()) {
        return Row::skipped(case, why);
    }
    let verdicts = (0..options.measured.repeat)
        .map(|_| match case.keeper {
            Keeper::Systemd if !user_manager::is_inside() => systemd::elsewhere(case, options, interrupted),
            _ => once(case, options, interrupted),
        })
        .collect();
    Row::done(case, verdicts)
}

fn once(case: &Case, options: &Options, interrupted: &Arc<AtomicBool>) -> Verdict {
    guarded(|| {
        let openclaw = options.real.then(oc_testkit::real::openclaw).flatten();
        let mut arena = Arena::new(case, openclaw.as_deref(), Arc::clone(interrupted));
        let mut ended = play(case, &mut arena);
        if options.verbose && ended.as_ref().map_or(true, |verdict| !verdict.misses.is_empty()) {
            say(&arena.env().last_words(40));
        }
        if let Err(Stop::Broken(why)) = &mut ended {
            arena.follow();
            let told: Vec<String> = arena
                .events
                .iter()
                .rev()
                .take(6)
                .map(|e| format!("{}: {}", e.kind, e.text))
                .collect();
            *why += &format!(" (the journal's end, newest first: {})", told.join("; "));
        }
        ended
    })
    .unwrap_or_else(Verdict::failed)
}

/// What came of it, or why it broke: the harness says that by panicking.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> std::result::Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(Stop::Broken(why))) => Err(why),
        Ok(Err(Stop::Interrupted)) => Err("interrupted".to_owned()),
        Err(panic) => Err(words(&*panic)),
    }
}

/// What a panic says.
pub(crate) fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|&text| text.to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a word".to_owned())
}

fn play(case: &Case, arena: &mut Arena) -> Result<Verdict> {
    (case.prepare)(arena)?;
    arena.open(case)?;
    arena.mark();
    (case.inject)(arena)?;
    arena
        .wait("it hurts", |arena| (case.hurts)(arena))
        .map_err(|stop| match stop {
            Stop::Broken(_) => broken("the fault does not hurt, so that nothing is proven"),
            Stop::Interrupted => stop,
        })?;
    let mut mended = None;
    match case.end {
        End::Healed | End::Passed => {}
        End::Human => {
            arena.hears("human_needed")?;
            arena.passes(1)?;
            mended = Some(Instant::now());
            (case.mend)(arena)?;
        }
        End::LeftAlone(passes) => {
            arena.passes(passes)?;
            (case.mend)(arena)?;
        }
    }
    let before = arena.before;
    arena.wait("it serves again", |arena| {
        let serving = arena.serving();
        serving.is_some() && (case.end != End::Healed || serving != before)
    })?;
    arena.wait("the incident is over", |arena| arena.quiet())?;
    // It must stay so: two more passes look at it, and the end of the incident is told by the first.
    arena.passes(2)?;
    // The last look may have been a slow one.
    arena.wait("it goes on serving", |arena| arena.serving().is_some())?;
    let mut left = (case.verify)(arena);
    // First: one of the helpers may be who serves.
    let (sights, alerts) = (arena.sights(), arena.alerts());
    arena.helpers.clear();
    arena.end();
    arena.follow();
    left.extend(orphans(arena));
    left.extend(invariants::check(
        arena.env(),
        &Known {
            secrets: &SECRETS,
            config: arena.written.as_deref(),
            ..Known::default()
        },
    ));
    arena.kept.clear();
    let secret = |alert: &&String| SECRETS.iter().any(|secret| alert.contains(secret));
    left.extend(
        alerts
            .iter()
            .filter(secret)
            .map(|alert| format!("a secret was sent: {alert}")),
    );
    let injected = arena.injected.ok_or_else(|| broken("nothing was injected"))?;
    Ok(judge(
        case,
        Facts {
            injected,
            mended,
            before,
            sights: &sights,
            events: &arena.events,
            alerts: &alerts,
            left,
        },
    ))
}

/// The last pass may still be on its way out; whatever lives after that was forgotten.
fn orphans(arena: &mut Arena) -> Option<String> {
    let mut left = Vec::new();
    let gone = arena.wait("everything has ended", |arena| {
        left = arena.env().processes();
        left.is_empty()
    });
    gone.is_err().then(|| format!("processes left behind: {left:?}"))
}
