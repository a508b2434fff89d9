//! Ends a stale process of the service itself that keeps the port or the state directory: proven by the service's own
//! lock file with pid and start time, and by not answering.

use super::{Ask, Proposal, Remedy};
use crate::owner;

pub(super) const REMEDY: Remedy = Remedy {
    name: "end_stale",
    heals: &["port.stale_gateway", "state.hung_owner"],
    does: "ends the stale gateway that holds the port or the state directory, proven by pid and start time",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let owner = owner::stale(ask.scene)?;
    Some(Proposal::End {
        what: format!("stale gateway, pid {}, ended: {}", owner.pid, ask.finding.message),
        identity: owner,
    })
}
