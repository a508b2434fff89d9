//! Registering jobs at launchd and systemd, and what they say about it.

use crate::registration::Job;
use oc_core::clock::{Deadline, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::report::ManagerKind;
use oc_core::service::launchd::{Agent, Call, Looked};
use oc_core::service::systemd::{self, Unit};
use std::time::Duration;

/// launchd ends what it unloads within a job's ExitTimeOut, 20 s for ours.
const UNLOAD: Duration = Duration::from_secs(40);
/// One call of launchctl or systemctl.
const CALL: Duration = Duration::from_secs(30);
/// How long a bootstrap that fails is tried again.
const BOOTSTRAP: Duration = Duration::from_secs(30);

/// Whether the job is loaded and enabled as its files say.
#[must_use]
pub(crate) fn registered(job: &Job) -> bool {
    match job.manager {
        ManagerKind::Systemd => {
            let looked = Unit::new(&job.name).look(&Deadline::after(CALL));
            matches!(looked, systemd::Looked::Shown(unit)
                if unit.enabled() && unit.active == "active" && !unit.needs_reload)
        }
        ManagerKind::Launchd => loaded(&Agent::labelled(&job.name)),
        ManagerKind::Embedded => true,
    }
}

/// Has the job loaded from its files as they are now, enabled, and for ours begun.
///
/// # Errors
/// 69 when the manager is not there, 74 with what it said.
pub(crate) fn register(job: &Job) -> Result<()> {
    match job.manager {
        ManagerKind::Systemd => {
            let unit = Unit::new(&job.name);
            reload(job.manager)?;
            must(&unit, systemd::Call::Enable)?;
            // A timer that runs already goes on with what it was.
            must(&unit, systemd::Call::Restart)?;
        }
        ManagerKind::Launchd => {
            let agent = Agent::labelled(&job.name);
            unload(&agent)?;
            agent.call(Call::Enable, CALL)?;
            bootstrap(&agent)?;
            // Loaded is not started: launchd may withhold that.
            agent.call(Call::Kickstart, CALL)?;
        }
        ManagerKind::Embedded => {}
    }
    let deadline = Deadline::after(CALL);
    while !registered(job) {
        if deadline.passed() {
            let what = format!("{} was registered and is not there", job.name);
            return Err(Fault::new(Exit::Io, what));
        }
        pause(Duration::from_millis(50));
    }
    Ok(())
}

/// Has the job no longer loaded or enabled; one that is unknown is fine.
///
/// # Errors
/// 69 when the manager is not there, 74 with what it said.
pub(crate) fn unregister(manager: ManagerKind, name: &str) -> Result<()> {
    match manager {
        ManagerKind::Systemd => {
            let unit = Unit::new(name);
            // Without a manager, or a unit of that name, nothing runs it.
            match unit.look(&Deadline::after(CALL)) {
                systemd::Looked::Shown(shown) if shown.exists() => {
                    must(&unit, systemd::Call::Disable)?;
                    must(&unit, systemd::Call::Stop)?;
                    // A pass that ended with "a human is needed" would stay in the list of failed units; none is no error.
                    let service = Unit::new(&name.replace(".timer", ".service"));
                    service.call(systemd::Call::ResetFailed, CALL).map(drop)
                }
                _ => Ok(()),
            }
        }
        ManagerKind::Launchd => unload(&Agent::labelled(name)),
        ManagerKind::Embedded => Ok(()),
    }
}

/// Has the manager read the definitions on disk. launchd has no such thing: it reads one file at each bootstrap.
///
/// # Errors
/// 69 when the manager is not there, 74 with what it said.
pub(crate) fn reload(manager: ManagerKind) -> Result<()> {
    if manager == ManagerKind::Systemd {
        must(&Unit::new(""), systemd::Call::Reload)?;
    }
    Ok(())
}

fn loaded(agent: &Agent) -> bool {
    matches!(agent.look(&Deadline::after(CALL)), Looked::Loaded(_))
}

fn unload(agent: &Agent) -> Result<()> {
    if !loaded(agent) {
        return Ok(());
    }
    agent.call(Call::Bootout, CALL)?;
    // It is accepted at once and done when its process has ended; a bootstrap before that fails.
    let deadline = Deadline::after(UNLOAD);
    while loaded(agent) {
        if deadline.passed() {
            return Err(Fault::new(
                Exit::Io,
                format_args!("launchd does not let go of {}", agent.label()),
            ));
        }
        pause(Duration::from_millis(100));
    }
    Ok(())
}

fn bootstrap(agent: &Agent) -> Result<()> {
    let deadline = Deadline::after(BOOTSTRAP);
    loop {
        let reply = agent.call(Call::Bootstrap, CALL)?;
        // The code says nothing reliable: one number for six causes. What counts is what is loaded then.
        match agent.look(&deadline) {
            Looked::Loaded(_) => return Ok(()),
            Looked::NoSession => {
                let what = format!(
                    "nobody is logged in at the screen, and {} belongs to that session",
                    agent.label()
                );
                return Err(Fault::new(Exit::Unavailable, what).hint(
                    "log in at the screen of this Mac and run this again; over ssh alone there is no such session",
                ));
            }
            _ if deadline.passed() => {
                let what = format!("launchd does not load {}: {}", agent.label(), reply.complaint);
                return Err(Fault::new(Exit::Io, what).hint(format_args!("try `{}`", agent.line(Call::Bootstrap))));
            }
            _ => {
                pause(Duration::from_millis(500));
            }
        }
    }
}

fn must(unit: &Unit, call: systemd::Call) -> Result<()> {
    let reply = unit.call(call, CALL)?;
    if reply.good() {
        return Ok(());
    }
    let what = format!("`{}` failed: {}", unit.line(call), reply.complaint);
    Err(Fault::new(Exit::Io, what))
}
