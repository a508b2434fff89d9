//! `decide`: observe, decide, write the attempt ahead, answer.

use super::input::{self, Surroundings};
use super::tell;
use crate::carry::Carry;
use crate::history::Event as Change;
use crate::policy::{self, RungResult, Store};
use crate::state::{self, Held, State};
use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::journal::{Event, Kind};
use oc_core::lock::HealingLock;
use oc_core::report::{Action, Decision, Report};
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use oc_core::{fsx, out};
use std::path::Path;

/// `oc-escalate decide --probe FILE`.
///
/// # Errors
/// 65 for a report that is none (by hand only), 74, 77, 78.
pub fn decide(common: &Common, probe: &Path) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    let pass = input::pass_dir(&world).filter(|_| !common.dry_run);
    if pass.is_none() && !common.dry_run {
        // Else it would be taken for a question by hand, answered without a record, and acted upon.
        oc_core::lock::not_lost(&world.paths.healing_lock())?;
    }
    let report = input::report(probe, pass.is_some())?;
    let decision = match pass {
        Some(dir) => recorded(&world, &report, &dir)?,
        None => preview(&world, &report)?,
    };
    let text = text(&decision);
    Ok(Answer::new(
        "oc.decision/1",
        decision.action.exit(),
        decision.action.name(),
        &decision,
    )?
    .text(text))
}

/// By hand: what would be done. Nothing is written.
fn preview(world: &World, report: &Report) -> Result<Decision> {
    let carry = Carry::load(&world.paths.carry());
    let state = state::peek(world);
    let around = Surroundings::look(world, carry.previous, input::will(world, report)?);
    let policy = &world.config.policy;
    let (state, store) = match &state {
        Ok(state) => (state.clone(), input::store(state, policy, around.now())),
        Err(_) => (State::default(), Store::Unreadable),
    };
    Ok(policy::decide(
        policy,
        &state.history,
        report,
        &around.context(store, RungResult::Done),
    ))
}

/// Inside a pass: the history learns what was seen, and of the attempt before it is made.
fn recorded(world: &World, report: &Report, dir: &Path) -> Result<Decision> {
    // Proof that we are a step of the run that holds the lock, or, called by a script of one's own, that nobody does.
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    let mut carry = Carry::load(&world.paths.carry());
    let mut held = Held::take(world)?;
    // Last of all: what a person said while the probe looked or we waited counts.
    let report = &input::unless_told_to_end(world, report);
    let around = Surroundings::look(world, carry.previous.clone(), input::will(world, report)?);
    let store = input::store(&held.state, &world.config.policy, around.now());
    let bucket = carry.take(report, around.now());
    let before = held.state.clone();
    let (mut decision, mut events) = apply(world, &mut held.state, report, &around, store);
    if let Some(bucket) = bucket {
        events.extend(sample(world, &mut held.state, &bucket, report));
    }
    events.extend(held_now(world, &mut carry, &decision));
    match held.save(events) {
        Ok(()) => decision.recorded = matches!(decision.action, Action::Restart | Action::Doctor | Action::Agent),
        Err(fault) if state::unwritable(&fault) => {
            out::talk(format_args!("{fault}; going on with care"));
            held.state = before;
            decision = careful(world, &held.state, report, &around);
        }
        Err(fault) => return Err(fault),
    }
    if let Err(fault) = carry.save(&world.paths.carry()) {
        out::talk(fault);
    }
    if let Some(incident) = &decision.incident {
        link_incident(world, dir, incident);
    }
    Ok(decision)
}

/// The pure part on a state in hand: observe, decide, record. Returns what the journal is to be told.
fn apply(
    world: &World,
    state: &mut State,
    report: &Report,
    around: &Surroundings,
    store: Store<'_>,
) -> (Decision, Vec<Event>) {
    let policy = &world.config.policy;
    let context = around.context(store, RungResult::Done);
    let mut events = Vec::new();
    if store != Store::Unreadable {
        for change in policy::observe(policy, &state.history, report, &context) {
            events.extend(tell::change(world, &change, report));
            state.history.record(policy, change);
        }
    }
    let decision = policy::decide(policy, &state.history, report, &context);
    if let Some(attempt) = policy::attempt(policy, &decision, &context) {
        let told = tell::change(world, &attempt, report);
        let open = state.history.incident.is_some();
        state.history.record(policy, attempt);
        // What was only waited for until now becomes an incident by the attempt.
        if let Some(incident) = state.history.incident.clone().filter(|_| !open) {
            events.extend(tell::change(world, &Change::Opened { incident }, report));
        }
        events.extend(told);
    }
    (decision, events)
}

