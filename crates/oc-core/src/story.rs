//! Incidents as people tell them, put together from the journal: when it began, what was tried, how it ended. Reads
//! tolerantly (a line of an older or newer version tells what it can) and decides nothing.

use crate::class::Class;
use crate::clock::Stamp;
use crate::journal::{Event, Kind};
use crate::report::Action;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Attempts remembered of one incident; an outage of weeks must not fill the memory.
const STEPS_KEPT: usize = 200;

/// Who says whether an attempt helped.
const JUDGE: &str = "oc-escalate";

/// One thing that was tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When it began.
    pub at: Stamp,
    /// What: restart, doctor or agent.
    pub action: Action,
    /// How the service was (re)started.
    pub method: Option<String>,
    /// `healthy`, `failed`, `abandoned`, `not_started`; `None` while it is not known.
    pub outcome: Option<String>,
    /// The journal's own sentence.
    pub text: String,
}

/// One incident.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Names its directory.
    pub id: String,
    /// When it was first seen.
    pub opened: Stamp,
    /// When the fault itself began, where the end of a process says so.
    pub fault_at: Option<Stamp>,
    /// What was seen first.
    pub class: Option<Class>,
    /// The sentence of its opening.
    pub text: String,
    /// What was tried, oldest first.
    pub steps: Vec<Step>,
    /// Configuration and surroundings that were changed, as sentences.
    pub repairs: Vec<String>,
    /// When a person was first needed.
    pub human: Option<Stamp>,
    /// When it was over.
    pub closed: Option<Stamp>,
    /// Since when it serves again, which is a little earlier; `None` when a person stopped it instead.
    pub serving: Option<Stamp>,
    /// It ended because a person stopped the service.
    pub stopped: bool,
    /// Whether an action of ours ended it; `None` while open or not known.
    pub by_us: Option<bool>,
    /// What AI sessions cost, in US dollars.
    pub cost_usd: f64,
}

impl Story {
    /// An incident of which no more is known than that it began.
    #[must_use]
    pub fn begin(id: &str, opened: Stamp, class: Option<Class>, text: &str) -> Self {
        Self {
            id: id.to_owned(),
            opened,
            fault_at: None,
            class,
            text: text.to_owned(),
            steps: Vec::new(),
            repairs: Vec::new(),
            human: None,
            closed: None,
            serving: None,
            stopped: false,
            by_us: None,
            cost_usd: 0.0,
        }
    }

    /// The highest rung that was tried: 0 it came back by itself, 1 restart, 2 doctor, 3 agent, 4 a person.
    #[must_use]
    pub fn level(&self) -> u8 {
        let tried = self.steps.iter().map(|s| level(s.action)).max().unwrap_or(0);
        if self.human.is_some() && self.by_us == Some(false) {
            4
        } else {
            tried
        }
    }

    /// The highest rung tried.
    #[must_use]
    pub fn rung(&self) -> Action {
        self.steps.iter().map(|s| s.action).max().unwrap_or(Action::None)
    }

    /// From its first sight to when it served again, or to `now`.
    #[must_use]
    pub fn lasted(&self, now: &Stamp) -> Duration {
        self.end().unwrap_or(now).since(&self.opened)
    }

    /// When it served again, or was stopped.
    #[must_use]
    pub fn end(&self) -> Option<&Stamp> {
        self.closed
            .as_ref()
            .map(|closed| self.serving.as_ref().unwrap_or(closed))
    }

    /// From the fault to its first sight, where the fault's own time is known.
    #[must_use]
    pub fn detection(&self) -> Option<Duration> {
        self.fault_at.as_ref().map(|at| self.opened.since(at))
    }
}

/// The level of an action: 1 restart, 2 doctor, 3 agent, 4 a person.
#[must_use]
pub const fn level(action: Action) -> u8 {
    match action {
        Action::None | Action::Hold => 0,
        Action::Restart => 1,
        Action::Doctor => 2,
        Action::Agent => 3,
        Action::Human => 4,
    }
}

