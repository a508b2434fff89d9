//! Where a lost definition of the service comes from. It is never made up: only the one who wrote it knows node's path, ports
//! and environment.

use crate::registration::{JobKind, Registration};
use oc_core::clock::Deadline;
use oc_core::config::Kind;
use oc_core::fault::Result;
use oc_core::journal;
use oc_core::proc::{Cmd, which};
use oc_core::world::World;
use std::path::Path;
use std::time::Duration;

/// `openclaw gateway install` takes 5 s on an idle machine.
const INSTALL: Duration = Duration::from_secs(90);

/// Puts the service's definition at `path` back: the recorded one, else a new one by the service's own installer. False when
/// nobody knows it.
///
/// # Errors
/// 74 or 77 when it cannot be written.
pub fn recover(world: &World, path: &Path, deadline: &Deadline) -> Result<bool> {
    // A record that cannot be understood is no reason not to ask the installer.
    let record = Registration::load(&world.paths).unwrap_or_else(|fault| {
        oc_core::out::talk(&fault);
        None
    });
    if let Some(job) = record.as_ref().and_then(|record| record.job(JobKind::Gateway))
        && job.files.iter().any(|file| file.path == path)
    {
        job.restore()?;
        let text = format!("{} was gone or broken; put back as recorded", path.display());
        world.journal.note(&world.event(journal::Kind::Guardian, text));
        return Ok(true);
    }
    if world.config.service.kind != Kind::Openclaw || which("openclaw").is_none() {
        return Ok(false);
    }
    let mut cmd = Cmd::new("openclaw");
    if let Some(profile) = world.paths.profile() {
        cmd.args(["--profile", profile]);
    }
    cmd.args(["gateway", "install", "--force"])
        .timeout(deadline.within(INSTALL).left());
    let output = cmd.run()?;
    let text = format!(
        "{} was gone or broken; asked `openclaw gateway install --force` for a new one ({:?}) {}",
        path.display(),
        output.ended,
        output.stderr_text().trim()
    );
    world.journal.note(&world.event(journal::Kind::Guardian, text));
    Ok(true)
}
