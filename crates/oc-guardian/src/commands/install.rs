//! `install`: registers watchdog and guardian, so that they start by themselves.

use crate::cli;
use crate::install::{self, Wishes};
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;

/// See the module. 0 done or nothing to do, 1 refused, 2 not all of it done.
///
/// # Errors
/// As [`install::install`].
pub fn run(world: &World, args: &cli::Install) -> Result<Answer> {
    let wishes = Wishes {
        interval: args.interval,
        no_cron: args.no_cron,
        no_service: args.no_service,
        takeover: args.takeover,
        agent: args.agent.clone(),
    };
    install::install(world, &wishes)
}
