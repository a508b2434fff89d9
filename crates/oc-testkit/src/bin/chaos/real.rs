//! What is different when the gateway is the real OpenClaw.

use oc_testkit::TestEnv;
use serde_json::{Value, json};
use std::process::Command;
use std::time::Duration;

/// It takes its time to boot, and its own doctor too.
pub(crate) const PATIENCE: Duration = Duration::from_secs(600);

/// Laid over the scaled settings: what it says about times of its own is left at the defaults.
pub(crate) fn settings(env: &TestEnv) -> Value {
    json!({
        // Fresh from npm the package on PATH looks like an upgrade under way, and nothing would be done for five minutes.
        "service": {"package_dir": env.path("no-package"), "stop_timeout": "60s", "supervise": {"backoff_step": "5s", "backoff_max": "10s"}},
        // On a busy machine it is silent for seconds while it boots.
        "probe": {"timeout": "5s", "hang_after": "20s", "startup_grace": "300s"},
        "policy": {"hold": {"manager": "20s", "manager_starting": "300s", "draining": "345s"}, "kill": {"unclean_limit": 2}},
        // A boot takes longer than the scaled wait before an incident is told.
        "notify": {"opened_after": "10m"},
    })
}

/// Which one it is, and what it runs under.
pub(crate) fn words() -> String {
    format!(
        "{} from npm, as the row says under oc-guardian supervise or under the unit of its own `gateway install`; a pass each second, hung after 20 s",
        version().unwrap_or_else(|| "OpenClaw".to_owned())
    )
}

fn version() -> Option<String> {
    let openclaw = oc_testkit::real::openclaw()?;
    let path = format!("{}:/usr/bin:/bin", openclaw.parent()?.display());
    let said = Command::new(openclaw)
        .arg("--version")
        .env("PATH", path)
        .output()
        .ok()?;
    let said = String::from_utf8_lossy(&said.stdout).trim().to_owned();
    (!said.is_empty()).then_some(said)
}
