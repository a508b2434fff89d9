//! The subcommands.

mod attach;
mod body;
pub(crate) mod hook;
mod list;
mod preview;
mod run;
mod stop;

pub use body::Body;

use crate::cli::Command;
use oc_core::fault::Result;
use oc_core::run::{Answer, Common};
use oc_core::world::World;

const NAME: &str = "oc-claude-pty";

/// Runs one.
///
/// # Errors
/// A [`oc_core::Fault`] when it could not do its job.
pub fn run(common: &Common, command: Command) -> Result<Answer> {
    if let Command::Hook { event, dir } = &command {
        return hook::run(event, dir);
    }
    let world = World::open(NAME, common, true)?;
    match command {
        Command::Run(wanted) => run::run(&world, &wanted),
        Command::Attach { control } => attach::run(&world, control),
        Command::Stop { stale } => stop::run(&world, stale),
        Command::List | Command::Hook { .. } => list::run(&world),
    }
}
