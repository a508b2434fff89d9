//! A real systemd user manager and a real cron, in private namespaces: what was lost is put back, what a person decided stays.
//! `make e2e` runs these; they need root and systemd's programs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod cron;
mod exercise;
mod hostile_home;
mod installed;
mod nuclear;
mod real_unit;
mod rig;
mod states;
