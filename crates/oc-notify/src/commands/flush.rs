//! `flush`: deliver what waits.

use super::{answer, dry, preview};
use crate::desk::Desk;
use crate::outbox::{Spool, flush as deliver};
use oc_core::fault::Result;
use oc_core::run::{Answer, Common};

/// See the module.
///
/// # Errors
/// 74, 77, 78.
pub(crate) fn flush(common: &Common) -> Result<Answer> {
    let desk = Desk::open(common)?;
    let waiting = Spool::of(&desk.paths).pending()?;
    if common.dry_run {
        let payloads = waiting
            .iter()
            .flat_map(|e| preview::payloads(&desk, &e.message, &[&e.channel]))
            .collect();
        return dry(&desk, "flush", payloads, None);
    }
    if waiting.is_empty() {
        return answer(&desk, &[], Vec::new(), Some("the outbox is empty"));
    }
    let deliveries = deliver(&desk)?;
    let mut ids: Vec<String> = deliveries.iter().map(|d| d.id.clone()).collect();
    ids.dedup();
    answer(&desk, &ids, deliveries, None)
}
