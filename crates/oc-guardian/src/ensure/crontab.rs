//! Our lines in the crontab.

use super::{Care, Did, Part, told};
use crate::crontab::Crontab;
use crate::registration::Registration;

pub(super) const SUBJECT: &str = "crontab";

pub(super) fn look(care: &mut Care<'_>, record: &Registration) -> Option<Part> {
    let block = record.crontab.as_deref()?;
    let crontab = Crontab::new(&record.instance, None);
    match crontab.present(block) {
        Ok(true) => None,
        Ok(false) => Some(care.put_right(SUBJECT, "our lines were gone from the crontab", || {
            crontab.put_back(block).map(drop)
        })),
        // From launchd the crontab may be out of reach; the guardian that cron starts does reach it.
        Err(fault) => Some(Part::new(SUBJECT, Did::Failed, told(&fault))),
    }
}
