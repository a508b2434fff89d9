//! Talks to launchd about the service's LaunchAgent.
//!
//! Nothing is concluded from the exit code of a change (5 has six causes): `print`, `print-disabled` and the file on disk say
//! what is true, before and after. A loaded job need not run, because launchd withholds starts that nobody asked for; hence
//! every start ends with a kickstart and a pid that was seen.

pub(crate) mod definition;

use super::embedded::Told;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::proc::kill_service_tree;
use oc_core::report::ServiceView;
use oc_core::service::Verb;
use oc_core::service::launchd::{Agent, Call, Job, Looked, State};
use oc_core::service::starts::Starts;
use oc_core::world::World;
use std::time::Duration;

/// One call of launchctl.
const CALL: Duration = Duration::from_secs(10);
/// How long a bootstrap that fails is tried again: a label stays taken until its drained process is gone.
const BOOTSTRAP: Duration = Duration::from_secs(30);
/// Time between two such tries.
const AGAIN: Duration = Duration::from_millis(500);
/// A job that was kickstarted has a process within this time.
const SPAWN: Duration = Duration::from_secs(15);
/// Time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// The LaunchAgent of one instance.
#[derive(Debug)]
pub struct Launchd<'a> {
    world: &'a World,
    agent: Agent,
}

impl<'a> Launchd<'a> {
    /// Touches nothing.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            agent: Agent::of(&world.config.service),
        }
    }

    /// What is known about the service.
    #[must_use]
    pub fn view(&self) -> ServiceView {
        let manager = oc_core::report::ManagerKind::Launchd;
        oc_core::service::view(manager, &self.world.config.service, &self.world.paths)
    }

    /// Why nothing can or may be done about the service from here, as a sentence with the way out.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        let deadline = Deadline::after(CALL);
        match self.agent.look(&deadline) {
            Looked::NoSession => Some(self.no_session()),
            Looked::Unclear(why) => Some(why),
            Looked::Loaded(_) => None,
            Looked::NotLoaded => self.owned_twice(&deadline).or_else(|| self.disabled(&deadline)),
        }
    }

    /// A job of the same label in another domain.
    #[must_use]
    pub fn second_owner(&self) -> Option<String> {
        self.owned_twice(&Deadline::after(CALL))
            .or_else(|| super::supervised_beside(self.world))
    }

    /// Carries a command out and waits until it is done, at most until the deadline.
    ///
    /// # Errors
    /// 69 without launchctl, 124 when it does not answer.
    pub fn tell(&self, verb: Verb, only: Option<Identity>, deadline: &Deadline) -> Result<Told> {
        let now = self.view().identity;
        if let Some(refusal) = super::another(only.as_ref(), now.as_ref()) {
            return Ok(refusal);
        }
        match (verb, now) {
            (Verb::Stop, _) => self.stop(deadline),
            (Verb::Start, _) | (_, None) => self.register(deadline),
            (Verb::Restart, Some(process)) => match self.end(&process, deadline) {
                Told::Done => self.register(deadline),
                other => Ok(other),
            },
            (Verb::Kill, Some(process)) => match self.kill(&process, deadline)? {
                Told::Done => self.register(deadline),
                other => Ok(other),
            },
        }
    }

    /// Has it loaded and running, whatever is missing: definition, registration, start.
    ///
    /// # Errors
    /// 69 without launchctl, 124 when it does not answer, 74 or 77 when its definition cannot be put back.
    pub fn register(&self, deadline: &Deadline) -> Result<Told> {
        match self.settled(deadline) {
            Looked::Loaded(job) if job.state == State::Draining => {
                return Ok(Told::Late(
                    "it is still ending; launchd keeps its label until it has".to_owned(),
                ));
            }
            Looked::Loaded(_) => {}
            Looked::NoSession => return Ok(Told::Refused(self.no_session())),
            Looked::Unclear(why) => return Ok(Told::Late(why)),
            Looked::NotLoaded => match self.load(deadline)? {
                Told::Done => {}
                other => return Ok(other),
            },
        }
        self.start(deadline)
    }

    /// What launchd knows once no process is on its way out.
    fn settled(&self, deadline: &Deadline) -> Looked {
        loop {
            let looked = self.agent.look(deadline);
            match &looked {
                Looked::Loaded(job) if job.state == State::Draining && !deadline.passed() => {
                    pause(AGAIN.min(deadline.left()))
                }
                _ => return looked,
            };
        }
    }

    fn load(&self, deadline: &Deadline) -> Result<Told> {
        if let Some(why) = self.owned_twice(deadline).or_else(|| self.disabled(deadline)) {
            return Ok(Told::Refused(why));
        }
        definition::put_right(self.world, &self.agent, deadline)?;
        self.say(Call::Enable, deadline)?;
        let patience = deadline.within(BOOTSTRAP);
        loop {
            let complaint = self.say(Call::Bootstrap, &patience)?;
            match self.agent.look(&patience) {
                Looked::Loaded(job) if job.state != State::Draining => return Ok(Told::Done),
                Looked::NoSession => return Ok(Told::Refused(self.no_session())),
                Looked::Unclear(why) => return Ok(Told::Late(why)),
                Looked::NotLoaded | Looked::Loaded(_) => {}
            }
            if patience.left() <= AGAIN {
                let line = self.agent.line(Call::Bootstrap);
                return Ok(Told::Late(format!(
                    "launchd does not take it: {complaint} (tried for {:.0} s; by hand: `{line}`)",
                    patience.elapsed().as_secs_f64()
                )));
            }
            pause(AGAIN);
        }
    }

    /// Starts what is loaded, without -k: that would kill a process that is just starting.
    fn start(&self, deadline: &Deadline) -> Result<Told> {
        Starts::forget(&self.world.paths);
        let patience = deadline.within(SPAWN);
        let mut asked_at = None;
        loop {
            let job = match self.agent.look(&patience) {
                Looked::Loaded(job) => job,
                Looked::NotLoaded => return Ok(Told::Late("it was unloaded while it was being started".to_owned())),
                Looked::NoSession => return Ok(Told::Refused(self.no_session())),
                Looked::Unclear(why) => return Ok(Told::Late(why)),
            };
            if process(&job).is_some() && job.state == State::Running {
                return Ok(Told::Done);
            }
            match asked_at {
                // Started, and gone before it was seen: asking again would be a crash loop of our own.
                Some(runs) if job.runs > runs && job.state != State::Running => {
                    return Ok(Told::Late(format!("it was started and ended at once{}", how(&job))));
                }
                Some(_) => {}
                None => {
                    let reply = self.agent.call(Call::Kickstart, patience.within(CALL).left())?;
                    // 37: not while it is draining, and it says nothing else.
                    if reply.code == 0 {
                        asked_at = Some(job.runs);
                    }
                }
            }
            if patience.passed() {
                return Ok(Told::Late(match &job.pended {
                    Some(reason) => format!("launchd withholds the start ({reason}), also after a kickstart"),
                    None => format!("launchd started no process{}", how(&job)),
                }));
            }
            pause(LOOK);
        }
    }

    /// Unloads it; done when its process is gone.
    fn stop(&self, deadline: &Deadline) -> Result<Told> {
        if matches!(self.agent.look(deadline), Looked::NotLoaded) {
            return Ok(Told::Done);
        }
        let mut complaint = self.say(Call::Bootout, deadline)?;
        loop {
            match self.agent.look(deadline) {
                Looked::NotLoaded => return Ok(Told::Done),
                Looked::NoSession => return Ok(Told::Refused(self.no_session())),
                Looked::Unclear(why) => complaint = why,
                Looked::Loaded(_) => {}
            }
            if deadline.passed() {
                return Ok(Told::Late(if complaint.is_empty() {
                    "it is still ending".to_owned()
                } else {
                    complaint
                }));
            }
            pause(LOOK);
        }
    }

    /// TERM to its process and not a bootout: the job stays loaded, so that launchd starts the next one even if we die now, and
    /// no ExitTimeOut cuts the drain short.
    fn end(&self, process: &Identity, deadline: &Deadline) -> Told {
        if let Err(error) = process.signal(rustix::process::Signal::TERM)
            && error != rustix::io::Errno::SRCH
        {
            return Told::Late(format!("pid {} cannot be told to end: {error}", process.pid));
        }
        let drain = deadline.within(self.world.config.service.stop_timeout.get());
        while process.alive() && !drain.passed() {
            pause(LOOK);
        }
        if !process.alive() {
            return Told::Done;
        }
        // Its time is over. What is left is no drain any more.
        self.kill(process, deadline)
            .unwrap_or_else(|fault| Told::Late(fault.what))
    }

    /// KILLs the process, by its identity and with its whole tree; through launchd where we may not.
    fn kill(&self, process: &Identity, deadline: &Deadline) -> Result<Told> {
        if kill_service_tree(process).is_err() {
            self.say(Call::Kill("SIGKILL"), deadline)?;
        }
        let patience = deadline.within(SPAWN);
        while process.alive() {
            if patience.passed() {
                return Ok(Told::Late(format!("pid {} is still there after KILL", process.pid)));
            }
            pause(LOOK);
        }
        Ok(Told::Done)
    }

    /// Returns what launchd complained about, which alone means nothing.
    fn say(&self, call: Call, deadline: &Deadline) -> Result<String> {
        let reply = self.agent.call(call, deadline.within(CALL).left())?;
        Ok(match (reply.code, reply.complaint) {
            (0, _) => String::new(),
            (code, words) if words.is_empty() => format!("exit {code}"),
            (_, words) => words,
        })
    }

    fn no_session(&self) -> String {
        format!(
            "nobody is logged in at the screen: launchd has no domain {}, and without it no LaunchAgent; log in there, or run \
             the service with `oc-guardian supervise`",
            self.agent.domain()
        )
    }

    fn disabled(&self, deadline: &Deadline) -> Option<String> {
        (self.agent.disabled(deadline) == Some(true)).then(|| {
            format!(
                "{} is disabled in launchd, which only a person does; `{}` undoes it",
                self.agent.label(),
                self.agent.line(Call::Enable)
            )
        })
    }

    fn owned_twice(&self, deadline: &Deadline) -> Option<String> {
        let owner = self.agent.other_owner(deadline)?;
        let sudo = if owner.starts_with("system/") { "sudo " } else { "" };
        Some(format!(
            "launchd runs it as {owner} already: a second one is not started; `{sudo}launchctl bootout {owner}` frees the label"
        ))
    }
}

fn process(job: &Job) -> Option<Identity> {
    job.pid.and_then(Identity::of).filter(Identity::alive)
}

fn how(job: &Job) -> String {
    use oc_core::service::launchd::LastExit;
    match job.last_exit {
        Some(LastExit::Code(code)) => format!(" (status {code})"),
        Some(LastExit::Signal(signal)) => format!(" (signal {signal})"),
        None => String::new(),
    }
}
