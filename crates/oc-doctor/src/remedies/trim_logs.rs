//! Frees space by removing rotated logs: ours, and the gateway's of earlier days. Never a current log, never a database.

use super::{Ask, Proposal, Remedy};
use crate::logs;

pub(super) const REMEDY: Remedy = Remedy {
    name: "trim_logs",
    heals: &["disk.full"],
    does: "removes rotated logs of the watchdog and of the gateway, and those that it left in doctor.service_log_dirs a day ago",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let (files, bytes) = logs::old(ask.scene);
    (!files.is_empty()).then_some(Proposal::Remove { files, bytes })
}
