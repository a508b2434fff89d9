//! The tools of a pass: there, runnable, and all of one version.

use super::Line;
use oc_core::proc::{Cmd, which};
use oc_core::run::VERSION;
use std::path::PathBuf;
use std::time::Duration;

/// Without these no pass.
const NEEDED: [&str; 4] = ["oc-probe", "oc-escalate", "oc-doctor", "oc-notify"];

pub(super) fn check() -> Vec<Line> {
    let mut lines = Vec::new();
    let mut fine = Vec::new();
    for tool in NEEDED {
        match find(tool).map(|path| (version(&path), path)) {
            None => lines.push(Line::fail(
                "tools",
                format!("{tool} is neither beside oc-guardian nor on PATH"),
                "make install",
            )),
            Some((None, path)) => lines.push(Line::fail(
                "tools",
                format!("{} does not run", path.display()),
                format!("{} --version", path.display()),
            )),
            Some((Some(other), path)) if other != VERSION => lines.push(Line::warn(
                "tools",
                format!("{} is version {other}, oc-guardian is {VERSION}", path.display()),
                "make install",
            )),
            Some(_) => fine.push(tool),
        }
    }
    match heal() {
        None => lines.push(Line::fail(
            "tools",
            "oc-heal is neither beside oc-guardian nor on PATH",
            "make install",
        )),
        Some(_) => fine.push("oc-heal"),
    }
    if lines.is_empty() {
        lines.push(Line::ok("tools", format!("{} {VERSION}", fine.join(", "))));
    }
    lines
}

fn find(tool: &str) -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join(tool);
    which(&beside.to_string_lossy()).or_else(|| which(tool))
}

fn heal() -> Option<PathBuf> {
    let found = crate::supervise::heal::program();
    which(&found.to_string_lossy())
}

fn version(path: &PathBuf) -> Option<String> {
    let output = Cmd::new(path)
        .args(["--version"])
        .timeout(Duration::from_secs(5))
        .run()
        .ok()?;
    let text = output.stdout_text();
    output
        .ended
        .success()
        .then(|| text.split_whitespace().last().unwrap_or_default().to_owned())
}
