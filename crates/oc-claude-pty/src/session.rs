//! The record of the session that runs, written before it starts: who must be ended when we are killed.

use crate::drivers;
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::config::Driver;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::identity::{self, Identity, descendants};
use oc_core::world::World;
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is known about a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, for people.
    pub id: String,
    /// Which agent.
    pub agent: String,
    /// How it is run.
    pub driver: Driver,
    /// The incident's directory.
    pub incident: PathBuf,
    /// The session's private directory; tmux's socket is in it.
    pub scratch: PathBuf,
    /// When it began.
    pub started: Stamp,
    /// The oc-claude-pty that watches over it.
    pub owner: Identity,
    /// Every process seen so far that belongs to it. Each tool call of an agent has a session of its own, so that no group or
    /// session names them all.
    #[serde(default)]
    pub tree: Vec<Identity>,
}

/// The most processes that are remembered.
const TREE_MAX: usize = 512;

impl Record {
    /// The session that runs or was left behind, if any. One that cannot be read is nobody's.
    #[must_use]
    pub fn load(world: &World) -> Option<Self> {
        let bytes = fsx::read_capped(&world.paths.agent_session(), 1 << 20).ok()??;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, world: &World) -> Result<()> {
        let bytes = serde_json::to_vec(self).map_err(Fault::internal)?;
        fsx::replace_quick(&world.paths.agent_session(), &bytes)
    }

    /// Looks at the processes again; true when there is a new one.
    pub fn look(&mut self, root: Option<&Identity>) -> bool {
        let mut found: Vec<Identity> = root.into_iter().cloned().collect();
        // Orphans come back to us, where the kernel can do that: even a daemon is found below us.
        if self.owner == identity::own() {
            found.extend(descendants(self.owner.pid).into_iter().map(|p| p.identity));
        }
        for known in self.tree.iter().chain(root).filter(|p| p.alive()) {
            found.extend(descendants(known.pid).into_iter().map(|p| p.identity));
        }
        let before = self.tree.len();
        for process in found {
            if self.tree.len() < TREE_MAX && process.pid != self.owner.pid && !self.tree.contains(&process) {
                self.tree.push(process);
            }
        }
        if before == self.tree.len() {
            return false;
        }
        if self.tree.len() == TREE_MAX {
            self.tree.retain(Identity::alive);
        }
        true
    }

    /// Ends it: hang up, TERM, KILL, each with a moment to comply; at most 4 s, which is less than a pass gives us.
    pub fn end(&mut self, root: Option<&Identity>) {
        self.look(root);
        if self.driver == Driver::Tmux {
            drivers::end_tmux(&self.scratch);
            if self.gone_within(Duration::from_secs(1)) {
                return;
            }
        }
        for (signal, patience) in [(Signal::TERM, 2), (Signal::KILL, 1)] {
            self.look(root);
            for process in self.tree.iter().filter(|p| p.alive()) {
                if let Err(error) = process.signal(signal)
                    && error != rustix::io::Errno::SRCH
                {
                    oc_core::out::talk(format_args!("cannot end pid {}: {error}", process.pid));
                }
            }
            if self.gone_within(Duration::from_secs(patience)) {
                return;
            }
        }
    }

    fn gone_within(&self, time: Duration) -> bool {
        let deadline = Deadline::after(time);
        loop {
            if !self.tree.iter().any(Identity::alive) {
                return true;
            }
            if deadline.passed() {
                return false;
            }
            pause(Duration::from_millis(20));
        }
    }

    /// Removes its private directory, once nothing of it lives.
    pub fn clear(&self) {
        remove_scratch(&self.scratch);
    }

    /// Forgets it. A record that stays behind says that whoever began the session gave no answer about it.
    pub fn forget(world: &World) {
        if let Err(error) = std::fs::remove_file(world.paths.agent_session())
            && error.kind() != std::io::ErrorKind::NotFound
        {
            oc_core::out::talk(format_args!("cannot forget the session: {error}"));
        }
    }
}

/// Ends what an oc-claude-pty that was killed left behind. True when there was something.
pub fn end_leftover(world: &World) -> bool {
    let Some(mut record) = Record::load(world).filter(|record| !record.owner.alive()) else {
        return false;
    };
    record.end(None);
    record.clear();
    if let Err(fault) = crate::plan::straighten(&record.incident) {
        oc_core::out::talk(fault);
    }
    Record::forget(world);
    world.journal.note(&world.event(
        oc_core::journal::Kind::Agent,
        format!(
            "ended the session {} of {}, left behind by a killed oc-claude-pty",
            record.id, record.agent
        ),
    ));
    true
}

const PREFIX: &str = "oc-agent-";

/// A private directory with a short name: the path of a socket has at most 104 bytes on macOS.
///
/// # Errors
/// 74 or 77.
pub fn scratch() -> Result<PathBuf> {
    let temp = std::env::temp_dir();
    let dir = if temp.as_os_str().len() > 70 {
        Path::new("/tmp")
    } else {
        &temp
    };
    let made = tempfile::Builder::new()
        .prefix(PREFIX)
        .tempdir_in(dir)
        .map_err(|e| Fault::io("work in", dir, e))?;
    let path = made.keep();
    path.canonicalize().map_err(|e| Fault::io("resolve", &path, e))
}

/// The path comes from a file: only what looks like ours is removed.
fn remove_scratch(path: &Path) {
    let ours = path
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
    if ours
        && let Err(error) = std::fs::remove_dir_all(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        oc_core::out::talk(format_args!("cannot remove {}: {error}", path.display()));
    }
}
