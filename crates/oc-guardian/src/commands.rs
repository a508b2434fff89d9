//! One file per command.

pub mod apply;
pub mod ensure;
pub mod exec;
pub mod install;
pub mod restart;
pub mod self_check;
pub mod start;
pub mod status;
pub mod stop;
pub mod supervise;
pub mod uninstall;
pub mod upkeep;

use oc_core::clock::{Deadline, Stamp};
use oc_core::fault::Result;
use oc_core::intent::{Intent, Stopped};
use oc_core::journal::Kind;
use oc_core::report::{ServiceState, ServiceView};
use oc_core::world::World;
use oc_core::{config, lock, stop_record};
use std::time::Duration;

/// Added to the time a drain may take, before a command gives up.
const MARGIN: Duration = Duration::from_secs(15);

/// Until when a command waits that lets the service finish its work: `--deadline`, else long enough for a drain and a KILL.
fn patience(world: &World) -> Deadline {
    let drain = world.config.service.stop_timeout.get() + MARGIN;
    Deadline::after(world.common.deadline.unwrap_or(drain))
}

/// Until when a command waits for what happens at once: `--deadline`, else 30 s.
fn short_patience(world: &World) -> Deadline {
    Deadline::after(world.common.deadline.unwrap_or(Duration::from_secs(30)))
}

/// A person's will. A dry run leaves even an unreadable file where it is.
fn intent(world: &World) -> Result<Intent> {
    if world.common.dry_run {
        return Intent::peek(&world.paths.intent());
    }
    world.intent()
}

/// A person's stop that was told to OpenClaw and not to us; only where the manager says that the service is not started.
fn told_to_openclaw(world: &World, view: &ServiceView) -> Option<Stopped> {
    let openclaw = world.config.service.kind == config::Kind::Openclaw;
    let told = openclaw && view.state == ServiceState::Unregistered;
    told.then(|| stop_record::in_force(&world.paths)).flatten()
}

/// Writes the person's will down. Waits for no healing: every effect reads it again just before it acts.
fn set_stopped(world: &World, stopped: Option<Stopped>, text: &str) -> Result<()> {
    let _short = lock::short(&world.paths.state_lock(), Duration::from_secs(5))?;
    let path = world.paths.intent();
    let mut intent = Intent::load(&path)?;
    if intent.stopped.is_some() == stopped.is_some() {
        return Ok(());
    }
    intent.stopped = stopped;
    intent.save(&path)?;
    world.journal.note(&world.event(Kind::Intent, text));
    Ok(())
}

/// Who is asking, for those who find the service stopped.
fn asker() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME"));
    let user = user.unwrap_or_else(|_| format!("uid {}", rustix::process::getuid().as_raw()));
    format!("{user} with oc-guardian")
}

/// The sentence for a service that was stopped on purpose.
fn stopped_sentence(stopped: &Stopped) -> String {
    let reason = stopped.reason.as_ref().map_or_else(String::new, |r| format!(" ({r})"));
    let ago = Stamp::now().since(&stopped.since).as_secs();
    format!("stopped on purpose by {} {ago} s ago{reason}", stopped.by)
}
