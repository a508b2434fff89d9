//! Makes the planned change: the steps around the configuration first, then the one content that it gets.

use super::{Plan, sentence};
use crate::disk::OnDisk;
use crate::generations::{Reason, Store};
use crate::remedies::Proposal;
use crate::scene::Scene;
use crate::transaction::Transaction;
use oc_core::Exit;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::{Fault, Result};
use oc_core::identity::Identity;
use oc_core::proc::kill_service_tree;
use oc_core::world::World;
use std::path::PathBuf;
use std::time::Duration;

/// Does what was planned, each step recorded before it is taken.
///
/// # Errors
/// 75 when somebody else edits the configuration at the same moment, 74 or 77.
pub(super) fn all(world: &World, store: &Store, open: &mut Transaction, scene: &Scene<'_>, plan: &Plan) -> Result<()> {
    for step in &plan.around {
        match step {
            Proposal::Mode { path, before, after } => open.set_mode(world, path, *before, *after)?,
            Proposal::Aside { path } => drop(open.move_aside(world, path)?),
            Proposal::Included { path, bytes, .. } => {
                let file = OnDisk::read(path);
                keep_old(store, &file)?;
                open.write(world, &file, bytes)?;
            }
            Proposal::End { identity, what } => {
                open.note_final(world, what)?;
                end(identity)?;
            }
            Proposal::Remove { files, .. } => {
                open.note_final(world, &sentence(step))?;
                remove_all(files);
            }
            Proposal::Content { .. } => {}
        }
    }
    let Some(bytes) = &plan.content else { return Ok(()) };
    // What was moved aside is no longer what was read.
    let moved = plan.around.iter().any(|s| matches!(s, Proposal::Aside { .. }));
    let file = if moved {
        OnDisk::read(&scene.file.path)
    } else {
        scene.file.clone()
    };
    open.write(world, &file, bytes)
}

/// Ends a process and what it started. Its port is free only once it is gone; KILL takes a moment, for ever when it hangs in
/// the kernel.
///
/// # Errors
/// 77 when it is somebody else's.
pub fn end(identity: &Identity) -> Result<()> {
    let refused = |e| Fault::new(Exit::Permission, format_args!("cannot end pid {}: {e}", identity.pid));
    kill_service_tree(identity).map_err(refused)?;
    let deadline = Deadline::after(Duration::from_secs(5));
    while identity.alive() && !deadline.passed() {
        pause(Duration::from_millis(5));
    }
    Ok(())
}

/// An included file that cannot be parsed is not part of a snapshot of the configuration; its bytes are kept all the same.
fn keep_old(store: &Store, file: &OnDisk) -> Result<()> {
    if let Some(bytes) = file.bytes() {
        store.adopt(
            &file.target,
            bytes,
            Reason::BeforeFix,
            Some("an included file before its repair"),
        )?;
    }
    Ok(())
}

fn remove_all(files: &[PathBuf]) {
    for file in files {
        if let Err(e) = std::fs::remove_file(file) {
            oc_core::out::talk(format_args!("cannot remove {}: {e}", file.display()));
        }
    }
}
