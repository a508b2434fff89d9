//! What an ended process leaves behind: killed, and not gone yet. A dying process holds its port and its memory, and until it is
//! collected it looks alive to the locks of a successor, which would exit because of that.

use oc_core::clock::Deadline;
use oc_core::identity::ProcessInfo;
use oc_core::proc::group_exists;
use std::time::Duration;

/// Whoever is not gone by then (an uninterruptible wait, a stranger that never collects its child) is waited for no longer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is looked at whether they are gone.
pub const LOOK: Duration = Duration::from_millis(2);

/// The killed rest of one process.
#[derive(Debug)]
pub struct Remains {
    group: i32,
    tree: Vec<ProcessInfo>,
    patience: Deadline,
}

impl Remains {
    /// What is left of the group that this pid led, and of these.
    #[must_use]
    pub fn of(leader: i32, tree: Vec<ProcessInfo>) -> Self {
        Self {
            group: leader,
            tree,
            patience: Deadline::after(PATIENCE),
        }
    }

    /// True when there is no reason to wait any longer.
    #[must_use]
    pub fn gone(&self) -> bool {
        let there = || group_exists(self.group) || self.tree.iter().any(|p| p.identity.info().is_some());
        self.patience.passed() || !there()
    }
}
