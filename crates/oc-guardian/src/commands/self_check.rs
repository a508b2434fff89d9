//! `self-check`: is everything there that a healing will need? `--exercise` goes through the service manager's answers.

use crate::cli::SelfCheck;
use crate::exercise;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;

/// See the module.
///
/// # Errors
/// 70 when it cannot be turned into JSON; those of the exercise.
pub fn run(world: &World, args: &SelfCheck) -> Result<Answer> {
    if args.exercise {
        return exercise::run(world);
    }
    exercise::run(world)
}
