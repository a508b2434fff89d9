//! What oc-notify remembers between two runs: which incidents were told and how far, what the APIs called the messages,
//! which channels are off. `outbox/memory.json`; losing it costs a repetition, never a message.

use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::paths::Paths;
use oc_core::report::Action;
use oc_core::state::{Loaded, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

const VERSION: u32 = 1;
/// Threads of incidents that are over are kept for a while, for their messages may still wait in the outbox.
const THREADS_KEPT: usize = 50;

/// How far an incident was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Not at all.
    #[default]
    Silent,
    /// That it lasts.
    Opened,
    /// That a person is needed.
    Human,
    /// That it is over.
    Over,
}

/// A change that we made and have not told of yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// What was changed.
    pub(crate) text: String,
    /// How, already redacted by the doctor.
    pub(crate) diff: String,
    /// The command that undoes it.
    pub(crate) undo: String,
}

/// One incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Thread {
    pub(crate) opened: Stamp,
    #[serde(default)]
    pub(crate) stage: Stage,
    /// The highest rung that was told.
    #[serde(default = "no_rung")]
    pub(crate) rung: Action,
    #[serde(default)]
    pub(crate) reminders: u32,
    /// When a person was last called or reminded.
    #[serde(default)]
    pub(crate) called: Option<Stamp>,
    /// Messages so far: the running number of their ids.
    #[serde(default)]
    pub(crate) count: u32,
    /// What each API called the first message.
    #[serde(default)]
    pub(crate) ids: BTreeMap<String, String>,
    /// Changes that are not told yet.
    #[serde(default)]
    pub(crate) edits: Vec<Edit>,
    /// The last pass whose changes were taken in; names of passes sort by time.
    #[serde(default)]
    pub(crate) heard: String,
    /// When the alert that expires was last told again.
    #[serde(default)]
    pub(crate) refreshed: Option<Stamp>,
    /// The opening was held back because it flaps or storms: its end is held back as well.
    #[serde(default)]
    pub(crate) muted: bool,
    /// The last message, to tell again what expires.
    #[serde(default)]
    pub(crate) last: Option<crate::message::Sealed>,
}

const fn no_rung() -> Action {
    Action::None
}

impl Thread {
    pub(crate) fn new(opened: Stamp) -> Self {
        Self {
            opened,
            stage: Stage::Silent,
            rung: Action::None,
            reminders: 0,
            called: None,
            count: 0,
            ids: BTreeMap::new(),
            edits: Vec::new(),
            heard: String::new(),
            refreshed: None,
            muted: false,
            last: None,
        }
    }
}

/// One channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    /// Switched off until then.
    pub(crate) off_until: Option<Stamp>,
    /// Not tried before then.
    pub(crate) retry_at: Option<Stamp>,
    /// Failures in a row.
    pub(crate) failures: u32,
    /// Why.
    pub(crate) why: String,
    /// Fingerprint of its address: another address is another channel, and on again.
    pub(crate) address: u64,
    /// Where the chat moved to.
    pub(crate) moved: Option<String>,
}

impl Line {
    pub(crate) fn off(&self, now: &Stamp) -> bool {
        self.off_until.as_ref().is_some_and(|until| before(now, until))
    }

    pub(crate) fn waiting(&self, now: &Stamp) -> bool {
        self.retry_at.as_ref().is_some_and(|until| before(now, until))
    }
}

/// True while `until` has not come. Within one boot only the boot clock counts, so a stepped wall clock neither wakes a
/// channel early nor silences it for a year.
pub(crate) fn before(now: &Stamp, until: &Stamp) -> bool {
    !until.since(now).is_zero()
}

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    /// Running number of the spool's files.
    pub(crate) next: u64,
    /// Incidents by key.
    pub(crate) threads: BTreeMap<String, Thread>,
    /// When each thing that is no incident was last told, by key (and content, for messages of one's own).
    pub(crate) told: BTreeMap<String, Stamp>,
    /// When the recent messages were told, for the bound on their number.
    pub(crate) sent: Vec<Stamp>,
    /// How many were held back since the last one that said so.
    pub(crate) held: u32,
    /// Recent incidents that were healed before they were told.
    pub(crate) quick: Vec<Quick>,
    /// When incidents recently began, to notice flapping.
    pub(crate) begun: Vec<Stamp>,
    /// Channels by name.
    pub(crate) lines: BTreeMap<String, Line>,
    /// When the last digest was sent.
    pub(crate) digest: Option<Stamp>,
}

/// An incident that was over before it was told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Quick {
    pub(crate) at: Stamp,
    pub(crate) class: Option<oc_core::class::Class>,
    pub(crate) lasted_ms: u64,
    pub(crate) level: u8,
}

impl Memory {
    /// Reads it. What cannot be understood is put aside and begun anew: a message told twice is better than none.
    ///
    /// # Errors
    /// 74 or 77.
    pub(crate) fn load(paths: &Paths) -> Result<Self> {
        let store = store(paths);
        match store.load()? {
            Loaded::Found(memory) => Ok(memory),
            Loaded::Missing => Ok(Self::default()),
            Loaded::Unreadable { why } => {
                oc_core::out::talk(format_args!("{why}; put aside, messages may come twice"));
                store.put_aside()?;
                Ok(Self::default())
            }
        }
    }

    /// # Errors
    /// 74 or 77.
    pub(crate) fn save(&mut self, paths: &Paths, now: &Stamp) -> Result<()> {
        self.forget(now);
        store(paths).save(self)
    }

    fn forget(&mut self, now: &Stamp) {
        let day = Duration::from_secs(24 * 3600);
        self.sent.retain(|at| now.since(at) < Duration::from_secs(3600));
        self.begun.retain(|at| now.since(at) < Duration::from_secs(3600));
        self.told.retain(|_, at| now.since(at) < 31 * day);
        while self.told.len() > 500 {
            self.told.pop_first();
        }
        let excess = self.quick.len().saturating_sub(500);
        self.quick.drain(..excess);
        let over: Vec<String> = self
            .threads
            .iter()
            .filter(|(_, t)| t.stage == Stage::Over)
            .map(|(k, _)| k.clone())
            .collect();
        for key in over.iter().take(over.len().saturating_sub(THREADS_KEPT)) {
            self.threads.remove(key);
        }
    }

    pub(crate) fn line(&self, name: &str) -> Line {
        self.lines.get(name).cloned().unwrap_or_default()
    }
}

pub(crate) fn path(paths: &Paths) -> PathBuf {
    paths.outbox().join("memory.json")
}

fn store(paths: &Paths) -> Store {
    Store::new(&path(paths), VERSION)
}
