//! The events that change the history. What the journal should tell people is in them too.

use super::{
    ATTEMPTS_KEPT, Acted, Attempt, Condition, DAY, History, Incident, MONTH, Memory, Outcome, STAMPS_KEPT, Sample,
    Served,
};
use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::config::Policy;
use oc_core::identity::Identity;
use oc_core::report::Action;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Something that later decisions depend on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The pass came late; `sleep` when that is to be taken for a sleep of the machine or of ours.
    Late {
        /// When.
        at: Stamp,
        /// Whether nothing is to be concluded for a while.
        sleep: bool,
    },
    /// The service's process ended uncleanly.
    Unclean {
        /// When.
        at: Stamp,
    },
    /// What holds now, in place of what held before.
    Conditions {
        /// All of it.
        now: Vec<Condition>,
    },
    /// Another process than before serves.
    Served {
        /// Who and since when.
        by: Served,
        /// Whether somebody else than us brought it back.
        recovered_by_itself: bool,
    },
    /// A person took the service out of its manager (true), or that is over (false).
    UnloadedByPerson {
        /// When.
        at: Stamp,
        /// Which.
        holds: bool,
    },
    /// An incident began.
    Opened {
        /// The incident.
        incident: Incident,
    },
    /// A first good probe.
    Good {
        /// Who serves and since when.
        by: Served,
    },
    /// A bad probe after a good one, with the incident still open.
    Relapsed {
        /// When.
        at: Stamp,
    },
    /// An action is about to begin.
    Attempted {
        /// The action.
        attempt: Attempt,
    },
    /// The newest attempt ended.
    Ended {
        /// How.
        outcome: Outcome,
        /// Why an agent session could not start.
        why: Option<String>,
    },
    /// What the newest agent session really cost.
    Cost {
        /// Hundredths of a US dollar.
        cents: u32,
    },
    /// The incident is over.
    Closed {
        /// When.
        at: Stamp,
        /// Its id.
        incident: String,
        /// When it was first seen.
        opened: Stamp,
        /// Since when the service serves again; null when a person stopped it instead.
        serving_since: Option<Stamp>,
        /// Whether our own last attempt brought it back.
        by_us: bool,
    },
    /// A person was told.
    Told {
        /// What.
        key: String,
        /// When.
        at: Stamp,
    },
    /// The smallest memory use of one bucket.
    Sampled {
        /// Whose.
        identity: Identity,
        /// When and how much.
        sample: Sample,
    },
    /// A person reset us: the incident and all counters are forgotten; the money spent on agents is not.
    Reset,
}

impl Event {
    pub(super) fn apply(self, to: &mut History, policy: &Policy) {
        match self {
            Self::Late { at, sleep } => {
                if sleep {
                    to.woke = Some(at.clone());
                }
                to.late = Some(at);
            }
            Self::Unclean { at } => push(&mut to.unclean, at),
            Self::Conditions { now } => {
                to.told
                    .retain(|key, _| !is_condition(key) || now.iter().any(|c| c.class.name() == key));
                to.conditions = now;
            }
            Self::Served {
                by,
                recovered_by_itself,
            } => {
                if recovered_by_itself {
                    push(&mut to.flaps, by.since.clone());
                }
                to.served = Some(by);
            }
            Self::UnloadedByPerson { at, holds } => {
                to.told.remove(crate::policy::UNLOADED);
                to.unloaded_by_person = holds.then_some(at);
            }
            Self::Opened { incident } => {
                push(&mut to.flaps, incident.opened.clone());
                to.incident = Some(incident);
            }
            Self::Good { by } => {
                if let Some(incident) = &mut to.incident {
                    incident.good = Some(by);
                }
            }
            Self::Relapsed { at } => {
                push(&mut to.flaps, at);
                if let Some(incident) = &mut to.incident {
                    incident.good = None;
                }
            }
            Self::Attempted { attempt } => attempted(to, policy, attempt),
            Self::Ended { outcome, why } => ended(to, outcome, why),
            Self::Cost { cents } => {
                if let Some(session) = to.attempts.iter_mut().rev().find(|a| a.action == Action::Agent) {
                    session.cents = cents;
                }
            }
            Self::Closed { .. } => to.incident = None,
            Self::Told { key, at } => {
                to.told.insert(key, at);
            }
            Self::Sampled { identity, sample } => to.memory.push(identity, sample),
            Self::Reset => {
                let mut sessions = std::mem::take(&mut to.attempts);
                sessions.retain(|a| a.action == Action::Agent);
                let (served, unclean) = (to.served.take(), std::mem::take(&mut to.unclean));
                *to = History {
                    attempts: sessions,
                    served,
                    unclean,
                    memory: Memory::default(),
                    ..History::default()
                };
            }
        }
    }
}

