//! Every scenario of the sweep, by tool.

mod agent;
mod chain;
mod doctor;
mod escalate;
mod guardian;
mod notify;
mod report;
mod supervise;

use super::field::Field;
use super::{SCENARIO, Scenario};
use std::ffi::OsString;

pub(super) const ALL: &[&Scenario] = &[
    &chain::RESTART,
    &chain::CONFIG,
    &chain::SETTLE,
    &agent::PASS,
    &escalate::MAINTENANCE_ON,
    &escalate::MAINTENANCE_OFF,
    &escalate::RESET,
    &guardian::STOP,
    &guardian::START,
    &guardian::RESTART,
    &guardian::ENSURE,
    &guardian::INSTALL,
    &guardian::UNINSTALL,
    &supervise::LIFE,
    &doctor::FIX,
    &doctor::UNDO,
    &doctor::SNAPSHOT,
    &doctor::ROLLBACK,
    &notify::SENDING,
    &notify::FLUSH,
    &report::METRICS,
    &report::HTML,
];

/// One of our programs with its arguments.
fn words(words: &[&str]) -> Vec<OsString> {
    let program = oc_testkit::bin(words[0]).into_os_string();
    std::iter::once(program)
        .chain(words[1..].iter().map(OsString::from))
        .collect()
}
