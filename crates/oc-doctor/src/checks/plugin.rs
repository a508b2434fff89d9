//! A plugin that keeps the service from starting: the log of the last start names it. A suspicion, so it is looked for only
//! when nothing else explains the end.

use crate::finding::{Finding, weight};
use crate::logs;
use crate::scene::Scene;
use oc_core::fsx;
use serde_json::Value;

/// A manifest is a few kilobytes.
const MANIFEST: u64 = 1 << 20;

/// plugin.broken
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let Some(plugin) = &scene.accused else { return };
    let on = scene.get(&format!("plugins.entries.{plugin}.enabled")) != Some(&Value::Bool(false));
    if on && weight(findings) == 0 {
        let message = format!("the service ends during its start, and its log names the plugin {plugin}");
        findings.push(Finding::error("plugin.broken", plugin, message));
    }
}

/// The plugin that the log of a start that failed names last.
pub(crate) fn accused(scene: &Scene<'_>) -> Option<String> {
    let exit = scene.evidence.last_exit.as_ref()?;
    let failed = exit.status != Some(0) && !exit.was_ready && scene.evidence.serving() != Some(true);
    if !scene.openclaw() || !failed {
        return None;
    }
    let known = known(scene);
    if known.is_empty() {
        return None;
    }
    let ran = i64::try_from(exit.ran_ms).unwrap_or(i64::MAX);
    let began = exit.at.wall_ms.saturating_sub(ran);
    let lines = logs::last_lines_since(scene, began);
    lines.iter().rev().find_map(|line| {
        let named = |plugin: &&Plugin| plugin.signs.iter().any(|sign| line.contains(sign));
        known.iter().find(named).map(|plugin| plugin.id.clone())
    })
}

struct Plugin {
    id: String,
    /// What in a line means: this one.
    signs: Vec<String>,
}

/// The plugins that the configuration brings. Others cannot be turned off there.
fn known(scene: &Scene<'_>) -> Vec<Plugin> {
    let entries = scene.get("plugins.entries").and_then(Value::as_object);
    let allowed = scene.get("plugins.allow").and_then(Value::as_array);
    let paths = scene.get("plugins.load.paths").and_then(Value::as_array);
    let ids = entries
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .chain(strings(allowed).map(str::to_owned));
    let mut found: Vec<Plugin> = ids.map(Plugin::named).collect();
    for dir in strings(paths) {
        let manifest = std::path::Path::new(dir).join("openclaw.plugin.json");
        let text = fsx::read_capped(&manifest, MANIFEST).ok().flatten().unwrap_or_default();
        if let Some(id) = serde_json::from_slice::<Value>(&text)
            .ok()
            .and_then(|v| v["id"].as_str().map(str::to_owned))
        {
            let mut plugin = Plugin::named(id);
            let dir = dir.trim_end_matches('/');
            plugin.signs.push(format!("{dir}/"));
            // OpenClaw runs a copy of it, under the name of its directory.
            plugin
                .signs
                .push(format!("/node_modules/{}/", dir.rsplit('/').next().unwrap_or(dir)));
            found.push(plugin);
        }
    }
    found
}

fn strings(values: Option<&Vec<Value>>) -> impl Iterator<Item = &str> {
    values.into_iter().flatten().filter_map(Value::as_str)
}

impl Plugin {
    /// As OpenClaw 2026.9.6 names one in its log, and where an installed one lies.
    fn named(id: String) -> Self {
        let signs = vec![
            format!("[plugins] {id} failed"),
            format!("plugin={id},"),
            format!("plugin={id})"),
            format!("/extensions/{id}/"),
            format!("/node_modules/{id}/"),
        ];
        Self { id, signs }
    }
}
