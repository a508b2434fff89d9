//! The installed package: is it there, is its entry point, does the configuration come from a newer one, is node new
//! enough for it. No node is started.

use crate::finding::Finding;
use crate::package;
use crate::scene::Scene;
use oc_core::proc::which;
use serde_json::Value;
use std::cmp::Ordering;

/// install.missing, install.entry_missing, install.node, config.newer_version
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    if !scene.openclaw() {
        return;
    }
    let program = scene
        .world
        .config
        .service
        .doctor_command
        .first()
        .map_or("openclaw", String::as_str);
    let Some(package) = package::installed(scene.world) else {
        if which(program).is_none() {
            findings.push(
                Finding::warning("install.missing", program, format!("{program} is not on PATH"))
                    .command("npm install -g openclaw"),
            );
        }
        return;
    };
    if let Some(entry) = package.entry.as_ref().filter(|entry| !entry.exists()) {
        findings.push(
            Finding::error(
                "install.entry_missing",
                entry.display().to_string(),
                format!(
                    "{} is missing: the installation of {} is incomplete",
                    entry.display(),
                    package.version
                ),
            )
            .command(format!("npm install -g openclaw@{}", package.version)),
        );
    }
    if let Some(written_by) = scene.get("meta.lastTouchedVersion").and_then(Value::as_str)
        && compare(written_by, &package.version) == Ordering::Greater
    {
        findings.push(
            Finding::error(
                "config.newer_version",
                "meta.lastTouchedVersion",
                format!(
                    "the configuration was written by version {written_by}, {} is installed and refuses to start with it",
                    package.version
                ),
            )
            .command(format!("npm install -g openclaw@{written_by}")),
        );
    }
    if let (Some(wanted), Some(node)) = (&package.engines_node, package::node_version())
        && let Some(least) = least_version(wanted)
        && compare(&node, &least) == Ordering::Less
    {
        findings.push(
            Finding::warning(
                "install.node",
                "node",
                format!("node {node} is too old: {} wants {wanted}", package.version),
            )
            .command(format!(
                "npm install -g node@{}",
                least.split('.').next().unwrap_or("latest")
            )),
        );
    }
}

/// Versions by their numbers, part for part: 2026.10.1 is newer than 2026.9.6.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |v: &str| -> Vec<u64> {
        v.trim_start_matches('v')
            .split(['.', '-', '+'])
            .map_while(|part| part.parse().ok())
            .collect()
    };
    parts(a).cmp(&parts(b))
}

/// The lowest version that a range such as `>=22.12.0` admits; `None` for ranges we do not understand.
fn least_version(range: &str) -> Option<String> {
    let alternatives = range.split("||").map(|part| {
        let version = part.trim().strip_prefix(">=")?.split([' ', '<']).next()?;
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| version.to_owned())
    });
    let all: Option<Vec<String>> = alternatives.collect();
    all?.into_iter().min_by(|a, b| compare(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_ranges() {
        assert_eq!(compare("2026.10.1", "2026.9.6"), Ordering::Greater);
        assert_eq!(compare("2026.9.6", "2026.9.6"), Ordering::Equal);
        assert_eq!(least_version(">=24.16.0 <25 || >=22.19.0 <23").unwrap(), "22.19.0");
        assert_eq!(least_version("^22"), None);
    }
}