/// Puts incidents together, event by event.
#[derive(Debug, Clone, Default)]
pub struct Teller {
    stories: BTreeMap<String, Story>,
    exit: Option<Stamp>,
    keep: Option<usize>,
    order: VecDeque<String>,
}

impl Teller {
    /// Keeps only the newest `count` incidents.
    #[must_use]
    pub fn keeping(count: usize) -> Self {
        Self {
            keep: Some(count),
            ..Self::default()
        }
    }

    /// Takes one event; anything that is not about an incident passes by.
    pub fn hear(&mut self, event: &Event) {
        if event.kind == Kind::Exited {
            self.exit = Some(event.stamp.clone());
        }
        // How an attempt ended is told without naming the incident; it is the one that is open.
        let open = || {
            self.order
                .iter()
                .rev()
                .find(|id| self.stories.get(*id).is_some_and(|s| s.closed.is_none()))
                .cloned()
        };
        let named = event
            .incident
            .clone()
            .or_else(|| if event.kind == Kind::Outcome { open() } else { None });
        let Some(id) = named.as_deref() else { return };
        let known = self.stories.contains_key(id);
        if !known && !matches!(event.kind, Kind::IncidentOpened | Kind::Attempt | Kind::HumanNeeded) {
            return;
        }
        if !known {
            self.begin(id, event);
        }
        let Some(story) = self.stories.get_mut(id) else { return };
        match event.kind {
            Kind::IncidentOpened => story.class = story.class.or_else(|| fact(event, "class")),
            Kind::Attempt => attempt(story, event),
            // Whoever acted says how its own work ended; whether that helped is judged by the probe that settles the pass.
            Kind::Outcome if event.tool == JUDGE => {
                if let Some(step) = story.steps.last_mut() {
                    step.outcome = fact(event, "outcome").or_else(|| Some("failed".to_owned()));
                }
            }
            Kind::HumanNeeded => {
                story.human.get_or_insert_with(|| event.stamp.clone());
            }
            Kind::Repair => story.repairs.push(event.text.clone()),
            Kind::Agent => story.cost_usd += fact(event, "cost_usd").unwrap_or(0.0),
            Kind::IncidentClosed => close(story, event),
            _ => {}
        }
    }

    fn begin(&mut self, id: &str, event: &Event) {
        let mut story = Story::begin(id, event.stamp.clone(), None, &event.text);
        let recent = |at: &Stamp| event.stamp.since(at) < Duration::from_secs(600);
        story.fault_at = fact::<Stamp>(event, "fault_at").or_else(|| self.exit.take().filter(recent));
        self.stories.insert(id.to_owned(), story);
        self.order.push_back(id.to_owned());
        if self.keep.is_some_and(|keep| self.order.len() > keep)
            && let Some(oldest) = self.order.pop_front()
        {
            self.stories.remove(&oldest);
        }
    }

    /// The incidents, oldest first.
    #[must_use]
    pub fn stories(self) -> Vec<Story> {
        let Self { mut stories, order, .. } = self;
        order.iter().filter_map(|id| stories.remove(id)).collect()
    }
}

/// The incidents that these events tell of, oldest first.
#[must_use]
pub fn stories<'e>(events: impl IntoIterator<Item = &'e Event>) -> Vec<Story> {
    let mut teller = Teller::default();
    events.into_iter().for_each(|event| teller.hear(event));
    teller.stories()
}

/// A fact of an event in the type that is wanted; `None` when it is missing or another type.
#[must_use]
pub fn fact<T: DeserializeOwned>(event: &Event, key: &str) -> Option<T> {
    event
        .data
        .get(key)
        .and_then(|value| serde_json::from_value(value.clone()).ok())
}

fn attempt(story: &mut Story, event: &Event) {
    story.class = story.class.or_else(|| fact(event, "class"));
    // An attempt whose pass died has no outcome of its own; the next one proves that it did not help.
    if let Some(before) = story.steps.last_mut().filter(|s| s.outcome.is_none()) {
        before.outcome = Some("abandoned".to_owned());
    }
    if story.steps.len() >= STEPS_KEPT {
        story.steps.remove(0);
    }
    story.steps.push(Step {
        at: event.stamp.clone(),
        action: fact(event, "action").unwrap_or(Action::Restart),
        method: fact(event, "method"),
        outcome: None,
        text: event.text.clone(),
    });
}

