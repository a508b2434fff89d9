//! The steps on systemd, through the same code that heals.

use super::Transcript;
use super::job::{self, CALL, LIMIT, until, words};
use crate::backend::embedded::Told;
use crate::backend::systemd::Systemd;
use oc_core::clock::Deadline;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::proc::Cmd;
use oc_core::report::{ServiceState, ServiceView};
use oc_core::service::Verb;
use oc_core::service::systemd::{Call, Looked, Shown, Unit, runtime_dir};
use oc_core::world::World;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;

const GOOD: &str = "exec sleep 3600";
const BAD: &str = "exit 1";
const REFUSED: &str = "exit 78";

/// The throw-away unit; what is left of it is removed however the exercise ends.
struct Stage {
    world: World,
    unit: Unit,
}

impl Stage {
    fn new(world: &World) -> Self {
        let mut world = job::world(world);
        Arc::make_mut(&mut world.config).service.unit = format!("oc-exercise-{}.service", std::process::id());
        Self {
            unit: Unit::of(&world.config.service),
            world,
        }
    }

    fn define(&self, script: &str) -> Result<()> {
        // One that is there keeps its mode: it is a person's.
        if !Unit::directory().is_dir() {
            fsx::private_dir(&Unit::directory())?;
        }
        let text = format!(
            "[Unit]\nDescription=Thrown away by oc-guardian self-check --exercise\nStartLimitIntervalSec=60\nStartLimitBurst=4\n\n\
             [Service]\nExecStart=/bin/sh -c \"{script}\"\nRestart=always\nRestartSec=200ms\nRestartPreventExitStatus=78\n\
             TimeoutStopSec=10\n\n[Install]\nWantedBy=default.target\n"
        );
        fsx::replace(&self.unit.file(), text.as_bytes())
    }

    fn undefine(&self) -> Result<()> {
        std::fs::remove_file(self.unit.file()).map_err(|e| Fault::io("remove", &self.unit.file(), e))
    }

    fn systemd(&self) -> Systemd<'_> {
        Systemd::new(&self.world)
    }

    fn view(&self) -> ServiceView {
        self.unit.view(&Deadline::after(CALL))
    }

    fn shown(&self) -> Option<Shown> {
        match self.unit.look(&Deadline::after(CALL)) {
            Looked::Shown(shown) => Some(shown),
            Looked::NoManager(_) | Looked::Unclear(_) => None,
        }
    }

    fn say(&self, call: Call, said: &mut Vec<String>) -> Result<i32> {
        said.push(format!("$ {}", self.unit.line(call)));
        let reply = self.unit.call(call, CALL)?;
        said.extend(reply.stdout.lines().map(str::to_owned));
        if !reply.complaint.is_empty() {
            said.push(reply.complaint);
        }
        said.push(format!("exit {}", reply.code));
        Ok(reply.code)
    }

    fn running(&self, before: Option<&Identity>, limit: Duration) -> Option<Identity> {
        until(limit, || self.view().identity.filter(|now| Some(now) != before))
    }

    fn failed(&self) -> Option<Shown> {
        until(CALL, || self.shown().filter(|shown| shown.active == "failed"))
    }

    fn registered(&self, said: &mut Vec<String>) -> Result<(bool, String)> {
        let told = self.systemd().tell(Verb::Start, None, &Deadline::after(LIMIT))?;
        self.say(Call::Show, said)?;
        let view = self.view();
        let enabled = self.shown().is_some_and(|shown| shown.enabled());
        let right = told == Told::Done && view.state == ServiceState::Running && enabled;
        Ok((right, format!("{told:?}, {}, enabled: {enabled}", words(&view))))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.world.common.dry_run {
            return;
        }
        let say = |call| {
            let mut cmd = Cmd::new("systemctl");
            cmd.args(self.unit.argv(call));
            if let Some(dir) = runtime_dir() {
                cmd.env("XDG_RUNTIME_DIR", dir);
            }
            job::remove(&mut cmd);
        };
        for call in [Call::Unmask, Call::Kill, Call::Stop, Call::Disable, Call::ResetFailed] {
            say(call);
        }
        drop(std::fs::remove_file(self.unit.file()));
        say(Call::Reload);
    }
}

