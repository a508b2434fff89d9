//! What the files of one pass say. Every file may be missing or of another version: what can be understood is used.

use crate::compose::{self, Brief};
use crate::memory::{Edit, Memory};
use crate::message::Severity;
use crate::rules;
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::fsx;
use oc_core::paths::Paths;
use oc_core::story::Story;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// Files of a pass are at most some megabytes (a doctor's diff).
const CAP: u64 = 16 << 20;

/// A notice that oc-escalate wants told.
#[derive(Debug, Clone)]
pub(super) struct Notice {
    pub(super) key: String,
    pub(super) severity: Severity,
    pub(super) text: String,
}

/// One pass.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// Its name, which sorts by time.
    pub(super) run: Option<String>,
    pub(super) brief: Brief,
    /// The incident that the pass settled.
    pub(super) incident: Option<String>,
    pub(super) exhausted: bool,
    pub(super) notices: Vec<Notice>,
    pub(super) edits: Vec<Edit>,
}

impl Pass {
    /// Reads it.
    pub(super) fn read(dir: &Path, paths: &Paths) -> Self {
        let file = |name: &str| read(&dir.join(name));
        let settle = file("settle.json");
        let probe = file("verify.json").or_else(|| file("probe.json"));
        let incident: Option<String> = field(settle.as_ref(), "incident");
        let decision = file("decision.json");
        // The session may have been in an earlier pass of the incident.
        let agent = file("agent.json").or_else(|| incident.as_ref().and_then(|id| last_session(paths, id)));
        let brief = Brief {
            reason: field(settle.as_ref(), "reason").unwrap_or_default(),
            summary: field(probe.as_ref(), "summary").unwrap_or_default(),
            command: field(settle.as_ref(), "command").or_else(|| field(decision.as_ref(), "command")),
            class: field::<Class>(probe.as_ref(), "class").or_else(|| field(decision.as_ref(), "class")),
            evidence: incident.as_ref().map(|id| paths.incident(id).display().to_string()),
            report: field(agent.as_ref(), "report"),
            proposed: field(agent.as_ref(), "human_steps").unwrap_or_default(),
            held: 0,
        };
        Self {
            run: field(file("run.json").as_ref(), "id"),
            exhausted: field::<String>(settle.as_ref(), "verdict")
                .is_some_and(|v| matches!(v.as_str(), "exhausted" | "human"))
                || field::<u8>(settle.as_ref(), "exit") == Some(2),
            notices: field::<Vec<Value>>(settle.as_ref(), "notices")
                .unwrap_or_default()
                .iter()
                .filter_map(notice)
                .collect(),
            edits: edits(file("doctor.json").as_ref(), file("close.json").as_ref()),
            brief,
            incident,
        }
    }

    /// No pass, but what is known of an incident after its last one.
    pub(super) fn after(paths: &Paths, incident: &str) -> Self {
        let agent = last_session(paths, incident);
        Self {
            brief: Brief {
                evidence: Some(paths.incident(incident).display().to_string()),
                report: field(agent.as_ref(), "report"),
                ..Brief::default()
            },
            incident: Some(incident.to_owned()),
            ..Self::default()
        }
    }
}

/// Takes in what a pass changed, and what passes before it did whose oc-notify was killed: a change must never stay untold.
pub(super) fn learn(paths: &Paths, memory: &mut Memory, pass: &Pass, opened: &Stamp) {
    let Some(incident) = &pass.incident else { return };
    let thread = rules::thread(memory, incident, opened);
    for dir in filed(paths, incident) {
        let name = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name > thread.heard && pass.run.as_ref() != Some(&name) {
            let file = |name: &str| read(&dir.join(name));
            thread
                .edits
                .extend(edits(file("doctor.json").as_ref(), file("close.json").as_ref()));
            thread.heard = name;
        }
    }
    match &pass.run {
        // Called again by hand on a pass that was told.
        Some(run) if *run == thread.heard => {}
        run => {
            thread.edits.extend(pass.edits.iter().cloned());
            // Of passes that began in the same second the later one may have the lesser name.
            if let Some(run) = run {
                thread.heard = run.clone().max(std::mem::take(&mut thread.heard));
            }
        }
    }
}

/// The passes of an incident in which something was done, oldest first: their names sort by time. What an AI session leaves beside
/// them is not named by time.
fn filed(paths: &Paths, incident: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(paths.incident(incident)) else {
        return Vec::new();
    };
    let by_time = |e: &DirEntry| e.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit);
    let mut passes: Vec<_> = entries.flatten().filter(by_time).map(|e| e.path()).collect();
    passes.sort();
    passes
}