fn close(story: &mut Story, event: &Event) {
    story.closed = Some(event.stamp.clone());
    // An incident may have begun before it was one: what was first waited for.
    story.opened = fact(event, "opened").unwrap_or_else(|| story.opened.clone());
    story.by_us = fact(event, "by_us");
    story.serving = fact(event, "serving_since");
    story.stopped = event.data.get("took_ms").is_some() && story.serving.is_none();
    if let Some(last) = story.steps.last_mut().filter(|s| s.outcome.is_none()) {
        last.outcome = Some(
            if story.by_us == Some(false) {
                "failed"
            } else {
                "healthy"
            }
            .to_owned(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: Kind, at: u64, id: &str) -> Event {
        let stamp = Stamp {
            wall_ms: 0,
            boot_ms: 0,
            awake_ms: 0,
            boot: "b".into(),
        }
        .plus(Duration::from_secs(at));
        Event {
            stamp,
            ..Event::now(kind, JUDGE, "default", format!("{kind:?}"))
        }
        .incident(Some(id))
    }

    #[test]
    fn an_incident_began_when_its_end_says_so() {
        let closed = event(Kind::IncidentClosed, 60, "a");
        let began = Stamp {
            wall_ms: 2_000,
            ..closed.stamp.clone()
        };
        let events = [event(Kind::IncidentOpened, 50, "a"), closed.with("opened", &began)];
        assert_eq!(stories(&events)[0].opened, began);
    }

    #[test]
    fn an_incident_from_its_fault_to_its_end() {
        let mut exited = event(Kind::Exited, 1, "");
        exited.incident = None;
        let events = [
            exited,
            event(Kind::IncidentOpened, 5, "a").with("class", Class::ProcessGone),
            event(Kind::Attempt, 6, "a")
                .with("action", Action::Restart)
                .with("method", "start"),
            event(Kind::Attempt, 40, "a").with("action", Action::Doctor),
            event(Kind::Repair, 41, "a"),
            event(Kind::Outcome, 50, "a").with("outcome", "healthy"),
            event(Kind::IncidentClosed, 60, "a").with("by_us", true),
        ];
        let stories = stories(&events);
        let story = &stories[0];
        assert_eq!((story.level(), story.class), (2, Some(Class::ProcessGone)));
        assert_eq!(story.steps[0].outcome.as_deref(), Some("abandoned"));
        assert_eq!(story.steps[1].outcome.as_deref(), Some("healthy"));
        assert_eq!(story.detection(), Some(Duration::from_secs(4)));
        assert_eq!(
            story.lasted(&event(Kind::Sample, 999, "").stamp),
            Duration::from_secs(55)
        );
        assert_eq!(story.repairs.len(), 1);
    }

    #[test]
    fn what_the_guardian_says_of_its_start_is_not_how_the_attempt_ended() {
        let mut started = event(Kind::Outcome, 7, "a").with("outcome", "done");
        started.tool = "oc-guardian".into();
        let open = [
            event(Kind::IncidentOpened, 5, "a"),
            event(Kind::Attempt, 6, "a").with("action", Action::Doctor),
            started,
        ];
        assert_eq!(stories(&open)[0].steps[0].outcome, None, "not judged yet");
    }

    #[test]
    fn only_the_newest_are_kept_and_facts_of_another_type_are_passed_over() {
        let mut teller = Teller::keeping(2);
        for id in ["a", "b", "c"] {
            teller.hear(&event(Kind::IncidentOpened, 1, id).with("class", 7));
        }
        let ids: Vec<_> = teller.stories().into_iter().map(|s| (s.id, s.class)).collect();
        assert_eq!(ids, [("b".to_owned(), None), ("c".to_owned(), None)]);
    }
}
