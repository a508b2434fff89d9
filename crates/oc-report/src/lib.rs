//! oc-report: the view from outside. One file per view; what they share is below.
//!
//! | module | what it knows |
//! |---|---|
//! | `now` | how things stand: state.json, the last pass, a person's will |
//! | `ledger` | what happened: the journal, as incidents and samples |
//! | `figures` | what follows from it: availability, times to detect and recover; pure |
//! | `trend` | whether memory grows, and until when it fits; pure |
//! | `words` | what things are called, in each language |
//! | `serve` | a page or metrics on a loopback port |

pub mod cli;
mod figures;
mod ledger;
mod now;
mod serve;
mod text;
pub mod trend;
mod views;
mod words;

use cli::{Cli, Command};
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;

/// Runs one command.
///
/// # Errors
/// 64, 65, 74, 77, 78.
pub fn run(cli: Cli) -> Result<Answer> {
    let world = World::open_whatever("oc-report", &cli.common)?;
    match cli.command {
        Command::Status => views::status::status(&world),
        Command::Timeline { incident, last } => views::timeline::timeline(&world, incident.as_deref(), last),
        Command::Digest { since, format } => views::digest::digest(&world, since, format),
        Command::Metrics { listen, output } => views::metrics::metrics(&world, listen, output),
        Command::Html { listen, output } => views::html::html(&world, listen, &output),
        Command::Forecast => views::forecast::forecast(&world),
    }
}
