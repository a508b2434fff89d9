//! A stand-in for `launchctl` and the launchd behind it: the state table, exit codes and texts that are known from public
//! reports, so that what we do about them can be tested anywhere. It proves our logic against documented behaviour, not that
//! macOS behaves so; `oc-guardian self-check --exercise` asks a real one.
//!
//! The first call starts a daemon that holds all jobs and their processes; every call is a line to it. What is unusual about it
//! is told from outside: see `oc_testkit::launchd`.

mod client;
mod daemon;
mod job;
mod listing;
mod loading;
mod plist;
mod reply;
mod running;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        Some("stand-in-daemon") => daemon::run(),
        _ => client::run(&words),
    }
}
