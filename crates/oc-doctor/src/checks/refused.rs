//! The service's own verdict, when nothing else explains it.

use crate::finding::{Finding, weight};
use crate::scene::Scene;

/// config.refused
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let this_content = scene.refused.is_some() && scene.refused == scene.file.hash;
    if this_content && weight(findings) == 0 {
        let path = scene.file.path.display().to_string();
        let message = format!("the service exits with 78 on {path}, and nothing that is checked here explains it");
        findings.push(Finding::error("config.refused", path, message));
    }
}
