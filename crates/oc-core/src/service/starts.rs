//! What `oc-guardian exec` notes about the starts of a service that launchd or systemd keeps: how many in a row were never
//! ready, and whether the process that the manager shows is only waiting to become the service.

use crate::clock::{Stamp, boot_id};
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::identity::Identity;
use crate::paths::Paths;
use crate::report::{ServiceState, ServiceView};
use serde::{Deserialize, Serialize};

/// The last start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts {
    /// The process: first `exec`, then the service.
    pub process: Identity,
    /// When it was started.
    pub at: Stamp,
    /// Starts in a row before it that were never ready.
    #[serde(default)]
    pub failed_in_a_row: u32,
    /// It waits until then before it becomes the service, RFC 3339.
    #[serde(default)]
    pub waits_until: Option<String>,
    /// What the service's configuration was like: a start with another one is a new chance.
    #[serde(default)]
    pub config: Option<String>,
}

impl Starts {
    /// The note; `None` when there is none that can be understood, or it is of an earlier boot.
    #[must_use]
    pub fn load(paths: &Paths) -> Option<Self> {
        let bytes = fsx::read_capped(&paths.starts(), 1 << 16).ok()??;
        let starts: Self = serde_json::from_slice(&bytes).ok()?;
        (starts.process.boot == boot_id()).then_some(starts)
    }

    /// Writes it. Not fsynced: it describes a process.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, paths: &Paths) -> Result<()> {
        fsx::private_dir(paths.watchdog())?;
        let bytes = serde_json::to_vec(self).map_err(Fault::internal)?;
        fsx::replace_quick(&paths.starts(), &bytes)
    }

    /// Forgets it: a start that somebody asked for does not wait, and one that waits begins.
    pub fn forget(paths: &Paths) {
        // There may be none; one that cannot be removed only means a wait.
        drop(std::fs::remove_file(paths.starts()));
    }
}

/// Adds it to what the manager says: a process that waits is not the service yet.
pub fn add(view: &mut ServiceView, paths: &Paths) {
    let Some(starts) = Starts::load(paths) else { return };
    if view.identity.is_none() || view.identity.as_ref() == Some(&starts.process) {
        view.never_ready_in_a_row = view.never_ready_in_a_row.max(starts.failed_in_a_row);
    }
    if starts.waits_until.is_some() && view.identity.as_ref() == Some(&starts.process) {
        (view.identity, view.state) = (None, ServiceState::Starting);
        view.next_start_at = starts.waits_until;
    }
}
