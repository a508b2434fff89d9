//! Beside what it was measured.

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
