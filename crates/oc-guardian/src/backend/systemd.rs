//! Talks to systemd's user manager about the service's unit.

use super::definition;
use super::embedded::Told;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::report::ServiceView;
use oc_core::service::Verb;
use oc_core::service::systemd::{Call, LINGER, Looked, Shown, Unit};
use oc_core::world::World;
use std::time::Duration;

/// One call of systemctl.
const CALL: Duration = Duration::from_secs(10);
/// A unit that was started has a process within this time; one of Type=notify is `activating` until it is ready.
const SPAWN: Duration = Duration::from_secs(15);
/// What was sent KILL is gone within this time, unless the kernel holds it.
const KILLED: Duration = Duration::from_secs(10);
/// Time between two looks: each is a process.
const LOOK: Duration = Duration::from_millis(50);

/// The unit of one instance's service.
#[derive(Debug)]
pub struct Systemd<'a> {
    world: &'a World,
    unit: Unit,
}

impl<'a> Systemd<'a> {
    /// Touches nothing.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            unit: Unit::of(&world.config.service),
        }
    }

    /// What is known about the service, with what `exec` noted.
    #[must_use]
    pub fn view(&self) -> ServiceView {
        let manager = oc_core::report::ManagerKind::Systemd;
        oc_core::service::view(manager, &self.world.config.service, &self.world.paths)
    }

    /// Why nothing can or may be done about the service from here, as a sentence with the way out.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        match self.unit.look(&Deadline::after(CALL)) {
            Looked::Shown(shown) if shown.masked() => Some(self.masked()),
            Looked::Shown(_) => None,
            Looked::NoManager(why) => Some(no_manager(&why)),
            Looked::Unclear(why) => Some(why),
        }
    }

    /// A unit of the machine with the same name.
    #[must_use]
    pub fn second_owner(&self) -> Option<String> {
        let owned = self.unit.owned_by_system(&Deadline::after(CALL));
        let machine = owned.then(|| {
            format!(
                "{0} runs for the machine as well: two owners start one service; `sudo systemctl disable --now {0}` leaves yours",
                self.unit.name()
            )
        });
        machine.or_else(|| super::supervised_beside(self.world))
    }

    /// Carries a command out and waits until it is done, at most until the deadline.
    ///
    /// # Errors
    /// 69 without systemctl, 124 when it does not answer, 74 or 77 when its definition cannot be put back.
    pub fn tell(&self, verb: Verb, only: Option<Identity>, deadline: &Deadline) -> Result<Told> {
        let now = self.view().identity;
        if let Some(refusal) = super::another(only.as_ref(), now.as_ref()) {
            return Ok(refusal);
        }
        match (verb, now) {
            (Verb::Stop, _) => self.stop(deadline),
            (Verb::Start, _) | (_, None) => self.register(deadline),
            (Verb::Restart, Some(process)) => self.restart(&process, deadline),
            (Verb::Kill, Some(process)) => self.kill(&process, deadline),
        }
    }

    /// Has it known, enabled and running, whatever is missing: definition, registration, a latch, the start.
    fn register(&self, deadline: &Deadline) -> Result<Told> {
        let mut shown = match self.settled(deadline) {
            Ok(shown) => shown,
            Err(told) => return Ok(told),
        };
        if shown.masked() {
            return Ok(Told::Refused(self.masked()));
        }
        if !shown.exists() && definition::recover(self.world, &self.unit.file(), deadline)? {
            shown.needs_reload = true;
        }
        if shown.needs_reload {
            self.say(Call::Reload, deadline)?;
        }
        if let Looked::Shown(now) = self.unit.look(deadline) {
            if !now.exists() {
                return Ok(Told::Late(format!(
                    "systemd cannot load {}: {}; put {} back (`openclaw gateway install --force` writes the gateway's)",
                    self.unit.name(),
                    now.load,
                    self.unit.file().display()
                )));
            }
            if !now.enabled() {
                self.say(Call::Enable, deadline)?;
            }
        }
        oc_core::service::starts::Starts::forget(&self.world.paths);
        // Harmless where nothing failed; without it a unit at its start limit refuses every start.
        self.say(Call::ResetFailed, deadline)?;
        let complaint = self.say(Call::Start, deadline)?;
        let patience = deadline.within(SPAWN);
        loop {
            let view = self.view();
            if view.identity.is_some() {
                return Ok(Told::Done);
            }
            if patience.passed() || view.state == oc_core::report::ServiceState::Failed {
                return Ok(Told::Late(if complaint.is_empty() {
                    "systemd started it, and it has no process".to_owned()
                } else {
                    complaint
                }));
            }
            pause(LOOK);
        }
    }

    /// What systemd knows once no process is on its way out.
    fn settled(&self, deadline: &Deadline) -> std::result::Result<Shown, Told> {
        loop {
            match self.unit.look(deadline) {
                Looked::Shown(shown) if shown.active == "deactivating" => {
                    if deadline.passed() {
                        return Err(Told::Late("it is still ending".to_owned()));
                    }
                    pause(LOOK);
                }
                Looked::Shown(shown) => return Ok(shown),
                Looked::NoManager(why) => return Err(Told::Refused(no_manager(&why))),
                Looked::Unclear(why) => return Err(Told::Late(why)),
            }
        }
    }

    fn stop(&self, deadline: &Deadline) -> Result<Told> {
        let complaint = self.say(Call::Stop, deadline)?;
        loop {
            match self.unit.look(deadline) {
                Looked::Shown(shown) if matches!(&*shown.active, "inactive" | "failed") => return Ok(Told::Done),
                Looked::Shown(_) => {}
                Looked::NoManager(why) => return Ok(Told::Refused(no_manager(&why))),
                Looked::Unclear(why) => return Ok(Told::Late(why)),
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

    /// TERM is a drain for a gateway of systemd's, and systemd starts the next one even if we die now.
    fn restart(&self, process: &Identity, deadline: &Deadline) -> Result<Told> {
        let complaint = self.say(Call::Restart, deadline)?;
        while process.alive() && !deadline.passed() {
            pause(LOOK);
        }
        if process.alive() {
            return Ok(Told::Late(if complaint.is_empty() {
                format!("pid {} is still finishing its work", process.pid)
            } else {
                complaint
            }));
        }
        self.register(deadline)
    }

    /// KILL and not a stop or restart: those wait TimeoutStopSec (330 s) for a process that cannot react.
    fn kill(&self, process: &Identity, deadline: &Deadline) -> Result<Told> {
        let complaint = self.say(Call::Kill, deadline)?;
        let patience = deadline.within(KILLED);
        while process.alive() {
            if patience.passed() {
                return Ok(Told::Late(format!(
                    "pid {} is still there after KILL {complaint}",
                    process.pid
                )));
            }
            pause(LOOK);
        }
        // systemd would wait RestartSec first.
        self.register(deadline)
    }

    /// Returns what systemctl complained about.
    fn say(&self, call: Call, deadline: &Deadline) -> Result<String> {
        let reply = self.unit.call(call, deadline.within(CALL).left())?;
        Ok(match (reply.good(), reply.complaint) {
            (true, _) => String::new(),
            (false, words) if words.is_empty() => format!("systemctl exited with {}", reply.code),
            (false, words) => words,
        })
    }

    fn masked(&self) -> String {
        format!(
            "{} is masked in systemd, which only a person does; `{}` undoes it",
            self.unit.name(),
            self.unit.line(Call::Unmask)
        )
    }
}

fn no_manager(why: &str) -> String {
    format!(
        "no systemd user manager is there ({why}): it ends with the last login; `{LINGER}` keeps it, or run the service with \
         `oc-guardian supervise`"
    )
}
