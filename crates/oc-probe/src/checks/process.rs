//! Is the service's process alive? Believed only by pid, start time and boot.

use super::check;
use crate::past::Past;
use oc_core::identity::{Identity, ProcessState};
use oc_core::report::{Check, CheckStatus};
use oc_core::service::embedded::Phase;

/// What is known about the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Process {
    /// It lives.
    Alive {
        /// Who it is.
        identity: Identity,
        /// Stopped or uninterruptible: alive, and not able to act.
        stuck: Option<&'static str>,
        /// Time since its start.
        age_ms: Option<u64>,
        /// Seen serving before.
        served_before: bool,
    },
    /// The one that is recorded is dead (or a zombie), and no other is known.
    Gone {
        /// Who it was.
        identity: Option<Identity>,
    },
    /// Nobody says which process it is.
    Unknown,
}

impl Process {
    /// Who it is, while it lives.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Alive { identity, .. } => Some(identity),
            _ => None,
        }
    }

    /// Seen serving before, by somebody's record.
    #[must_use]
    pub fn served_before(&self) -> bool {
        matches!(
            self,
            Self::Alive {
                served_before: true,
                ..
            }
        )
    }

    /// The line of the report.
    #[must_use]
    pub fn check(&self) -> Check {
        let (status, actual) = match self {
            Self::Alive {
                identity, stuck: None, ..
            } => (CheckStatus::Ok, format!("pid {} is alive", identity.pid)),
            Self::Alive {
                identity,
                stuck: Some(how),
                ..
            } => (CheckStatus::Warn, format!("pid {} is alive, but {how}", identity.pid)),
            Self::Gone {
                identity: Some(identity),
            } => (CheckStatus::Fail, format!("pid {} is gone", identity.pid)),
            Self::Gone { identity: None } => (CheckStatus::Fail, "there is none".to_owned()),
            Self::Unknown => (CheckStatus::Skip, "nobody says which process it is".to_owned()),
        };
        check("process", status, "a live process", actual)
    }

    /// A live process by its identity; `None` when it is gone, a zombie, or another one of the same number.
    #[must_use]
    pub fn alive(identity: &Identity, past: &Past) -> Option<Self> {
        let stuck = match identity.info()?.state {
            ProcessState::Zombie => return None,
            ProcessState::Alive => None,
            ProcessState::Stopped => Some("stopped by a signal"),
            ProcessState::Uninterruptible => Some("in an uninterruptible wait"),
        };
        let up = past
            .supervisor
            .as_ref()
            .is_some_and(|s| s.phase == Phase::Up && s.child.as_ref() == Some(identity));
        Some(Self::Alive {
            identity: identity.clone(),
            stuck,
            age_ms: identity.age_ms(),
            served_before: up || past.served.as_ref() == Some(identity),
        })
    }
}

/// The process by the records, without asking anybody and without a scan.
#[must_use]
pub fn look(past: &Past) -> Process {
    let mut last = None;
    for candidate in past.candidates() {
        match Process::alive(candidate, past) {
            Some(process) => return process,
            None => last = last.or(Some(candidate)),
        }
    }
    match last {
        Some(identity) => Process::Gone {
            identity: Some(identity.clone()),
        },
        None => Process::Unknown,
    }
}
