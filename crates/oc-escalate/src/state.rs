//! `state.json`: the history on disk, and the events that the journal may still lack.
//!
//! Order of every change: save the history (durably) with the events that tell about it, append the events to the journal,
//! save once more without them. A tool killed in between loses nothing: whoever loads the file next appends what is missing.

use crate::history::History;
use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::journal::{Event, Kind};
use oc_core::state::{Loaded, Store as File};
use oc_core::world::World;
use oc_core::{lock, out};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The newest format of `state.json` that this program writes.
const VERSION: u32 = 1;
/// The file is held for milliseconds; longer means that somebody was stopped while holding it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The content of `state.json`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// What decisions are made from.
    #[serde(flatten)]
    pub history: History,
    /// When an unreadable history was put aside: what was tried before is then not known.
    pub doubt: Option<Stamp>,
    /// Events that may not be in the journal yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unjournaled: Vec<Event>,
}

/// `state.json` in hand: nobody else changes it meanwhile.
#[derive(Debug)]
pub struct Held<'w> {
    world: &'w World,
    file: File,
    _lock: std::fs::File,
    before: State,
    /// The content; change it, then [`Held::save`].
    pub state: State,
}

/// Reads it without holding it, for tools that only look. An unreadable file is an error here; nothing is put aside.
///
/// # Errors
/// 65 when it cannot be understood, 74 or 77 when it cannot be read.
pub fn peek(world: &World) -> Result<State> {
    match File::new(&world.paths.state(), VERSION).load::<State>()? {
        Loaded::Missing => Ok(State::default()),
        Loaded::Found(state) => Ok(state),
        Loaded::Unreadable { why } => Err(Fault::data(why)
            .hint("the next pass puts it aside and starts a new one; until then nothing automatic is done")),
    }
}

impl<'w> Held<'w> {
    /// Takes it. An unreadable file is put aside whole; the new history then begins in doubt.
    ///
    /// # Errors
    /// 74, 75 or 77.
    pub fn take(world: &'w World) -> Result<Self> {
        let lock = lock::short(&world.paths.state_lock(), PATIENCE)?;
        let file = File::new(&world.paths.state(), VERSION);
        let mut state = match file.load::<State>()? {
            Loaded::Missing => State::default(),
            Loaded::Found(state) => state,
            Loaded::Unreadable { why } => in_doubt(world, &file, &why)?,
        };
        let before = state.clone();
        let missing = std::mem::take(&mut state.unjournaled);
        if !missing.is_empty() {
            let known = world.journal.recent(200)?;
            // Not compared whole: secrets were taken out of what the journal holds.
            let same = |a: &Event, b: &Event| a.stamp == b.stamp && a.kind == b.kind && a.tool == b.tool;
            missing
                .iter()
                .filter(|e| !known.iter().any(|k| same(k, e)))
                .try_for_each(|e| world.journal.append(e))?;
        }
        Ok(Self {
            world,
            file,
            _lock: lock,
            before,
            state,
        })
    }

    /// Saves the content, if it changed, and tells the journal; see the order above.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be written; the old content is then still there.
    pub fn save(&mut self, events: Vec<Event>) -> Result<()> {
        if !events.is_empty() {
            let ahead = State {
                unjournaled: events,
                ..self.state.clone()
            };
            self.file.save(&ahead)?;
            for event in &ahead.unjournaled {
                self.world.journal.append(event)?;
            }
        } else if self.state == self.before {
            return Ok(());
        }
        self.file.save(&self.state)?;
        self.before = self.state.clone();
        Ok(())
    }
}

fn in_doubt(world: &World, file: &File, why: &str) -> Result<State> {
    let aside = file.put_aside()?;
    let text = format!(
        "{why}; put aside as {}; nothing automatic is done for a while",
        aside.display()
    );
    out::talk(&text);
    let event = world.event(Kind::Warning, text).with("key", "history_unreadable");
    Ok(State {
        doubt: Some(Stamp::now()),
        unjournaled: vec![event],
        ..State::default()
    })
}

/// True when a write failed for want of space or rights: the policy then goes on with care instead of stopping.
#[must_use]
pub fn unwritable(fault: &Fault) -> bool {
    matches!(fault.exit, Exit::Io | Exit::Permission)
}
