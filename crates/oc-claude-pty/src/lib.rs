//! oc-claude-pty: an AI doctor that may look at everything and touch nothing.
//!
//! [`commands::run`] copies the [`evidence`] in, writes the [`prompt`] and the [`fence`], and makes one [`attempt`] after the
//! other: an agent ([`agents`]) in a [`drivers`] of its own, metered by an [`account`], watched until it ends or a bound does.
//! What it leaves is judged by `oc-doctor apply --dry-run`, never by what it says.

pub mod account;
pub mod agents;
pub mod attempt;
pub mod cli;
pub mod commands;
pub mod dialogs;
pub mod drivers;
pub mod environment;
pub mod evidence;
pub mod fence;
pub mod plan;
pub mod prompt;
pub mod report;
pub mod session;
pub mod tools;
pub mod transcript;
pub mod watch;
