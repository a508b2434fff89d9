//! The checks: one file per family of findings. They only read; those about the configuration are pure functions of the
//! [`Scene`], so that a repair is judged before it is made.

mod auth;
pub mod file;
mod include;
mod keys;
mod refused;
mod syntax;

use crate::finding::Finding;
use crate::scene::Scene;

/// Findings that mean: there is no usable configuration at all.
pub const NO_CONFIGURATION: [&str; 10] = [
    "config.missing",
    "config.directory",
    "config.special",
    "config.unreadable",
    "config.too_large",
    "config.empty",
    "config.binary",
    "config.garbage",
    "config.truncated",
    "config.syntax",
];

/// What the configuration itself shows.
#[must_use]
pub fn configuration(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if scene.has_config() {
        file::check(scene, &mut findings);
        syntax::check(scene, &mut findings);
        include::check(scene, &mut findings);
        keys::check(scene, &mut findings);
        auth::check(scene, &mut findings);
        refused::check(scene, &mut findings);
    }
    findings
}

/// What would keep any start from succeeding: missing, unreadable as a configuration, without its required keys. The
/// rest is for the service to judge, which migrates old keys itself.
#[must_use]
pub fn fatal(findings: &[Finding]) -> Vec<Finding> {
    findings
        .iter()
        .filter(|f| f.id == "config.required_key" || NO_CONFIGURATION.contains(&f.id.as_str()))
        .cloned()
        .collect()
}

/// Everything.
#[must_use]
pub fn all(scene: &Scene<'_>) -> Vec<Finding> {
    configuration(scene)
}
