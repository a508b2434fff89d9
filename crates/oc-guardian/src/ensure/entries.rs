//! The other direction: the guardian looks after the watchdog's job, and the watchdog after the guardian's entry.

use super::{Care, Part, crontab, jobs};
use crate::registration::{JobKind, Registration};
use oc_core::fault::Result;
use oc_core::world::World;

/// What starts the guardian: its lines in the crontab, or its job where there is no cron. For every pass of the watchdog that
/// has nothing better to do.
///
/// # Errors
/// 65, 74 or 77 when what was installed cannot be read.
pub fn own_entry(world: &World) -> Result<Vec<Part>> {
    let Some(mut record) = Registration::load(&world.paths)? else {
        return Ok(Vec::new());
    };
    let mut care = Care::of(world);
    let mut parts: Vec<Part> = crontab::look(&mut care, &record).into_iter().collect();
    parts.extend(jobs::one(&mut care, &mut record, JobKind::Guardian)?);
    care.finish(&parts, Some(&[crontab::SUBJECT, JobKind::Guardian.name()]));
    Ok(parts)
}
