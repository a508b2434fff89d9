//! The steps on launchd, through the same code that heals.

use super::Transcript;
use super::job::{self, CALL, LIMIT, until, words};
use crate::backend::embedded::Told;
use crate::backend::launchd::Launchd;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::proc::Cmd;
use oc_core::report::{ServiceState, ServiceView};
use oc_core::service::Verb;
use oc_core::service::launchd::{Agent, Call, LastExit, Looked, State};
use oc_core::world::World;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;

/// A shell has set its trap within this time.
const TRAP: Duration = Duration::from_millis(300);

/// Ends at TERM.
const QUICK: &str = "exec sleep 3600";
/// Does not: launchd KILLs it after ExitTimeOut, 3 s.
const SLOW: &str = "trap '' TERM; while :; do sleep 1; done";

/// The throw-away job; what is left of it is removed however the exercise ends.
struct Stage {
    world: World,
    agent: Agent,
}

impl Stage {
    fn new(world: &World) -> Self {
        let mut world = job::world(world);
        Arc::make_mut(&mut world.config).service.label = format!("ai.openclaw.oc-exercise-{}", std::process::id());
        Self {
            agent: Agent::of(&world.config.service),
            world,
        }
    }

    fn define(&self, script: &str) -> Result<()> {
        if let Some(dir) = self.agent.plist().parent()
            && !dir.is_dir()
        {
            fsx::private_dir(dir)?;
        }
        let label = self.agent.label();
        let text = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>{label}</string>
	<key>ProgramArguments</key>
	<array>
		<string>/bin/sh</string>
		<string>-c</string>
		<string>{script}</string>
	</array>
	<key>RunAtLoad</key>
	<true/>
	<key>KeepAlive</key>
	<true/>
	<key>ThrottleInterval</key>
	<integer>5</integer>
	<key>ExitTimeOut</key>
	<integer>3</integer>
</dict>
</plist>
"#
        );
        fsx::replace(self.agent.plist(), text.as_bytes())
    }

    fn launchd(&self) -> Launchd<'_> {
        Launchd::new(&self.world)
    }

    fn view(&self) -> ServiceView {
        self.agent.view(&Deadline::after(CALL))
    }

    fn look(&self) -> Looked {
        self.agent.look(&Deadline::after(CALL))
    }

    /// Says something to launchctl and writes down what it answered.
    fn say(&self, call: Call, said: &mut Vec<String>) -> Result<i32> {
        said.push(format!("$ {}", self.agent.line(call)));
        let reply = self.agent.call(call, CALL)?;
        // Whatever is deeper than a tab is environment and bookkeeping, and in a list of a domain other people's labels.
        let mine = |line: &&str| match call {
            Call::PrintDisabled => line.contains(self.agent.label()),
            _ => !line.starts_with("\t\t") && !line.trim_matches(['\t', '}']).is_empty() && !line.contains(" = {"),
        };
        said.extend(reply.stdout.lines().filter(mine).map(|line| line.trim().to_owned()));
        if !reply.complaint.is_empty() {
            said.push(reply.complaint);
        }
        said.push(format!("exit {}", reply.code));
        Ok(reply.code)
    }

    /// Waits for a running process other than `before`.
    fn running(&self, before: Option<&Identity>, limit: Duration) -> Option<Identity> {
        until(limit, || self.view().identity.filter(|now| Some(now) != before))
    }

    fn registered(&self, said: &mut Vec<String>) -> Result<(bool, String)> {
        let told = self.launchd().register(&Deadline::after(LIMIT))?;
        self.say(Call::Print, said)?;
        let view = self.view();
        let right = told == Told::Done && view.state == ServiceState::Running && view.identity.is_some();
        Ok((right, format!("{told:?}, {}", words(&view))))
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.world.common.dry_run {
            return;
        }
        let process = self.view().identity;
        for call in [Call::Bootout, Call::Enable] {
            let mut cmd = Cmd::new("launchctl");
            cmd.args(self.agent.argv(call));
            job::remove(&mut cmd);
        }
        if let Some(process) = process {
            // It may be gone already.
            _ = process.signal(Signal::KILL);
        }
        drop(std::fs::remove_file(self.agent.plist()));
    }
}

