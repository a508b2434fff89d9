//! `uninstall`: takes away exactly what install registered.

use crate::cli;
use crate::install;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;

/// See the module. 0 done or nothing to do, 1 refused, 2 not all of it done.
///
/// # Errors
/// As [`install::uninstall`].
pub fn run(world: &World, args: &cli::Uninstall) -> Result<Answer> {
    install::uninstall(world, args.purge)
}
