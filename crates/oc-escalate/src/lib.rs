//! What may be done next, by history and policy.
//!
//! [`policy`], [`history`] and [`simulate`] are pure: no I/O, no clock, no randomness. A pass calls, in this order,
//! [`policy::observe`] and [`policy::decide`] on the first probe, [`policy::attempt`] before anything is done, and
//! [`policy::settle`] on the last probe; [`history::History::record`] takes every event that these return. Everything
//! with an effect is in [`chain`], [`pass`], [`state`], [`carry`] and the commands.

pub mod carry;
pub mod chain;
pub mod cli;
pub mod commands;
pub mod history;
pub mod pass;
pub mod policy;
pub mod simulate;
pub mod state;
pub mod upkeep;
