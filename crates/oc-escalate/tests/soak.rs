//! Weeks and months of trouble through the policy, with what must hold looked at after every pass. A few weeks here; months with
//! `make soak`, or by hand:
//!
//! ```sh
//! SOAK_MONTHS=24 SOAK_SEED=7 cargo test --release -p oc-escalate --test soak -- --nocapture
//! ```
//!
//! What fails is told as the shortest story that still does.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod support;

use oc_core::report::Action;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use support::HOUR;
use support::guard::{Before, Guard};
use support::trouble::{End, Trouble, span, weeks};
use support::world::World;

const EVERY: Duration = Duration::from_secs(30);
const EVERY_MS: u64 = 30_000;
/// A person mends what is left this long after having been told.
const PERSON_MS: u64 = 5 * HOUR;
/// After the last trouble: nothing may be left by then.
const REST_MS: u64 = 40 * HOUR;

#[derive(Default)]
struct Tally {
    passes: u64,
    troubles: usize,
    simulated_ms: u64,
    longest: BTreeMap<&'static str, u64>,
    counts: BTreeMap<&'static str, u64>,
}

/// Lives through a story; the sentence about the first thing that must not be.
fn live(story: &[Trouble], consent: bool, tally: &mut Tally) -> Result<(), String> {
    let mut world = World::new(Vec::new());
    world.scene.consent = consent;
    let mut guard = Guard::new();
    let mut agenda: Vec<(u64, End)> = Vec::new();
    let mut passes = 0;
    let until = |time_ms: u64, world: &mut World, guard: &mut Guard, agenda: &mut Vec<(u64, End)>, passes: &mut u64| {
        while world.time_ms < time_ms {
            let now = world.time_ms;
            agenda.retain(|(at, end)| {
                let later = *at > now;
                if !later {
                    end.happen(world);
                }
                later
            });
            if guard.person_comes(world, PERSON_MS) {
                world.person_mends();
            }
            world.forward(EVERY);
            let before = Before::of(world, EVERY_MS);
            let pass = world.pass_now();
            *passes += 1;
            guard.look(world, &pass, &before).map_err(|what| {
                let (action, reason) = (pass.decision.action, &pass.decision.reason);
                format!("after {}: {what}\n  decided: {action:?}: {reason}", span(world.time_ms))
            })?;
        }
        Ok::<(), String>(())
    };
    for trouble in story {
        let begins = world.time_ms + trouble.after_ms;
        until(begins, &mut world, &mut guard, &mut agenda, &mut passes)?;
        agenda.extend(trouble.what.happen(&mut world));
    }
    // Whatever still stands in the queue breaks and is mended, one after the other.
    for _ in 0..100 {
        let rest = world.time_ms + REST_MS;
        until(rest, &mut world, &mut guard, &mut agenda, &mut passes)?;
        if world.idle() && agenda.is_empty() {
            break;
        }
    }
    let last = world.pass(EVERY);
    tally.passes += passes;
    tally.troubles += story.len();
    tally.simulated_ms += world.time_ms;
    for (what, value) in guard.longest {
        let longest = tally.longest.entry(what).or_default();
        *longest = value.max(*longest);
    }
    for (what, value) in guard.counts {
        *tally.counts.entry(what).or_default() += value;
    }
    if last.decision.action == Action::None && world.scene.history.incident.is_none() {
        return Ok(());
    }
    Err(format!(
        "{} after the last trouble it is not quiet: {:?}: {}",
        span(REST_MS),
        last.decision.action,
        last.decision.reason
    ))
}

/// A number from the environment.
fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("SOAK_SEED and SOAK_MONTHS are numbers"))
}

fn runner(seed: u64, cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The story that failed, as a person can read it.
fn told(seed: u64, why: &str, story: &[Trouble], consent: bool) -> String {
    let mut text = format!(
        "seed {seed}: {why}\n{} troubles lead there (agent allowed: {consent}):\n",
        story.len()
    );
    for trouble in story {
        _ = writeln!(text, "  +{:<12} {}", span(trouble.after_ms), trouble.what);
    }
    text
}

fn soak(seed: u64, cases: u32, troubles: std::ops::Range<usize>) -> (Tally, Option<String>) {
    let tally = std::cell::RefCell::new(Tally::default());
    let strategy = (weeks(troubles), proptest::bool::ANY);
    let ended = runner(seed, cases).run(&strategy, |(story, consent)| {
        live(&story, consent, &mut tally.borrow_mut()).map_err(TestCaseError::fail)
    });
    let failure = match ended {
        Ok(()) => None,
        Err(TestError::Fail(why, (story, consent))) => Some(told(seed, why.message(), &story, consent)),
        Err(TestError::Abort(why)) => Some(why.message().to_owned()),
    };
    (tally.into_inner(), failure)
}

#[test]
fn weeks_of_trouble_break_no_promise() {
    // A story of some 40 troubles takes about six days.
    let months = setting("SOAK_MONTHS").map(|months| u32::try_from(months).unwrap());
    let seed = setting("SOAK_SEED").unwrap_or(1);
    let (tally, failure) = match months {
        Some(months) => soak(seed, months * 5, 1..80),
        None => soak(seed, 8, 1..20),
    };
    let mut text = format!(
        "seed {seed}: {} simulated, {} passes, {} troubles\n",
        span(tally.simulated_ms),
        tally.passes,
        tally.troubles
    );
    for (what, count) in &tally.counts {
        _ = writeln!(text, "{count:>8} times {what}");
    }
    for (what, value) in &tally.longest {
        let shown = if what.contains("ms") {
            span(*value)
        } else {
            value.to_string()
        };
        _ = writeln!(text, "at most {shown:>12} {what}");
    }
    drop(std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()));
    assert!(failure.is_none(), "{}", failure.unwrap_or_default());
    assert!(
        tally.counts.get("restart").is_some_and(|n| *n > 20),
        "nothing was put to the test"
    );
    assert!(tally.simulated_ms > 14 * 24 * HOUR, "these are no weeks");
}
