//! Registering jobs at launchd and systemd, and what they say about it.

use crate::registration::Job;
use oc_core::clock::{Deadline, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::proc::{Cmd, Output};
use oc_core::report::ManagerKind;
use oc_core::service::launchd::{Agent, Call, Looked};
use std::time::Duration;

/// launchd ends what it unloads within a job's ExitTimeOut, 20 s for ours.
const UNLOAD: Duration = Duration::from_secs(40);
/// One call of launchctl.
const CALL: Duration = Duration::from_secs(10);
/// How long a bootstrap that fails is tried again.
const BOOTSTRAP: Duration = Duration::from_secs(30);

/// Whether the job is loaded and enabled as its files say.
#[must_use]
pub(crate) fn registered(job: &Job) -> bool {
    match job.manager {
        ManagerKind::Systemd => {
            let properties = "LoadState,UnitFileState,ActiveState,NeedDaemonReload";
            systemctl(&["show", "-p", properties, &job.name]).is_ok_and(|out| {
                let text = out.stdout_text();
                let says = |line: &str| text.lines().any(|l| l == line);
                says("LoadState=loaded")
                    && says("UnitFileState=enabled")
                    && says("ActiveState=active")
                    && says("NeedDaemonReload=no")
            })
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
            reload(job.manager)?;
            must(systemctl(&["enable", &job.name])?, "enable", &job.name)?;
            // A timer that runs already goes on with what it was; a failed one is not started by enable.
            must(systemctl(&["restart", &job.name])?, "start", &job.name)?;
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
    if registered(job) {
        return Ok(());
    }
    Err(Fault::new(
        Exit::Io,
        format_args!("{} was registered and is not there", job.name),
    ))
}

/// Has the job no longer loaded or enabled; one that is unknown is fine.
///
/// # Errors
/// 69 when the manager is not there, 74 with what it said.
pub(crate) fn unregister(manager: ManagerKind, name: &str) -> Result<()> {
    match manager {
        ManagerKind::Systemd => {
            let out = systemctl(&["disable", "--now", name])?;
            let said = out.stderr_text();
            let unknown = ["does not exist", "not loaded", "not found", "No such file"];
            if unknown.iter().any(|text| said.contains(text)) {
                return Ok(());
            }
            must(out, "disable", name)
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
        must(systemctl(&["daemon-reload"])?, "reload", "the units")?;
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

fn systemctl(args: &[&str]) -> Result<Output> {
    let mut cmd = Cmd::new("systemctl");
    cmd.args(["--user", "--no-pager"]).args(args);
    cmd.timeout(Duration::from_secs(30)).env("LC_ALL", "C");
    // cron and ssh do not set it.
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        cmd.env(
            "XDG_RUNTIME_DIR",
            format!("/run/user/{}", rustix::process::getuid().as_raw()),
        );
    }
    cmd.run().map_err(missing)
}

fn missing(fault: Fault) -> Fault {
    match fault.exit {
        Exit::NotFound => Fault::new(Exit::Unavailable, fault.what)
            .hint("without a service manager use `oc-guardian install --no-service`, or service.manager \"embedded\""),
        _ => fault,
    }
}

fn must(out: Output, verb: &str, name: &str) -> Result<()> {
    if out.ended.success() {
        return Ok(());
    }
    Err(Fault::new(
        Exit::Io,
        format_args!("systemd cannot {verb} {name}: {}", last_line(&out)),
    ))
}

fn last_line(out: &Output) -> String {
    let said = out.stderr_text();
    said.trim().lines().next_back().unwrap_or("no reason given").to_owned()
}