/// What the last AI session of an incident answered.
fn last_session(paths: &Paths, incident: &str) -> Option<Value> {
    let passes = filed(paths, incident);
    passes.iter().rev().find_map(|pass| read(&pass.join("agent.json")))
}

/// When oc-escalate says that the machine last woke.
pub(super) fn woke(paths: &Paths) -> Option<Stamp> {
    field(read(&paths.state()).as_ref(), "woke")
}

/// The incident that oc-escalate holds open: the journal may have forgotten its beginning.
pub(super) fn open_incident(paths: &Paths) -> Option<Story> {
    let incident: Value = field(read(&paths.state()).as_ref(), "incident")?;
    let id: String = field(Some(&incident), "id")?;
    let opened = field(Some(&incident), "opened").unwrap_or_else(Stamp::now);
    Some(Story::begin(&id, opened, field(Some(&incident), "class"), ""))
}

fn read(path: &Path) -> Option<Value> {
    let bytes = fsx::read_capped(path, CAP).ok()??;
    serde_json::from_slice(&bytes).ok()
}

fn field<T: DeserializeOwned>(object: Option<&Value>, name: &str) -> Option<T> {
    serde_json::from_value(object?.get(name)?.clone()).ok()
}

fn notice(value: &Value) -> Option<Notice> {
    Some(Notice {
        key: field(Some(value), "key")?,
        severity: field(Some(value), "severity").unwrap_or(Severity::Warning),
        text: field(Some(value), "text")?,
    })
}

/// What the doctor changed and left changed: a repair that was undone is no change.
fn edits(doctor: Option<&Value>, close: Option<&Value>) -> Vec<Edit> {
    if field::<bool>(doctor, "dry_run") == Some(true) || close.is_some_and(undone) {
        return Vec::new();
    }
    // Who was killed over a repair said nothing of it; who closed it says what it was.
    let doctor = doctor.or(close);
    let findings: Vec<Value> = field(doctor, "findings").unwrap_or_default();
    let applied: Vec<String> = findings
        .iter()
        .filter(|f| f["applied"] == true)
        .map(|f| {
            let subject = f["subject"].as_str().unwrap_or("");
            let message = f["message"].as_str().unwrap_or("");
            if subject.is_empty() || message.contains(subject) {
                message.to_owned()
            } else {
                format!("{subject}: {message}")
            }
        })
        .collect();
    // A plan that was carried out says what it did, not what was found.
    let planned = field::<String>(doctor, "verdict").is_some_and(|v| v == "applied" || v == "kept");
    let applied = match applied.is_empty() && planned {
        true => field(doctor, "actions").unwrap_or_default(),
        false => applied,
    };
    if applied.is_empty() {
        return Vec::new();
    }
    let diff: String = field(doctor, "diff").unwrap_or_default();
    let before: Option<String> = field(doctor, "generation_before");
    vec![compose::edit(applied.join("\n"), &diff, before.as_deref())]
}

fn undone(close: &Value) -> bool {
    field::<String>(Some(close), "verdict").is_some_and(|v| v.contains("undone") || v.contains("undo"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_plan_of_the_ai_changed_is_an_edit_unless_it_was_taken_back() {
        let doctor = json!({"verdict": "applied", "findings": [], "diff": "+ a comma", "generation_before": "g1",
            "actions": ["the edited configuration put in place"]});
        let told = edits(
            Some(&doctor),
            Some(&json!({"verdict": "kept", "actions": ["the same"]})),
        );
        assert_eq!(told.len(), 1);
        assert!(
            told[0].text.contains("the edited configuration put in place"),
            "{}",
            told[0].text
        );
        assert!(edits(Some(&doctor), Some(&json!({"verdict": "undone"}))).is_empty());
        let planned = json!({"verdict": "planned", "findings": [], "actions": ["x"], "dry_run": true});
        assert!(edits(Some(&planned), None).is_empty());
    }

    #[test]
    fn what_a_doctor_did_that_was_killed_over_it_is_an_edit_by_the_word_of_who_closed_it() {
        let close = json!({"verdict": "kept", "actions": ["gateway.mode put back"], "diff": "+ mode", "generation_before": "g1"});
        let told = edits(None, Some(&close));
        assert_eq!(told.len(), 1);
        assert!(told[0].text.contains("gateway.mode put back"), "{}", told[0].text);
        let undone = json!({"verdict": "undone", "actions": ["gateway.mode put back"]});
        assert!(edits(None, Some(&undone)).is_empty());
    }
}
