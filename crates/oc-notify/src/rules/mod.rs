//! What is news, and when it is told. Pure: memory and the present scene in, news out. Everything about an incident is
//! decided by its state, not by what changed since the last call, so that a call that never came costs nothing.

mod bounds;
#[cfg(test)]
mod tests;

use crate::memory::{Memory, Quick, Stage, Thread};
use crate::message::{Event, Severity};
use oc_core::clock::Stamp;
use oc_core::config::Notify;
use oc_core::report::Action;
use oc_core::story::Story;
use std::time::Duration;

pub(crate) use bounds::{allowed, repeated};

/// Pause between reminders after the first few.
const DAILY: Duration = Duration::from_secs(24 * 3600);
/// As many incidents within an hour are flapping.
const FLAPS: usize = 4;
/// Flapping is told again after this.
const FLAPPING_AGAIN: Duration = Duration::from_secs(6 * 3600);
/// The key under which flapping is told, also by oc-escalate.
pub(crate) const FLAPPING: &str = "flapping";

/// What there is to see.
#[derive(Debug, Clone)]
pub(crate) struct Scene<'a> {
    pub(crate) now: &'a Stamp,
    pub(crate) settings: &'a Notify,
    /// The open incident.
    pub(crate) open: Option<&'a Story>,
    /// Incidents that are over, as far as they may not have been told yet.
    pub(crate) over: &'a [Story],
    /// The ladder is at its end.
    pub(crate) exhausted: bool,
    /// It is on its way up.
    pub(crate) starting: bool,
    /// When the machine last woke from a sleep.
    pub(crate) woke: Option<&'a Stamp>,
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct News {
    pub(crate) event: Event,
    pub(crate) severity: Severity,
    /// The thread: an incident's id, or what it is about.
    pub(crate) key: String,
    /// Running number within the thread.
    pub(crate) number: u32,
    pub(crate) story: Option<Story>,
    /// Changes that are told with it.
    pub(crate) edits: Vec<crate::memory::Edit>,
    /// How often, for flapping and what was held back.
    pub(crate) count: u32,
}

/// Decides what is told now, and remembers it as told.
pub(crate) fn news(memory: &mut Memory, scene: &Scene<'_>) -> Vec<News> {
    let mut news = Vec::new();
    for story in scene.over {
        ended(memory, scene, story, &mut news);
    }
    if let Some(story) = scene.open {
        thread(memory, &story.id, &story.opened);
        if !asleep(scene) {
            lasting(memory, scene, story, &mut news);
        }
    } else if scene.exhausted && !asleep(scene) {
        // A person is needed without an incident: our own history is unreadable, for example.
        helpless(memory, scene, &mut news);
    } else if !scene.exhausted {
        memory.threads.remove(HELPLESS);
    }
    news
}

/// The end of an incident that no pass told; no other news is looked for.
pub(crate) fn over(memory: &mut Memory, now: &Stamp, settings: &Notify, story: &Story) -> Vec<News> {
    let scene = Scene {
        now,
        settings,
        open: None,
        over: &[],
        exhausted: false,
        starting: false,
        woke: None,
    };
    let mut news = Vec::new();
    ended(memory, &scene, story, &mut news);
    news
}

const HELPLESS: &str = "human";

/// True shortly after waking: network and service are still coming back.
fn asleep(scene: &Scene<'_>) -> bool {
    scene
        .woke
        .is_some_and(|at| scene.now.since(at) < scene.settings.quiet_after_wake.get())
}

/// The thread of an incident, which begins when it is first heard of.
pub(crate) fn thread<'m>(memory: &'m mut Memory, id: &str, opened: &Stamp) -> &'m mut Thread {
    if !memory.threads.contains_key(id) {
        memory.begun.push(opened.clone());
    }
    memory
        .threads
        .entry(id.to_owned())
        .or_insert_with(|| Thread::new(opened.clone()))
}

/// News of an incident that goes on. At most one message at a time: the most urgent says what the others would.
fn lasting(memory: &mut Memory, scene: &Scene<'_>, story: &Story, news: &mut Vec<News>) {
    let flapping = flapping(memory, scene, news);
    let Some(thread) = memory.threads.get_mut(&story.id) else {
        return;
    };
    // It fell and gets up by itself, which takes minutes: there is something to tell if that fails.
    let getting_up = scene.starting && story.rung() == Action::None;
    let old_enough = scene.now.since(&story.opened) >= scene.settings.opened_after.get() && !getting_up;
    let (event, severity) = if scene.exhausted && thread.stage < Stage::Human {
        (thread.stage, thread.muted) = (Stage::Human, false);
        thread.called = Some(scene.now.clone());
        (Event::NeedsYou, Severity::Critical)
    } else if scene.exhausted && reminder_due(thread, scene) {
        thread.reminders = thread.reminders.saturating_add(1);
        thread.called = Some(scene.now.clone());
        (Event::Reminder, Severity::Critical)
    } else if thread.stage == Stage::Silent && old_enough {
        thread.stage = Stage::Opened;
        if flapping && thread.edits.is_empty() {
            thread.muted = true;
            return;
        }
        (Event::Opened, Severity::Warning)
    } else if thread.stage == Stage::Opened && !thread.muted && escalated(story.rung(), thread.rung) {
        (Event::Escalated, Severity::Warning)
    } else if thread.stage > Stage::Silent && !thread.edits.is_empty() {
        (Event::Changed, Severity::Info)
    } else {
        return;
    };
    news.push(tell(thread, event, severity, story));
}

