//! What the agent left, judged: not by its words but by `oc-doctor apply --dry-run`.

use crate::tools;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::world::World;
use serde_json::{Value, json};
use std::path::Path;

/// The verdict on a plan.
#[derive(Debug, Clone, Default)]
pub struct Judged {
    /// oc-doctor would apply it.
    pub usable: bool,
    /// Its verbs.
    pub steps: Vec<Value>,
    /// What only a person can do.
    pub human_steps: Vec<String>,
    /// The change, without secrets.
    pub diff: Option<String>,
    /// The agent's own sentence.
    pub summary: Option<String>,
}

/// Removes links that an agent without our fence put in the place of what we read next (they could lead to any file of the
/// gateway's owner), and makes private what it wrote.
///
/// # Errors
/// 74 or 77.
pub fn straighten(dir: &Path) -> Result<()> {
    for name in [
        "evidence",
        "work",
        "work/openclaw.json",
        "work/base.json",
        "plan.json",
        "report.md",
    ] {
        let path = dir.join(name);
        if path.is_symlink() {
            std::fs::remove_file(&path).map_err(|e| Fault::io("remove", &path, e))?;
        }
    }
    fsx::private_dir(&dir.join("work"))?;
    fsx::private_files(&dir.join("work"))?;
    fsx::private_files(dir)
}

/// Judges what lies in an incident directory.
///
/// # Errors
/// 74 or 77 when the plan that the edited copy alone makes cannot be written.
pub fn judge(world: &World, dir: &Path) -> Result<Judged> {
    let path = dir.join("plan.json");
    let written = fsx::read_capped(&path, 4 << 20).ok().flatten();
    let plan: Value = written
        .as_deref()
        .and_then(|bytes| serde_json::from_slice(bytes).ok())
        .unwrap_or_default();
    let shown = path.display().to_string();
    let mut judged = Judged {
        steps: plan["steps"].as_array().cloned().unwrap_or_default(),
        summary: plan["summary"].as_str().map(str::to_owned),
        ..Judged::default()
    };
    match tools::answer(world, "oc-doctor", &["apply", &shown, "--dry-run"]) {
        Some((code, answer)) => {
            judged.usable = code == 0;
            let steps = answer["human_steps"].as_array().into_iter().flatten();
            judged.human_steps = steps.filter_map(Value::as_str).map(str::to_owned).collect();
            judged.diff = answer["diff"].as_str().map(str::to_owned);
            judged.human_steps.extend(answer["error"].as_str().map(str::to_owned));
        }
        None => judged
            .human_steps
            .push("oc-doctor could not be asked what the plan is worth".to_owned()),
    }
    // The edited copy alone is a plan.
    if judged.usable && written.is_none() {
        let empty = json!({"steps": []}).to_string();
        fsx::replace(&path, empty.as_bytes())?;
    }
    Ok(judged)
}
