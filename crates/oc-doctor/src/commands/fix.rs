//! `fix`: repair, and with `--verify` wait for the service and close the transaction.

use crate::cli::Probed;
use crate::evidence::Evidence;
use crate::repair;
use crate::transaction::{self, Transaction};
use oc_core::Exit;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use std::time::Duration;

/// How long `--verify` waits for the service, unless `--deadline` says otherwise.
const VERIFY: Duration = Duration::from_secs(120);

/// Runs it.
///
/// # Errors
/// 75 when another healing is under way or somebody edits the configuration at this moment; 74 or 77.
pub(crate) fn run(world: &World, probed: &Probed, verify: bool) -> Result<Answer> {
    let _lock = match super::lock(world) {
        // Nothing of ours can be written either; what a person can do about it is worth more than that.
        Err(fault) if fault.exit != Exit::Busy => {
            let body = repair::check(world, Evidence::gather(world, probed.probe.as_deref())?)?;
            let explained = body.findings.iter().any(|f| f.id == "disk.read_only");
            return if explained { body.answer() } else { Err(fault) };
        }
        other => other?,
    };
    if !world.common.dry_run {
        close_leftover(world, probed)?;
    }
    let evidence = Evidence::gather(world, probed.probe.as_deref())?;
    let mut body = repair::fix(world, evidence)?;
    if verify
        && body.transaction.is_some()
        && let Some(open) = Transaction::open(world)?
    {
        let mut evidence = Evidence::default();
        let deadline = Deadline::after(world.common.deadline.unwrap_or(VERIFY));
        while !deadline.passed() {
            evidence.ask(world, Duration::from_secs(2));
            if evidence.answered == Some(true) {
                break;
            }
            pause(Duration::from_millis(200));
        }
        let closed = transaction::close_by_evidence(world, open, evidence)?;
        if closed.0 == transaction::Closed::Undone {
            body.findings.iter_mut().for_each(|f| f.applied = false);
        }
        body.transaction = None;
        body.closed = Some(closed);
    }
    body.answer()
}

/// A repair that a dead pass (or a person) left open is closed before the next one begins: two at a time could not be
/// told apart.
///
/// # Errors
/// 74 or 77.
pub(crate) fn close_leftover(world: &World, probed: &Probed) -> Result<()> {
    if let Some(open) = Transaction::open(world)? {
        let mut evidence = Evidence::gather(world, probed.probe.as_deref())?;
        if probed.probe.is_none() {
            evidence.ask(world, Duration::from_secs(2));
        }
        let (closed, why) = transaction::close_by_evidence(world, open, evidence)?;
        oc_core::out::talk(format_args!("an earlier repair was open; {closed:?}: {why}"));
    }
    Ok(())
}
