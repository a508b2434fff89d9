//! Where and when it was measured, and beside what.

use std::process::{Command, Stdio};

/// What the table compares with, or measures by: a program and how it says its version.
const OTHERS: &[(&str, &str)] = &[
    ("curl", "--version"),
    ("monit", "-V"),
    ("openclaw", "--version"),
    ("supervisord", "--version"),
    ("systemctl", "--version"),
    ("tmux", "-V"),
    ("valgrind", "--version"),
];

pub(crate) fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}

pub(crate) fn machine() -> String {
    let first = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text
            .lines()
            .find(|line| line.starts_with(key))
            .unwrap_or_default()
            .to_owned();
        line.rsplit(": ").next().unwrap_or_default().trim().to_owned()
    };
    let uname = rustix::system::uname();
    format!(
        "{} {} {}, {} cores of {}, load average {}",
        uname.sysname().to_string_lossy(),
        uname.release().to_string_lossy(),
        uname.machine().to_string_lossy(),
        std::thread::available_parallelism().map_or(0, usize::from),
        first("/proc/cpuinfo", "model name"),
        first("/proc/loadavg", "")
    )
}

/// Of those that are installed, each with its name.
pub(crate) fn versions() -> Vec<String> {
    OTHERS.iter().filter_map(|(name, flag)| version(name, flag)).collect()
}

fn version(name: &str, flag: &str) -> Option<String> {
    let output = Command::new(name).arg(flag).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().next()?.trim();
    let line = line.split_once(" (").map_or(line, |(line, _)| line);
    let bare = line.starts_with(|c: char| c.is_ascii_digit());
    Some(if bare {
        format!("{name} {line}")
    } else {
        line.to_owned()
    })
}