/// Keys of `told` that name a condition are forgotten with it, so that its return is told again.
fn is_condition(key: &str) -> bool {
    oc_core::class::Class::ALL.iter().any(|class| class.name() == key)
}

fn push(stamps: &mut Vec<Stamp>, at: Stamp) {
    stamps.push(at);
    if stamps.len() > STAMPS_KEPT {
        stamps.remove(0);
    }
}

fn attempted(to: &mut History, policy: &Policy, attempt: Attempt) {
    // What was waited for (a drain that never ended) began when it was first seen, not when waiting was over.
    let waited = |class| matches!(class, Class::Draining | Class::Starting) || class == attempt.class;
    let first = to.conditions.iter().filter(|c| waited(c.class));
    let since = first.map(|c| c.since.clone()).max_by_key(|at| attempt.at.since(at));
    if let Some(before) = to.attempts.last_mut().filter(|a| a.outcome == Outcome::Pending) {
        before.outcome = Outcome::Abandoned;
    }
    let incident = to.incident.get_or_insert_with(|| Incident {
        id: attempt.incident.clone(),
        opened: since.unwrap_or_else(|| attempt.at.clone()),
        class: attempt.class,
        identity: attempt.identity.clone(),
        attempts: 0,
        doctors: 0,
        agents: 0,
        rung: Action::None,
        no_agent: None,
        acted: None,
        good: None,
    });
    incident.attempts = incident.attempts.max(attempt.number);
    incident.rung = incident.rung.max(attempt.action);
    match attempt.action {
        Action::Doctor => incident.doctors = incident.doctors.saturating_add(1),
        Action::Agent => incident.agents = incident.agents.saturating_add(1),
        _ => {}
    }
    if attempt.method.is_some() {
        incident.acted = Some(Acted {
            at: attempt.at.clone(),
            identity: attempt.identity.clone(),
        });
        incident.good = None;
    }
    prune(&mut to.attempts, policy, &attempt.at);
    to.attempts.push(attempt);
}

/// Forgets what no bound can see any more. Sessions are kept for the month of their budget.
fn prune(attempts: &mut Vec<Attempt>, policy: &Policy, now: &Stamp) {
    let seen = [
        policy.backoff.window,
        policy.restarts.window,
        policy.kill.window,
        policy.memory.restart_spacing,
        policy.ladder.half_open,
        policy.unloaded_by_person,
    ]
    .iter()
    .fold(Duration::ZERO, |longest, span| longest.max(span.get()));
    let sessions = MONTH.max(policy.agent.cooldown.get()).max(DAY);
    let keep = |a: &Attempt| now.since(&a.at) <= if a.action == Action::Agent { sessions } else { seen };
    attempts.retain(keep);
    if attempts.len() >= ATTEMPTS_KEPT
        && let Some(oldest) = attempts.iter().position(|a| a.action != Action::Agent)
    {
        attempts.remove(oldest);
    }
}

fn ended(to: &mut History, outcome: Outcome, why: Option<String>) {
    let Some(last) = to.attempts.last_mut() else { return };
    if outcome == Outcome::NotStarted
        && last.action == Action::Agent
        && last.outcome != Outcome::NotStarted
        && let Some(incident) = to.incident.as_mut().filter(|i| i.id == last.incident)
    {
        incident.agents = incident.agents.saturating_sub(1);
        incident.no_agent = Some(why.unwrap_or_else(|| "it could not start".to_owned()));
    }
    last.outcome = outcome;
}
