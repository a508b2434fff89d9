//! One file per service manager, one vocabulary for the commands. The service is started through the manager that owns it and
//! never beside it.

pub mod definition;
pub mod embedded;
pub mod launchd;
pub mod systemd;

use crate::supervise::ready::Question;
use embedded::{Absence, Embedded, Told};
use launchd::Launchd;
use oc_core::clock::{Deadline, pause};
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::report::{ManagerKind, ServiceView};
use oc_core::service::{self, Verb};
use oc_core::world::World;
use std::time::Duration;
use systemd::Systemd;

/// Time between two looks while something is waited for.
const LOOK: Duration = Duration::from_millis(20);

/// The manager of one instance's service.
#[derive(Debug)]
pub enum Backend<'a> {
    /// `oc-guardian supervise`.
    Embedded(Embedded<'a>),
    /// macOS.
    Launchd(Launchd<'a>),
    /// `systemctl --user`.
    Systemd(Systemd<'a>),
}

impl<'a> Backend<'a> {
    /// The manager that the configuration means. Touches nothing.
    #[must_use]
    pub fn of(world: &'a World) -> Self {
        match service::chosen(world.config.service.manager, &world.paths) {
            ManagerKind::Embedded => Self::Embedded(Embedded::new(world)),
            ManagerKind::Launchd => Self::Launchd(Launchd::new(world)),
            ManagerKind::Systemd => Self::Systemd(Systemd::new(world)),
        }
    }

    /// What is known about the service.
    #[must_use]
    pub fn view(&self) -> ServiceView {
        match self {
            Self::Embedded(backend) => backend.view(),
            Self::Launchd(backend) => backend.view(),
            Self::Systemd(backend) => backend.view(),
        }
    }

    /// Why the healing must not or cannot start the service: a person's decision at the manager, or no manager. A sentence
    /// with the way out.
    #[must_use]
    pub fn obstacle(&self) -> Option<String> {
        match self {
            Self::Embedded(backend) if !backend.supervised() && backend.absence() == Absence::Ended => {
                Some("somebody ended the supervisor, and the service with it".to_owned())
            }
            Self::Embedded(_) => None,
            Self::Launchd(backend) => backend.obstacle(),
            Self::Systemd(backend) => backend.obstacle(),
        }
    }

    /// What else starts the same service, as a sentence with the way out: two owners fight for the port for ever.
    #[must_use]
    pub fn second_owner(&self) -> Option<String> {
        match self {
            Self::Embedded(_) => None,
            Self::Launchd(backend) => backend.second_owner(),
            Self::Systemd(backend) => backend.second_owner(),
        }
    }

    /// Carries a command out, whatever state the manager is in, and waits until it is done, at most until the deadline.
    ///
    /// # Errors
    /// 69 when there is nobody to tell, 124 when the manager does not answer, 2 and 74 when it cannot be put back.
    pub fn tell(&self, verb: Verb, only: Option<Identity>, deadline: &Deadline) -> Result<Told> {
        match self {
            Self::Embedded(backend) => backend.tell(verb, only, deadline),
            Self::Launchd(backend) => backend.tell(verb, only, deadline),
            Self::Systemd(backend) => backend.tell(verb, only, deadline),
        }
    }

    /// The service's process, waited for a moment: a successor may need one until it is started.
    #[must_use]
    pub fn process_soon(&self, deadline: &Deadline) -> Option<Identity> {
        let deadline = deadline.within(Duration::from_secs(2));
        loop {
            let process = self.view().identity;
            if process.is_some() || deadline.passed() {
                return process;
            }
            pause(LOOK);
        }
    }

    /// Waits until the service is ready; false when it is not by the deadline.
    #[must_use]
    pub fn wait_ready(&self, world: &World, deadline: &Deadline) -> bool {
        if let Self::Embedded(backend) = self {
            return backend.wait_ready(deadline);
        }
        let Some(question) = Question::of(world) else {
            return false;
        };
        while !deadline.passed() {
            // Asked first: that costs less than asking the manager.
            if question.answered() && self.view().identity.is_some_and(|process| question.is_from(&process)) {
                return true;
            }
            pause(LOOK.max(Duration::from_millis(100)));
        }
        false
    }
}

/// A supervisor of ours that keeps the service which launchd or systemd keeps.
fn supervised_beside(world: &World) -> Option<String> {
    let embedded = Embedded::new(world);
    let supervisor = embedded.status().filter(|_| embedded.supervised())?.supervisor;
    Some(format!(
        "`oc-guardian supervise` (pid {}) keeps the same service: two owners fight for its port; end one of the two",
        supervisor.pid
    ))
}

/// Why nothing is done to what runs `now`: another process was meant.
fn another(only: Option<&Identity>, now: Option<&Identity>) -> Option<Told> {
    let now = now.filter(|now| only.is_some_and(|only| only != *now))?;
    Some(Told::Refused(format!(
        "the service is now pid {}, another process",
        now.pid
    )))
}
