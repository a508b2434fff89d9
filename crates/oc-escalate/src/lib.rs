//! What may be done next, by history and policy.
//!
//! Everything in here is pure: no I/O, no clock, no randomness. A pass calls, in this order, [`policy::observe`] and
//! [`policy::decide`] on the first probe, [`policy::attempt`] before anything is done, and [`policy::settle`] on the
//! last probe; [`history::History::record`] takes every event that these return.

pub mod history;
pub mod policy;
pub mod simulate;
