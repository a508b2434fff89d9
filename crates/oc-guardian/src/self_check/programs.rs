//! Programs of others: the manager's, the service's own.

use super::{Line, Scene};
use oc_core::config::Kind;
use oc_core::proc::{Cmd, which};
use oc_core::report::ManagerKind;
use std::time::Duration;

pub(super) fn check(scene: &Scene<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    match scene.manager {
        ManagerKind::Launchd => lines.push(needed(
            "launchctl",
            "use macOS, or set service.manager to systemd or embedded",
        )),
        ManagerKind::Systemd => lines.push(needed("systemctl", "set service.manager to embedded")),
        ManagerKind::Embedded => {}
    }
    if scene.world.config.service.kind == Kind::Openclaw {
        lines.push(openclaw());
    }
    lines
}

fn needed(program: &str, mend: &str) -> Line {
    match which(program) {
        Some(path) => Line::ok("programs", path.display().to_string()),
        None => Line::fail("programs", format!("{program} is not on PATH"), mend),
    }
}

/// Repairs and a lost definition need it; a running gateway does not.
fn openclaw() -> Line {
    let mend = "npm install -g openclaw, and have its directory on the PATH of the jobs: oc-guardian install";
    let Some(path) = which("openclaw") else {
        return Line::warn(
            "programs",
            "openclaw is not on PATH: its own doctor cannot be run",
            mend,
        );
    };
    match Cmd::new(&path)
        .args(["--version"])
        .timeout(Duration::from_secs(15))
        .run()
    {
        Ok(output) if output.ended.success() => {
            let text = output.stdout_text();
            Line::ok(
                "programs",
                format!("{}: {}", path.display(), text.lines().next().unwrap_or_default()),
            )
        }
        Ok(output) => Line::warn(
            "programs",
            format!(
                "{} does not run: {}",
                path.display(),
                output.stderr_text().lines().next().unwrap_or("no word of why")
            ),
            "is node on the same PATH? try `openclaw --version`",
        ),
        Err(fault) => Line::warn("programs", fault.what, mend),
    }
}