/// All steps.
///
/// # Errors
/// 128+n when we were told to stop.
pub(super) fn run(world: &World, to: &mut Transcript) -> Result<()> {
    let stage = Stage::new(world);
    let s = &stage;
    to.step(
        "ask for a unit that is not there",
        "exit 0, LoadState=not-found",
        |said| {
            let code = s.say(Call::Show, said)?;
            let missing = s.shown().is_some_and(|shown| !shown.exists());
            Ok((code == 0 && missing, format!("exit {code}, not found: {missing}")))
        },
    )?;
    to.step("start a unit that is not there", "an error", |said| {
        let code = s.say(Call::Start, said)?;
        Ok((code != 0, format!("exit {code}")))
    })?;
    to.step(
        "register: reload, enable, start",
        "done, enabled, running with a pid",
        |said| {
            s.define(GOOD)?;
            s.registered(said)
        },
    )?;
    to.step("kill -9", "another process by itself", |said| {
        let before = s.view().identity;
        let Some(process) = &before else {
            return Ok((false, "it does not run".to_owned()));
        };
        if let Err(error) = process.signal(Signal::KILL) {
            return Ok((false, format!("cannot be killed: {error}")));
        }
        let clock = Deadline::after(LIMIT);
        let after = s.running(before.as_ref(), CALL);
        s.say(Call::Show, said)?;
        Ok((
            after.is_some(),
            format!(
                "another one after {} ms: {}",
                clock.elapsed().as_millis(),
                after.is_some()
            ),
        ))
    })?;
    for (name, verb) in [("restart", Verb::Restart), ("kill through systemd", Verb::Kill)] {
        to.step(name, "done, another process", |_| {
            let before = s.view().identity;
            let told = s.systemd().tell(verb, before.clone(), &Deadline::after(LIMIT))?;
            let after = s.running(before.as_ref(), CALL);
            Ok((
                told == Told::Done && after.is_some(),
                format!("{told:?}, {}", words(&s.view())),
            ))
        })?;
    }
    to.step("stop", "done, no process, inactive", |said| {
        let process = s.view().identity;
        let told = s.systemd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
        let gone = !process.is_some_and(|process| process.alive());
        s.say(Call::Show, said)?;
        let inactive = s.shown().is_some_and(|shown| shown.active == "inactive");
        Ok((
            told == Told::Done && gone && inactive,
            format!("{told:?}, process gone: {gone}, inactive: {inactive}"),
        ))
    })?;
    to.step(
        "die again and again",
        "failed: no further start until reset-failed",
        |said| {
            s.define(BAD)?;
            s.say(Call::Reload, said)?;
            s.say(Call::Start, said)?;
            let latched = s.failed();
            let code = s.say(Call::Start, said)?;
            s.say(Call::Show, said)?;
            let result = latched.map(|shown| format!("{}, {} restarts", shown.result, shown.restarts));
            Ok((result.is_some() && code != 0, format!("{result:?}, start exit {code}")))
        },
    )?;
    to.step("start what has reached its limit", "reset-failed, then done", |said| {
        s.define(GOOD)?;
        s.registered(said)
    })?;
    to.step(
        "exit 78",
        "failed at once, not started again, status 78 remembered",
        |said| {
            s.systemd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
            s.define(REFUSED)?;
            s.say(Call::Reload, said)?;
            s.say(Call::Start, said)?;
            let failed = s.failed();
            let status = s.view().last_exit().and_then(|exit| exit.status);
            let restarts = failed.as_ref().map(|shown| shown.restarts);
            s.say(Call::Show, said)?;
            Ok((
                failed.is_some() && status == Some(78),
                format!("restarts: {restarts:?}, status {status:?}"),
            ))
        },
    )?;
    to.step("delete the definition, reload", "not found", |said| {
        s.undefine()?;
        s.say(Call::ResetFailed, said)?;
        s.say(Call::Reload, said)?;
        s.say(Call::Show, said)?;
        let missing = s.shown().is_some_and(|shown| !shown.exists());
        Ok((missing, format!("not found: {missing}")))
    })?;
    to.step("mask", "masked; start fails; healing leaves it alone", |said| {
        s.say(Call::Mask, said)?;
        s.say(Call::Reload, said)?;
        let state = s.view().state;
        let code = s.say(Call::Start, said)?;
        let told = s.systemd().tell(Verb::Start, None, &Deadline::after(LIMIT))?;
        let right = state == ServiceState::Masked && code != 0 && matches!(told, Told::Refused(_));
        Ok((right, format!("{state:?}, start exit {code}, {told:?}")))
    })?;
    to.step("unmask, register", "done, enabled, running with a pid", |said| {
        s.say(Call::Unmask, said)?;
        s.define(GOOD)?;
        s.registered(said)
    })?;
    to.step("disable, register", "not enabled; then enabled again", |said| {
        s.say(Call::Disable, said)?;
        let enabled = s.shown().is_some_and(|shown| shown.enabled());
        s.systemd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
        let (right, seen) = s.registered(said)?;
        Ok((right && !enabled, format!("enabled before: {enabled}; {seen}")))
    })?;
    to.step("remove", "not found, no process", |said| {
        let process = s.view().identity;
        let told = s.systemd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
        s.say(Call::Disable, said)?;
        s.undefine()?;
        s.say(Call::Reload, said)?;
        let gone = !process.is_some_and(|process| process.alive());
        let missing = s.shown().is_some_and(|shown| !shown.exists());
        Ok((
            told == Told::Done && gone && missing,
            format!("{told:?}, process gone: {gone}, not found: {missing}"),
        ))
    })?;
    drop(stage);
    Ok(())
}
