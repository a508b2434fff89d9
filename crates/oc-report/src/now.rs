//! How things stand. Reads the files of the other tools tolerantly: a missing or newer one leaves a gap, no error.

use oc_core::class::Health;
use oc_core::clock::Stamp;
use oc_core::fsx;
use oc_core::intent::Intent;
use oc_core::report::{Decision, Envelope, Report};
use oc_core::world::World;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// The part of state.json that is shown.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    pub(crate) incident: Option<Incident>,
    pub(crate) attempts: Vec<Attempt>,
}

/// The open incident.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) opened: Stamp,
    pub(crate) class: String,
    #[serde(default)]
    pub(crate) attempts: u32,
    #[serde(default)]
    pub(crate) rung: String,
}

/// One attempt.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) at: Stamp,
    pub(crate) action: String,
    #[serde(default)]
    pub(crate) outcome: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Carry {
    previous: Option<Stamp>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) at: Stamp,
    /// What the last pass saw.
    pub(crate) report: Option<Report>,
    /// What the last pass decided.
    pub(crate) decision: Option<Decision>,
    pub(crate) history: History,
    pub(crate) intent: Intent,
    /// When the last pass measured.
    pub(crate) last_pass: Option<Stamp>,
    /// Files that wait to be delivered.
    pub(crate) outbox: usize,
    pub(crate) holder: Option<oc_core::lock::LockHolder>,
    /// Bytes on the file system of the state directory.
    pub(crate) disk_free: Option<u64>,
}

impl Now {
    pub(crate) fn look(world: &World) -> Self {
        let paths = &world.paths;
        let run = paths.run();
        Self {
            at: Stamp::now(),
            report: envelope(&run.join("verify.json")).or_else(|| envelope(&run.join("probe.json"))),
            decision: envelope(&run.join("decision.json")),
            history: read(&paths.state()).unwrap_or_default(),
            // Not `Intent::load`: that would put an unreadable file aside.
            intent: read(&paths.intent()).unwrap_or_default(),
            last_pass: read::<Carry>(&paths.carry()).and_then(|c| c.previous),
            outbox: waiting(&paths.outbox()),
            holder: oc_core::lock::holder(&paths.healing_lock()),
            disk_free: fsx::free_bytes(paths.watchdog()),
        }
    }

    /// The Nagios state as of the last pass; unknown without one.
    pub(crate) fn health(&self) -> Health {
        self.report.as_ref().map_or(Health::Unknown, Report::health)
    }

    /// Whether the last pass found that a person is needed.
    pub(crate) fn human_needed(&self) -> bool {
        self.history.incident.is_some()
            && self
                .decision
                .as_ref()
                .is_some_and(|d| d.action == oc_core::report::Action::Human)
    }
}

fn envelope<B: DeserializeOwned>(path: &Path) -> Option<B> {
    read::<Envelope<B>>(path).map(|e| e.body)
}

fn read<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = fsx::read_capped(path, 16 << 20).ok()??;
    serde_json::from_slice(&bytes).ok()
}

fn waiting(dir: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .filter(|e| e.file_name().as_encoded_bytes().first().is_some_and(u8::is_ascii_digit))
        .count()
}
