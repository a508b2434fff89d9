//! `self-check`: is everything there that a healing will need? `--exercise` goes through the service manager's answers.

use crate::backend::Backend;
use crate::cli::SelfCheck;
use crate::{exercise, self_check};
use oc_core::fault::Result;
use oc_core::run::{Answer, Common};
use oc_core::world::World;

/// See the module. What is wrong with our configuration is one of the findings.
///
/// # Errors
/// 70 when it cannot be turned into JSON, 78 when nobody says where home is; those of the exercise.
pub fn run(tool: &'static str, common: &Common, args: &SelfCheck) -> Result<Answer> {
    let (world, trouble) = match World::open(tool, common, false) {
        Ok(world) => (world, None),
        Err(fault) => (World::open_whatever(tool, common)?, Some(fault)),
    };
    if args.exercise {
        return exercise::run(&world);
    }
    self_check::run(&world, Backend::of(&world).view(), trouble.as_ref())
}