/// A restart is what a watchdog does; a repair or an AI session is news.
fn escalated(now: Action, told: Action) -> bool {
    now > told && matches!(now, Action::Doctor | Action::Agent)
}

fn reminder_due(thread: &Thread, scene: &Scene<'_>) -> bool {
    let often = thread.reminders < scene.settings.reminders;
    let pause = if often {
        scene.settings.reminder.get()
    } else {
        DAILY.max(scene.settings.reminder.get())
    };
    thread.called.as_ref().is_some_and(|at| scene.now.since(at) >= pause)
}

fn tell(thread: &mut Thread, event: Event, severity: Severity, story: &Story) -> News {
    thread.count = thread.count.saturating_add(1);
    thread.rung = thread.rung.max(story.rung());
    News {
        event,
        severity,
        key: story.id.clone(),
        number: thread.count,
        story: Some(story.clone()),
        edits: std::mem::take(&mut thread.edits),
        count: 0,
    }
}

/// An incident that is over: the happy end of what was told, a line in the next digest for what was not.
fn ended(memory: &mut Memory, scene: &Scene<'_>, story: &Story, news: &mut Vec<News>) {
    let lasted = story.lasted(scene.now);
    let thread = thread(memory, &story.id, &story.opened);
    if thread.stage == Stage::Over {
        return;
    }
    let told = thread.stage > Stage::Silent && !thread.muted;
    let long = lasted >= scene.settings.opened_after.get() && !thread.muted;
    thread.stage = Stage::Over;
    let edited = !thread.edits.is_empty();
    let quick = Quick {
        at: scene.now.clone(),
        class: story.class,
        lasted_ms: u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX),
        level: story.level(),
    };
    if !told && !edited && (!long || flapping(memory, scene, news)) {
        memory.quick.push(quick);
        flapping(memory, scene, news);
        return;
    }
    if let Some(thread) = memory.threads.get_mut(&story.id) {
        news.push(tell(thread, Event::Healed, Severity::Info, story));
    }
}

/// Whether it flaps; the first time, that is news, and the single incidents no longer are.
fn flapping(memory: &mut Memory, scene: &Scene<'_>, news: &mut Vec<News>) -> bool {
    let hour = Duration::from_secs(3600);
    let count = memory.begun.iter().filter(|at| scene.now.since(at) < hour).count();
    let told = memory.told.get(FLAPPING).map(|at| scene.now.since(at));
    // oc-escalate counts better (it sees what level 0 does); once either has said it, single incidents are no news.
    if count < FLAPS {
        return told.is_some_and(|ago| ago < hour);
    }
    if told.is_none_or(|ago| ago >= FLAPPING_AGAIN) && !asleep(scene) {
        memory.told.insert(FLAPPING.to_owned(), scene.now.clone());
        news.push(News {
            event: Event::Flapping,
            severity: Severity::Warning,
            key: FLAPPING.to_owned(),
            number: u32::try_from(scene.now.wall_ms / 1000 % i64::from(u32::MAX)).unwrap_or(0),
            story: None,
            edits: Vec::new(),
            count: u32::try_from(count).unwrap_or(u32::MAX),
        });
    }
    true
}

fn helpless(memory: &mut Memory, scene: &Scene<'_>, news: &mut Vec<News>) {
    let thread = memory
        .threads
        .entry(HELPLESS.to_owned())
        .or_insert_with(|| Thread::new(scene.now.clone()));
    let event = if thread.stage < Stage::Human {
        thread.stage = Stage::Human;
        Event::NeedsYou
    } else if reminder_due(thread, scene) {
        thread.reminders = thread.reminders.saturating_add(1);
        Event::Reminder
    } else {
        return;
    };
    thread.called = Some(scene.now.clone());
    thread.count = thread.count.saturating_add(1);
    news.push(News {
        event,
        severity: Severity::Critical,
        key: HELPLESS.to_owned(),
        number: thread.count,
        story: None,
        edits: Vec::new(),
        count: 0,
    });
}
