//! The service's own validation (`openclaw config validate --json`): its word turns hints into findings. Read-only; costs
//! a node process, hence asked by `fix` only, and only when the service does not serve.

use crate::finding::Finding;
use crate::scene::Scene;
use oc_core::proc::Cmd;
use serde::Deserialize;
use std::time::Duration;

#[derive(Deserialize)]
struct Verdict {
    valid: bool,
    #[serde(default)]
    issues: Vec<Issue>,
}

#[derive(Deserialize)]
struct Issue {
    path: String,
    message: String,
}

/// What it objects to; `None` when it cannot be asked or gives no answer that can be understood.
#[must_use]
pub fn ask(scene: &Scene<'_>) -> Option<Vec<Finding>> {
    if !scene.openclaw() {
        return None;
    }
    let program = scene.world.config.service.doctor_command.first()?;
    let mut cmd = Cmd::new(program);
    crate::own_doctor::environment(&mut cmd, scene.world);
    let output = cmd
        .args(["config", "validate", "--json"])
        .timeout(Duration::from_secs(30))
        .run()
        .ok()?;
    let text = output.stdout_text();
    let verdict: Verdict = serde_json::from_str(text.get(text.find('{')?..)?).ok()?;
    Some(if verdict.valid {
        Vec::new()
    } else {
        verdict.issues.iter().flat_map(findings).collect()
    })
}

/// `gateway` + `Unrecognized key: "x"` is about `gateway.x`; `channels.x` + `unknown channel id` about itself.
fn findings(issue: &Issue) -> Vec<Finding> {
    let root = if issue.path == "<root>" {
        ""
    } else {
        issue.path.as_str()
    };
    if let Some(names) = issue.message.strip_prefix("Unrecognized key") {
        return names
            .split('"')
            .skip(1)
            .step_by(2)
            .map(|name| {
                let path = if root.is_empty() {
                    name.to_owned()
                } else {
                    format!("{root}.{name}")
                };
                Finding::error(
                    "config.unknown_key",
                    &path,
                    format!("{path} is not known to the installed version"),
                )
            })
            .collect();
    }
    let id = if issue.message.starts_with("unknown ") {
        "config.unknown_key"
    } else {
        "config.wrong_value"
    };
    // What was received may be a secret.
    let message = issue.message.split(", got:").next().unwrap_or("");
    vec![Finding::error(
        id,
        root,
        format!("{root} is not accepted by the service: {message}"),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_answers_of_2026_9_6() {
        let issue = |path: &str, message: &str| Issue {
            path: path.into(),
            message: message.into(),
        };
        let cases = [
            (
                issue("gateway", "Unrecognized key: \"bogusKey\""),
                "config.unknown_key",
                "gateway.bogusKey",
            ),
            (
                issue("<root>", "Unrecognized key: \"rootBogus\""),
                "config.unknown_key",
                "rootBogus",
            ),
            (
                issue("channels.nosuch", "unknown channel id: nosuch"),
                "config.unknown_key",
                "channels.nosuch",
            ),
            (
                issue("gateway.port", "Invalid input: expected number, received string"),
                "config.wrong_value",
                "gateway.port",
            ),
        ];
        for (issue, id, subject) in cases {
            let found = findings(&issue);
            assert_eq!((found[0].id.as_str(), found[0].subject.as_str()), (id, subject));
        }
        assert_eq!(findings(&issue("<root>", "Unrecognized keys: \"a\", \"b\"")).len(), 2);
    }
}
