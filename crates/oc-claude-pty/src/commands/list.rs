//! `list`: which session runs.

use crate::session::Record;
use oc_core::Exit;
use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::json;

/// There is at most one for each instance.
///
/// # Errors
/// None in practice.
pub(super) fn run(world: &World) -> Result<Answer> {
    let sessions: Vec<_> = Record::load(world)
        .into_iter()
        .map(|record| {
            let age = u64::try_from(Stamp::now().since(&record.started).as_millis()).unwrap_or(u64::MAX);
            let stale = !record.owner.alive();
            json!({"session": record.id, "agent": record.agent, "driver": record.driver, "incident": record.incident,
                "pid": record.owner.pid, "age_ms": age, "stale": stale})
        })
        .collect();
    let text: String = sessions
        .iter()
        .map(|s| {
            let stale = if s["stale"] == true {
                " (left behind: oc-claude-pty stop)"
            } else {
                ""
            };
            let word = |key: &str| s[key].as_str().unwrap_or_default().to_owned();
            let age = s["age_ms"].as_u64().unwrap_or(0) / 1000;
            format!(
                "{} {} {} {age}s {}{stale}\n",
                word("session"),
                word("agent"),
                word("driver"),
                word("incident")
            )
        })
        .collect();
    let verdict = if sessions.is_empty() { "none" } else { "running" };
    Ok(Answer::new(
        "oc.agent-sessions/1",
        Exit::Good,
        verdict,
        &json!({"sessions": sessions}),
    )?
    .text(text))
}
