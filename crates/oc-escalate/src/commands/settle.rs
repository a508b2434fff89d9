//! `settle`: judge the pass by its last probe, close the incident or not, say what people are to be told.

use super::input::{self, Surroundings};
use super::tell;
use crate::carry::Carry;
use crate::policy::{self, RungResult, Settlement, Store, Verdict};
use crate::state::{self, Held};
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::journal::Kind;
use oc_core::lock::HealingLock;
use oc_core::out;
use oc_core::report::{Action, Decision, Envelope};
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::Value;
use std::path::Path;

/// `oc-escalate settle --probe FILE`.
///
/// # Errors
/// 65 for a report that is none (by hand only), 74, 75, 77, 78.
pub fn settle(common: &Common, probe: &Path) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    let pass = input::pass_dir(&world);
    let report = input::report(probe, pass.is_some())?;
    let _lock = HealingLock::acquire(&world.paths.healing_lock())?;
    let mut carry = Carry::load(&world.paths.carry());
    let around = Surroundings::look(&world, carry.previous.clone(), input::will(&world, &report)?);
    let mut held = Held::take(&world)?;
    let policy = &world.config.policy;
    let store = input::store(&held.state, policy, around.now());
    let rung = pass.as_deref().map_or(RungResult::Done, |dir| rung_result(&world, dir));
    let cost = pass
        .as_deref()
        .filter(|_| !matches!(rung, RungResult::NoSession(_)))
        .and_then(cost);
    let before = held.state.history.clone();
    let mut settled = policy::settle(policy, &before, &report, &around.context(store, rung.clone()));
    if !common.dry_run {
        let mut events = Vec::new();
        for change in &settled.events {
            events.extend(tell::change(&world, change, &report).map(|e| match &e.incident {
                Some(_) => e,
                None => e.incident(settled.incident.as_deref()),
            }));
            held.state.history.record(policy, change.clone());
        }
        // Charged in advance; now it is known.
        if let Some(cents) = cost {
            held.state.history.record(policy, crate::history::Event::Cost { cents });
        }
        conclude_report(&world, &settled);
        events.extend(
            settled
                .notices
                .iter()
                .map(|n| tell::notice(&world, n, settled.incident.as_deref())),
        );
        events.extend(human_needed(
            &world,
            &mut held.state.history,
            policy,
            &settled,
            around.now(),
        ));
        match held.save(events) {
            Err(fault) if state::unwritable(&fault) => {
                out::talk(format_args!("{fault}; this pass leaves no record"));
                let store = Store::Unwritable { last_action: None };
                settled = policy::settle(policy, &before, &report, &around.context(store, rung));
            }
            other => other?,
        }
        // The pass is over now, not when it was decided: the action and the wait for it may take minutes.
        carry.previous = Some(around.now().clone());
        if let Err(fault) = carry.save(&world.paths.carry()) {
            out::talk(fault);
        }
    }
    if settled.verdict == Verdict::Exhausted {
        speak(&world, &settled);
    }
    let verdict = match settled.verdict {
        Verdict::Healthy => "healthy",
        Verdict::Failing => "failing",
        Verdict::Exhausted => "human",
    };
    let text = format!("{verdict}: {}\n", settled.reason);
    Ok(Answer::new("oc.settlement/1", settled.verdict.exit(), verdict, &settled)?.text(text))
}

/// The AI's report was written before anybody knew what came of its plan.
fn conclude_report(world: &World, settled: &Settlement) {
    let Some(incident) = settled.incident.as_deref().filter(|_| settled.closed) else {
        return;
    };
    let path = world.paths.incident(incident).join("report.md");
    if !path.exists() {
        return;
    }
    let line = format!(
        "\n{} healed: {}\n",
        oc_core::clock::Stamp::now().rfc3339(),
        settled.reason
    );
    let written = fsx::open_append(&path).and_then(|mut file| {
        std::io::Write::write_all(&mut file, line.as_bytes()).map_err(|e| oc_core::Fault::io("append to", &path, e))
    });
    if let Err(fault) = written {
        out::talk(fault);
    }
}