/// All steps.
///
/// # Errors
/// 128+n when we were told to stop.
pub(super) fn run(world: &World, to: &mut Transcript) -> Result<()> {
    let stage = Stage::new(world);
    let s = &stage;
    to.step("ask for a job that is not loaded", "not loaded: exit 113", |said| {
        let code = s.say(Call::Print, said)?;
        Ok((
            code == 113 && s.look() == Looked::NotLoaded,
            format!("{:?}, exit {code}", s.look()),
        ))
    })?;
    to.step("ask for the domain", "there: exit 0", |_| {
        // Its answer lists what else this person runs; only the code is anybody's business.
        let code = s.agent.call(Call::PrintDomain, CALL)?.code;
        Ok((code == 0, format!("exit {code}")))
    })?;
    to.step("unload what is not loaded", "exit 3 (36 on old systems)", |said| {
        let code = s.say(Call::Bootout, said)?;
        Ok((matches!(code, 3 | 36), format!("exit {code}")))
    })?;
    to.step(
        "register: enable, bootstrap, kickstart",
        "done, running with a pid",
        |said| {
            s.define(QUICK)?;
            s.registered(said)
        },
    )?;
    to.step(
        "bootstrap what is loaded",
        "any of 0, 5, 17, 37, 130; still the same process",
        |said| {
            let before = s.view().identity;
            let code = s.say(Call::Bootstrap, said)?;
            let same = s.view().identity == before && before.is_some();
            Ok((
                same && matches!(code, 0 | 5 | 17 | 37 | 130),
                format!("exit {code}, same process: {same}"),
            ))
        },
    )?;
    to.step("kickstart what runs", "0 or 37; still the same process", |said| {
        let before = s.view().identity;
        let code = s.say(Call::Kickstart, said)?;
        let same = s.view().identity == before && before.is_some();
        Ok((
            same && matches!(code, 0 | 37),
            format!("exit {code}, same process: {same}"),
        ))
    })?;
    to.step(
        "kill -9",
        "another process, by itself or after a kickstart; signal 9 remembered",
        |said| killed(s, said),
    )?;
    to.step(
        "restart: TERM, then a new start",
        "done, another process, never unloaded",
        |said| {
            let before = s.view().identity;
            let told = s
                .launchd()
                .tell(Verb::Restart, before.clone(), &Deadline::after(LIMIT))?;
            let after = s.running(before.as_ref(), CALL);
            s.say(Call::Print, said)?;
            Ok((
                told == Told::Done && after.is_some(),
                format!("{told:?}, {}", words(&s.view())),
            ))
        },
    )?;
    to.step(
        "delete the definition of what is loaded",
        "launchd goes on with what it read",
        |_| {
            std::fs::remove_file(s.agent.plist()).map_err(|e| oc_core::Fault::io("remove", s.agent.plist(), e))?;
            let view = s.view();
            Ok((view.state == ServiceState::Running, words(&view)))
        },
    )?;
    to.step("stop: bootout, awaited", "done, not loaded, its process gone", |said| {
        let process = s.view().identity;
        let told = s.launchd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
        let gone = !process.is_some_and(|process| process.alive());
        let code = s.say(Call::Print, said)?;
        Ok((
            told == Told::Done && gone && code == 113,
            format!("{told:?}, exit {code}, process gone: {gone}"),
        ))
    })?;
    to.step("bootstrap without a definition", "an error, not loaded", |said| {
        let code = s.say(Call::Bootstrap, said)?;
        Ok((code != 0 && s.look() == Looked::NotLoaded, format!("exit {code}")))
    })?;
    to.step(
        "disable",
        "print-disabled names it; bootstrap fails; healing leaves it alone",
        |said| disabled(s, said),
    )?;
    to.step(
        "enable, register",
        "not disabled any more; done, running with a pid",
        |said| {
            s.say(Call::Enable, said)?;
            let disabled = s.agent.disabled(&Deadline::after(CALL));
            let (right, seen) = s.registered(said)?;
            Ok((
                right && disabled == Some(false),
                format!("disabled: {disabled:?}; {seen}"),
            ))
        },
    )?;
    to.step(
        "unload what does not end at TERM, register at once",
        "SIGTERMed, label taken; then done",
        |said| drained(s, said),
    )?;
    to.step("remove", "not loaded, no file", |said| {
        let told = s.launchd().tell(Verb::Stop, None, &Deadline::after(LIMIT))?;
        std::fs::remove_file(s.agent.plist()).map_err(|e| oc_core::Fault::io("remove", s.agent.plist(), e))?;
        let code = s.say(Call::Print, said)?;
        Ok((told == Told::Done && code == 113, format!("{told:?}, exit {code}")))
    })?;
    drop(stage);
    Ok(())
}

