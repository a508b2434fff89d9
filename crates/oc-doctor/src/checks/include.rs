//! Included files that cannot be followed.

use crate::finding::Finding;
use crate::scene::Scene;

/// config.include
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    for (file, why) in &scene.include_faults {
        findings.push(Finding::error(
            "config.include",
            file,
            format!("{file}, which the configuration includes, cannot be used: {why}"),
        ));
    }
}
