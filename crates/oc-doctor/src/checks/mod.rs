//! The checks: one file per family of findings. They only read; those about the configuration are pure functions of the
//! [`Scene`], so that a repair is judged before it is made.

mod auth;
pub mod file;
mod include;
mod install;
mod keys;
mod last_exit;
mod owner;
pub(crate) mod plugin;
pub(crate) mod port;
mod refused;
mod secrets;
mod shrunk;
mod space;
mod state_db;
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
        plugin::check(scene, &mut findings);
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

/// What its surroundings show: looked at once a run, since no change of the configuration changes them.
#[must_use]
pub fn surroundings(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    space::check(scene, &mut findings);
    state_db::check(scene, &mut findings);
    install::check(scene, &mut findings);
    port::check(scene, &mut findings);
    owner::check(scene, &mut findings);
    secrets::check(scene, &mut findings);
    if scene.has_config() {
        shrunk::check(scene, &mut findings);
    }
    last_exit::check(scene, &mut findings);
    findings
}

/// Everything.
#[must_use]
pub fn all(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = configuration(scene);
    findings.extend(surroundings(scene));
    findings
}

/// Whether a finding is about the configuration itself, hence goes away with a change of it.
#[must_use]
pub fn about_configuration(finding: &Finding) -> bool {
    let family = finding.id.split('.').next();
    matches!(family, Some("config" | "auth" | "plugin"))
        && !matches!(finding.id.as_str(), "config.newer_version" | "config.shrunk")
}