/// The end of the ladder goes into the journal once for each incident and reason, not at every pass.
fn human_needed(
    world: &World,
    history: &mut crate::history::History,
    policy: &oc_core::config::Policy,
    settled: &Settlement,
    now: &oc_core::clock::Stamp,
) -> Option<oc_core::journal::Event> {
    const KEY: &str = "human_needed";
    if settled.verdict != Verdict::Exhausted {
        return None;
    }
    let key = format!("{KEY}:{}", settled.incident.as_deref().unwrap_or("none"));
    if history
        .told
        .get(&key)
        .is_some_and(|at| now.since(at) < policy.warn.repeat.get())
    {
        return None;
    }
    history.told.retain(|k, _| !k.starts_with(KEY));
    history.record(policy, crate::history::Event::Told { key, at: now.clone() });
    Some(
        world
            .event(Kind::HumanNeeded, &settled.reason)
            .incident(settled.incident.as_deref())
            .with("command", &settled.command),
    )
}

/// One clear message on stderr.
fn speak(world: &World, settled: &Settlement) {
    out::talk(format_args!("a human is needed: {}", settled.reason));
    if let Some(command) = &settled.command {
        out::raw_talk(format_args!("  run: {command}"));
    }
    if let Some(incident) = &settled.incident {
        out::raw_talk(format_args!("  evidence: {}", world.paths.incident(incident).display()));
    }
    out::raw_talk(format_args!("  log: {}", world.paths.log().display()));
}

/// How the tool of this pass's rung ended, as far as that tells more than the probe does.
fn rung_result(world: &World, dir: &Path) -> RungResult {
    let Some(decision) = answer::<Decision>(&dir.join("decision.json")) else {
        return RungResult::Done;
    };
    let file = match decision.action {
        Action::Restart => "action.json",
        Action::Doctor => "doctor.json",
        Action::Agent => "agent.json",
        Action::None | Action::Hold | Action::Human => return RungResult::Done,
    };
    let exit = fsx::read_capped(&dir.join(file), 4 << 20)
        .ok()
        .flatten()
        .and_then(|bytes| serde_json::from_slice::<Envelope<Value>>(&bytes).ok());
    match (decision.action, exit) {
        (Action::Agent, None) if session_began(world) => RungResult::Failed,
        // Nothing was answered: the tool is missing or died before it could begin a session.
        (Action::Agent, None) => RungResult::NoSession("oc-claude-pty gave no answer; is it installed?".to_owned()),
        (Action::Agent, Some(e)) if e.exit == 2 => {
            let said = |key: &str| e.body.get(key).and_then(Value::as_str);
            let outcome = said("outcome").unwrap_or("no session");
            RungResult::NoSession(said("detail").map_or_else(|| outcome.to_owned(), |why| format!("{outcome} ({why})")))
        }
        (_, None) => RungResult::Failed,
        (_, Some(e)) if e.exit == 0 => RungResult::Done,
        (_, Some(_)) => RungResult::Failed,
    }
}

/// Whether a session ran about which nobody gave an answer, because oc-claude-pty was killed or failed: it counts, and keeps
/// what was charged for it.
fn session_began(world: &World) -> bool {
    let record = fsx::read_capped(&world.paths.agent_session(), 1 << 20).ok().flatten();
    record
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok())
        .is_some_and(|record| record["tree"].as_array().is_some_and(|processes| !processes.is_empty()))
}

/// What this pass's session cost, in hundredths of a US dollar, rounded up.
fn cost(dir: &Path) -> Option<u32> {
    answer::<Decision>(&dir.join("decision.json")).filter(|d| d.action == Action::Agent && d.recorded)?;
    let usd = answer::<Value>(&dir.join("agent.json"))?.get("cost_usd")?.as_f64()?;
    // Nobody's bill is larger; and a float that is none becomes 0.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped just before"
    )]
    Some((usd * 100.0).ceil().clamp(0.0, 1e6) as u32)
}

fn answer<B: serde::de::DeserializeOwned>(path: &Path) -> Option<B> {
    let bytes = fsx::read_capped(path, 4 << 20).ok()??;
    serde_json::from_slice::<Envelope<B>>(&bytes).ok().map(|e| e.body)
}
