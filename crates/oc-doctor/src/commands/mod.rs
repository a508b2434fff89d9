//! The subcommands.

mod apply;
mod close;
mod explain;
mod fix;
mod generations;
mod playbook;
mod preflight;
mod snapshot;

use crate::cli::Command;
use crate::evidence::Evidence;
use crate::repair;
use oc_core::fault::{Fault, Result};
use oc_core::lock::HealingLock;
use oc_core::run::{Answer, Common};
use oc_core::world::World;

/// Runs one.
///
/// # Errors
/// A [`Fault`] when it could not do its job.
pub fn run(common: &Common, command: Command) -> Result<Answer> {
    if let Command::Preflight = command {
        return preflight::run(common);
    }
    if let Command::Explain { id } = &command {
        return explain::run(id.as_deref());
    }
    let world = World::open("oc-doctor", common, true)?;
    match command {
        Command::Check(probed) => repair::check(&world, Evidence::gather(&world, probed.probe.as_deref())?)?.answer(),
        Command::Fix { probed, verify } => fix::run(&world, &probed, verify),
        Command::Commit(probed) => close::commit(&world, &probed),
        Command::Undo(probed) => close::undo(&world, &probed),
        Command::Snapshot { note, auto, probed } => snapshot::run(&world, note.as_deref(), auto, &probed),
        Command::Generations => generations::list(&world),
        Command::Diff { generation } => generations::diff(&world, &generation),
        Command::Rollback { generation } => generations::rollback(&world, &generation),
        Command::Work { dir } => apply::work(&world, &dir),
        Command::Apply { plan, approve } => apply::run(&world, &plan, approve),
        Command::Playbook { what } => playbook::run(&world, what),
        Command::Preflight | Command::Explain { .. } => Err(Fault::internal("handled above")),
    }
}

/// Takes the healing lock, or proves that this is a step of the pass that holds it. A dry run changes nothing and needs
/// none.
///
/// # Errors
/// 75 when another healing is under way.
pub fn lock(world: &World) -> Result<Option<HealingLock>> {
    if world.common.dry_run {
        return Ok(None);
    }
    oc_core::fsx::private_dir(world.paths.watchdog())?;
    HealingLock::acquire(&world.paths.healing_lock()).map(Some)
}
