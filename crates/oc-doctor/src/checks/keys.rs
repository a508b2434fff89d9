//! Keys: required ones that are missing, and what the schema of the installed version does not accept. A schema finding
//! is a hint until the service itself refused this very configuration: OpenClaw migrates old keys at its start. The schema
//! that a person named for another service is taken at its word.

use crate::document::keys;
use crate::finding::{Finding, Severity};
use crate::scene::Scene;
use crate::schema::Problem;
use serde_json::Value;

/// config.required_key, config.unknown_key, config.wrong_value
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(effective) = &scene.effective else { return };
    for required in &scene.world.config.service.required_keys {
        let missing = match crate::document::at(effective, &keys(required)) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        };
        // A file that an include cannot be read from is the fault, not the keys that it would have brought.
        if missing && scene.include_faults.is_empty() {
            findings.push(Finding::error(
                "config.required_key",
                required,
                format!("{required} is missing; without it the service does not start"),
            ));
        }
    }
    let named = !scene.openclaw() && scene.world.config.service.config_schema.is_some();
    let severity = if scene.refused.is_some() || named {
        Severity::Error
    } else {
        Severity::Warning
    };
    for problem in scene.schema.problems(effective) {
        let (id, path, message) = match problem {
            Problem::Unknown { path } => {
                let message = format!("{path} is not known to the installed version");
                ("config.unknown_key", path, message)
            }
            Problem::Wrong { path, why } => {
                let message = format!("{path} has a value that the installed version does not accept: {why}");
                ("config.wrong_value", path, message)
            }
        };
        // Reported as missing already.
        if !findings
            .iter()
            .any(|f| f.id == "config.required_key" && f.subject == path)
        {
            findings.push(Finding::new(id, severity, path, message));
        }
    }
    // What the service itself objects to holds for as long as the value is the one it objected to.
    for (issue, value) in &scene.evidence.issues {
        if crate::document::at(effective, &keys(&issue.subject)) == value.as_ref() {
            findings.retain(|f| !f.same(issue) || f.blocks());
            if !findings.iter().any(|f| f.same(issue)) {
                findings.push(issue.clone());
            }
        }
    }
}
