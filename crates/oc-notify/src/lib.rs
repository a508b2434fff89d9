//! oc-notify: level 4, people.
//!
//! | module | what it knows |
//! |---|---|
//! | `rules` | what is news, and when; pure |
//! | `compose` | how it is said, in English and Korean; pure |
//! | `message` | what a message is, and that it leaves without secrets |
//! | `outbox` | that nothing is lost: spool, order, bounds, delivery |
//! | `channels` | one API each: form, limits, meaning of its answers; pure but for `wire` |

pub mod channels;
pub mod cli;
mod commands;
mod compose;
mod desk;
mod memory;
pub mod message;
mod outbox;
mod rules;

use cli::{Cli, Command};
use oc_core::fault::Result;
use oc_core::run::Answer;

/// Runs one command.
///
/// # Errors
/// 64, 65, 74, 77, 78. A failed delivery is an answer (1 or 2), not an error.
pub fn run(cli: Cli) -> Result<Answer> {
    let common = cli.common;
    match cli.command {
        Command::Send {
            severity,
            title,
            text,
            key,
        } => commands::send::send(&common, severity, title, &text, key),
        Command::Incident { run } => commands::incident::incident(&common, &run),
        Command::Test { channel } => commands::test::test(&common, channel.as_deref()),
        Command::Flush => commands::flush::flush(&common),
        Command::Outbox => commands::outbox::outbox(&common),
        Command::Heartbeat { start, status } => commands::heartbeat::heartbeat(&common, start, status),
    }
}
