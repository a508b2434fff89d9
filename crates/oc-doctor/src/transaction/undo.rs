//! Takes the steps of a repair back, one by one. An undo may be killed as well: each step goes on from what an earlier one left.

use super::Step;
use crate::disk::{self, Hash, OnDisk, Swap};
use crate::generations::{Reason, Store};
use oc_core::fault::{Fault, Result};
use std::path::Path;

/// Takes one step back. What somebody else changed since stays as they left it.
///
/// # Errors
/// 65 when the snapshot that it needs is damaged, 74 or 77.
pub(super) fn step(step: &Step, store: &Store) -> Result<()> {
    match step {
        Step::Write(swap) => write(swap, store),
        Step::Mode { path, before, after } => {
            if OnDisk::read(path).mode == Some(*after) {
                disk::set_mode(path, *before)?;
            }
            Ok(())
        }
        Step::Moved { from, to } => {
            if to.exists() && !from.exists() {
                std::fs::rename(to, from).map_err(|e| Fault::io("put back", from, e))?;
            }
            Ok(())
        }
        Step::Foreign { target, before, mode } => foreign(target, before.as_ref(), *mode, store),
        Step::Final { .. } => Ok(()),
    }
}

/// Nobody knows what the other program meant to leave, so whatever it left goes; a snapshot of it was taken.
fn foreign(target: &Path, before: Option<&Hash>, mode: Option<u32>, store: &Store) -> Result<()> {
    let file = OnDisk::read(target);
    let Some(before) = before else { return Ok(()) };
    if file.hash.as_ref() == Some(before) {
        return drop_exchanged(&file, store);
    }
    let Some(bytes) = store.bytes(before) else {
        return Ok(());
    };
    if let Some(left) = file.bytes() {
        store.adopt(target, left, Reason::Other, Some("left by the service's own doctor"))?;
    }
    let mut back = Swap::plan(&file, &bytes, "undo");
    back.mode = mode.unwrap_or(back.mode);
    back.settle()?;
    back.perform(&bytes)
}

/// An undo that was killed after the exchange left what it took out, of which there is a snapshot.
fn drop_exchanged(file: &OnDisk, store: &Store) -> Result<()> {
    let temp = Swap::plan(file, &[], "undo").temp;
    match OnDisk::read(&temp).hash.filter(|left| store.bytes(left).is_some()) {
        Some(_) => std::fs::remove_file(&temp).map_err(|e| Fault::io("remove", &temp, e)),
        None => Ok(()),
    }
}

/// What somebody else changed meanwhile stays as they left it, which is no fault here.
pub(super) fn settle(swap: &Swap) -> Result<()> {
    match swap.settle() {
        Err(fault) if fault.exit == oc_core::Exit::Busy => Ok(()),
        other => other,
    }
}

fn write(swap: &Swap, store: &Store) -> Result<()> {
    if let Some(before) = &swap.before {
        // An undo before this one may have been killed over its work.
        let begun = Swap {
            before: Some(swap.after.clone()),
            after: before.clone(),
            ..Swap::plan(&OnDisk::read(&swap.target), &[], "undo")
        };
        settle(&begun)?;
    }
    let file = OnDisk::read(&swap.target);
    if file.hash.as_ref() != Some(&swap.after) {
        return Ok(());
    }
    match &swap.before {
        None => std::fs::remove_file(&swap.target).map_err(|e| Fault::io("remove", &swap.target, e)),
        Some(before) => {
            let bytes = store.bytes(before).ok_or_else(|| {
                Fault::data(format_args!(
                    "the snapshot of {} is damaged; it stays as it is",
                    swap.target.display()
                ))
            })?;
            let back = Swap {
                mode: swap.mode,
                ..Swap::plan(&file, &bytes, "undo")
            };
            match back.perform(&bytes) {
                // Somebody edits at this very moment: theirs.
                Err(fault) if fault.exit == oc_core::Exit::Busy => Ok(()),
                other => other,
            }
        }
    }
}