fn killed(s: &Stage, said: &mut Vec<String>) -> Result<(bool, String)> {
    let Some(before) = s.view().identity else {
        return Ok((false, "it does not run".to_owned()));
    };
    if let Err(error) = before.signal(Signal::KILL) {
        return Ok((false, format!("cannot be killed: {error}")));
    }
    let clock = Deadline::after(LIMIT);
    let by_itself = s.running(Some(&before), Duration::from_secs(15));
    let ms = clock.elapsed().as_millis();
    let how = match &by_itself {
        Some(_) => format!("launchd started another one after {ms} ms"),
        None => {
            s.say(Call::Print, said)?;
            s.launchd().register(&Deadline::after(LIMIT))?;
            "launchd did not start it by itself; a kickstart did".to_owned()
        }
    };
    let after = s.running(Some(&before), CALL);
    let last = match s.look() {
        Looked::Loaded(job) => job.last_exit,
        _ => None,
    };
    s.say(Call::Print, said)?;
    let right = after.is_some() && last == Some(LastExit::Signal(9));
    Ok((right, format!("{how}; last end: {last:?}")))
}

fn disabled(s: &Stage, said: &mut Vec<String>) -> Result<(bool, String)> {
    s.define(QUICK)?;
    s.say(Call::Disable, said)?;
    s.say(Call::PrintDisabled, said)?;
    let disabled = s.agent.disabled(&Deadline::after(CALL));
    let state = s.view().state;
    let told = s.launchd().register(&Deadline::after(LIMIT))?;
    let code = s.say(Call::Bootstrap, said)?;
    let right = disabled == Some(true)
        && state == ServiceState::Masked
        && matches!(told, Told::Refused(_))
        && code != 0
        && s.look() == Looked::NotLoaded;
    Ok((
        right,
        format!("disabled: {disabled:?}, {state:?}, bootstrap exit {code}, {told:?}"),
    ))
}

fn drained(s: &Stage, said: &mut Vec<String>) -> Result<(bool, String)> {
    let deadline = Deadline::after(LIMIT);
    s.launchd().tell(Verb::Stop, None, &deadline)?;
    s.define(SLOW)?;
    s.launchd().register(&deadline)?;
    // Until the shell has set its trap.
    pause(TRAP);
    s.say(Call::Bootout, said)?;
    let draining = matches!(s.look(), Looked::Loaded(job) if job.state == State::Draining);
    let code = s.say(Call::Bootstrap, said)?;
    let kick = s.say(Call::Kickstart, said)?;
    let (right, seen) = s.registered(said)?;
    Ok((
        right && draining && code != 0,
        format!("draining seen: {draining}, bootstrap exit {code}, kickstart exit {kick}; then {seen}"),
    ))
}