/// The history cannot be written: no agent, and at most one restart in a while. The time of the last one is kept as the
/// modification time of a file that exists already, which needs no space.
fn careful(world: &World, state: &State, report: &Report, around: &Surroundings) -> Decision {
    let policy = &world.config.policy;
    let marker = world.paths.state_lock();
    let last = std::fs::metadata(&marker).ok().and_then(|file| {
        let touched = file.modified().ok()?;
        // As it was made, nobody has touched it yet.
        let born = file.created().ok();
        born.is_none_or(|born| touched > born + std::time::Duration::from_millis(10))
            .then_some(touched)
    });
    let last = last
        .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
        .map(|since_1970| Stamp {
            wall_ms: i64::try_from(since_1970.as_millis()).unwrap_or(0),
            // Another boot's counters: only the wall clock of a file time is known.
            boot: String::new(),
            ..around.now().clone()
        });
    let decision = policy::decide(
        policy,
        &state.history,
        report,
        &around.context(
            Store::Unwritable {
                last_action: last.as_ref(),
            },
            RungResult::Done,
        ),
    );
    if matches!(decision.action, Action::Restart | Action::Doctor | Action::Agent) {
        let touched = fsx::open_rw(&marker).and_then(|file| {
            let now = std::fs::FileTimes::new().set_modified(
                std::time::UNIX_EPOCH
                    + std::time::Duration::from_millis(u64::try_from(around.now().wall_ms).unwrap_or(0)),
            );
            file.set_times(now)
                .map_err(|e| oc_core::fault::Fault::io("touch", &marker, e))
        });
        if let Err(fault) = touched {
            // Without even that there is no bound, hence no action.
            return Decision {
                action: Action::Human,
                method: None,
                reason: fault.what,
                ..decision
            };
        }
    }
    decision
}

/// A finished bucket of five minutes: into the history (for the leak trend) and the journal (for the charts).
fn sample(world: &World, state: &mut State, bucket: &Carry, report: &Report) -> Option<Event> {
    let at = bucket.bucket.clone()?;
    if let (Some(identity), Some(rss_bytes)) = (&bucket.identity, bucket.rss_min_bytes) {
        let sample = crate::history::Sample {
            at: at.clone(),
            rss_bytes,
        };
        state.history.record(
            &world.config.policy,
            Change::Sampled {
                identity: identity.clone(),
                sample,
            },
        );
    }
    Some(
        world
            .event(Kind::Sample, "")
            .with("health", report.health())
            .with("class", report.class)
            .with("since", &at)
            .with("rss_bytes", bucket.rss_min_bytes)
            .with("disk_free_bytes", fsx::free_bytes(world.paths.watchdog()))
            .with("latency_p50_ms", bucket.latency_percentile(50))
            .with("latency_p95_ms", bucket.latency_percentile(95)),
    )
}

/// Why nothing is done, when that is news.
fn held_now(world: &World, carry: &mut Carry, decision: &Decision) -> Option<Event> {
    let held_for = match (decision.action, decision.class) {
        (Action::Hold | Action::Human, Some(class)) => Some(format!("{} {class}", decision.action.name())),
        _ => None,
    };
    let news = held_for.is_some() && held_for != carry.held_for;
    carry.held_for = held_for;
    news.then(|| {
        world
            .event(
                Kind::Decision,
                format!("{}: {}", decision.action.name(), decision.reason),
            )
            .incident(decision.incident.as_deref())
            .with("action", decision.action)
            .with("class", decision.class)
    })
}

/// `run/incident` leads the steps of this pass to the incident's directory.
fn link_incident(world: &World, dir: &Path, incident: &str) {
    let home = world.paths.incident(incident);
    let linked = fsx::private_dir(&home).and_then(|()| {
        let link = dir.join("incident");
        std::os::unix::fs::symlink(&home, &link).map_err(|e| oc_core::fault::Fault::io("link", &link, e))
    });
    if let Err(fault) = linked {
        out::talk(fault);
    }
}

fn text(decision: &Decision) -> String {
    let mut text = format!("{}: {}\n", decision.action.name(), decision.reason);
    if let Some(command) = &decision.command {
        text.push_str(&format!("run: {command}\n"));
    }
    if let Some(at) = &decision.next_allowed_at {
        text.push_str(&format!("next action not before {at}\n"));
    }
    text
}
