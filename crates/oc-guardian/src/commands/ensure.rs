//! `ensure`: puts back what is missing, then has one pass look after the service. For cron, independent of everything it
//! guards.

use super::{stopped_sentence, told_to_openclaw};
use crate::backend::Backend;
use crate::ensure::{self, Did, Part, upkeep};
use crate::outcome::{Outcome, Verdict};
use oc_core::clock::{Deadline, Stamp};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::lock::HealingLock;
use oc_core::report::ManagerKind;
use oc_core::run::Answer;
use oc_core::world::World;
use serde::Serialize;
use std::time::Duration;

/// Added to the outcome.
#[derive(Debug, Serialize)]
struct Body {
    #[serde(flatten)]
    outcome: Outcome,
    /// What was not as recorded.
    parts: Vec<Part>,
    /// How the pass of oc-heal ended; null when there was none.
    pass: Option<u8>,
}

/// See the module. 0 all in place, or left alone on purpose; 1 put right; 2 not put right.
///
/// # Errors
/// 75 while a healing is under way; 74, 77 when state cannot be read.
pub fn run(world: &World) -> Result<Answer> {
    visit(world).inspect_err(|fault| {
        // Where nothing can be written down no pass begins, hence none tells it: the heartbeat does.
        if matches!(fault.exit, Exit::Io | Exit::Permission) && !world.common.dry_run && !supervised(world) {
            upkeep::jobs(world, fault.exit);
        }
    })
}

fn supervised(world: &World) -> bool {
    oc_core::service::chosen(world.config.service.manager, &world.paths) == ManagerKind::Embedded
}

fn visit(world: &World) -> Result<Answer> {
    let took = Deadline::after(Duration::from_secs(3600));
    let dry_run = world.common.dry_run;
    let supervised = supervised(world);
    if !dry_run {
        oc_core::fsx::remove_abandoned(world.paths.watchdog());
        if let Err(fault) = crate::logs::rotate(world) {
            oc_core::out::talk(&fault);
        }
    }
    let before = Backend::of(world).view().identity;
    if let Some(why) = left_alone(world)? {
        if !dry_run && !supervised {
            upkeep::jobs(world, Exit::Good);
        }
        let outcome = Outcome::new("ensure", Verdict::Unchanged, why);
        return answer(outcome.processes(before.clone(), before), Vec::new(), None);
    }
    let ended = ensure::end_stuck_holder(world)?;
    let mut parts = {
        // Not while another one acts; and given up before the pass, which takes it itself.
        let _lock = match dry_run {
            true => None,
            false => Some(HealingLock::acquire(&world.paths.healing_lock())?),
        };
        // Meanwhile a person may have said otherwise.
        match left_alone(world)? {
            Some(_) => Vec::new(),
            None => ensure::everything(world)?,
        }
    };
    parts.extend(ended.map(Part::stuck));
    let inside = oc_core::lock::inside(&world.paths.healing_lock());
    // Under the embedded supervisor passes come by themselves; inside a pass there is one already.
    let pass = match dry_run || inside || supervised {
        true => None,
        false => Some(upkeep::heal(world)?),
    };
    let verdict = verdict(&parts, pass);
    let after = Backend::of(world).view().identity;
    let outcome = Outcome::new("ensure", verdict, sentence(&parts, pass))
        .processes(before, after)
        .took(took.elapsed());
    if !dry_run && !supervised {
        let (exit, _) = exit(verdict);
        upkeep::jobs(world, exit);
    }
    answer(outcome, parts, pass)
}

fn left_alone(world: &World) -> Result<Option<String>> {
    let intent = super::intent(world)?;
    if let Some(stopped) = &intent.stopped {
        return Ok(Some(format!("left alone: {}", stopped_sentence(stopped))));
    }
    if intent.maintenance_now(&Stamp::now()).is_some() {
        return Ok(Some("left alone: maintenance".to_owned()));
    }
    let stopped = told_to_openclaw(world, &Backend::of(world).view());
    Ok(stopped.map(|stopped| format!("left alone: {}", stopped_sentence(&stopped))))
}

fn verdict(parts: &[Part], pass: Option<Exit>) -> Verdict {
    let any = |did| parts.iter().any(|part| part.did == did);
    // 1: it heals, and the next pass goes on.
    let (well, healing) = pass.map_or((true, false), |exit| {
        (matches!(exit.code(), 0 | 1 | 75), exit.code() == 1)
    });
    if any(Did::Failed) || !well {
        Verdict::Failed
    } else if healing || any(Did::PutRight) {
        Verdict::Done
    } else {
        Verdict::Unchanged
    }
}

fn sentence(parts: &[Part], pass: Option<Exit>) -> String {
    let mut said: Vec<String> = parts
        .iter()
        .map(|part| match part.did {
            Did::Left => format!("left alone: {}", part.text),
            _ => part.text.clone(),
        })
        .collect();
    match pass.map(Exit::code) {
        None | Some(0 | 75) => {}
        Some(1) => said.push("the service is not healthy yet; the healing goes on at the next pass".to_owned()),
        Some(2) => said.push("the service needs a person: see `oc-report status`".to_owned()),
        Some(3) => said.push("whether the service is healthy could not be told".to_owned()),
        Some(code) => said.push(format!("the healing pass ended with {code}")),
    }
    if said.is_empty() {
        return "all in place".to_owned();
    }
    said.join("; ")
}

fn exit(verdict: Verdict) -> (Exit, &'static str) {
    match verdict {
        Verdict::Unchanged | Verdict::Refused => (Exit::Good, "in_place"),
        Verdict::Done => (Exit::Answer(1), "put_right"),
        Verdict::Failed => (Exit::Answer(2), "not_put_right"),
    }
}

fn answer(outcome: Outcome, parts: Vec<Part>, pass: Option<Exit>) -> Result<Answer> {
    let (exit, verdict) = exit(outcome.outcome);
    let would = if outcome.dry_run { "dry run: " } else { "" };
    let text = format!("{would}{}\n", outcome.reason);
    let body = Body {
        outcome,
        parts,
        pass: pass.map(Exit::code),
    };
    Ok(Answer::new("oc.guardian/1", exit, verdict, &body)?.text(text))
}
