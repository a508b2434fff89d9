//! `ensure.json`: what was put back when, so that a person who takes it away again is believed, and what was told, so that it
//! is told once.

use super::{Did, Part};
use oc_core::clock::Stamp;
use oc_core::paths::Paths;
use oc_core::state::{Loaded, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

const VERSION: u32 = 1;

/// The file. Losing it means that a person has to take something away once more.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Memory {
    put_back: BTreeMap<String, Stamp>,
    left: BTreeMap<String, Stamp>,
    told: BTreeMap<String, String>,
}

impl Memory {
    pub(super) fn load(paths: &Paths) -> Self {
        match Store::new(&paths.ensure(), VERSION).load() {
            Ok(Loaded::Found(memory)) => memory,
            _ => Self::default(),
        }
    }

    /// A full disk keeps nothing from being put right.
    pub(super) fn save(&self, paths: &Paths) {
        if *self == Self::load(paths) {
            return;
        }
        if let Err(fault) = Store::new(&paths.ensure(), VERSION).save(self) {
            oc_core::out::talk(&fault);
        }
    }

    /// How long ago it was put back.
    pub(super) fn put_back(&self, subject: &str) -> Option<Duration> {
        Some(Stamp::now().since(self.put_back.get(subject)?))
    }

    /// Whether a person has taken it away for good.
    pub(super) fn left(&self, subject: &str) -> bool {
        self.left.contains_key(subject)
    }

    pub(super) fn note(&mut self, subject: &str) {
        self.put_back.insert(subject.to_owned(), Stamp::now());
    }

    pub(super) fn is_news(&mut self, subject: &str, did: Did, text: &str) -> bool {
        // The seconds in it are no news.
        let what = match did {
            Did::Left => "left".to_owned(),
            _ => text.to_owned(),
        };
        self.told.insert(subject.to_owned(), what.clone()) != Some(what)
    }

    /// What is in place again has no past; what was left is remembered until then.
    pub(super) fn settle(&mut self, parts: &[Part], only: Option<&[&str]>) {
        let stays = |subject: &str| {
            let seen = only.is_none_or(|only| only.contains(&subject));
            !seen || parts.iter().any(|part| part.subject == subject)
        };
        self.told.retain(|subject, _| stays(subject));
        self.left.retain(|subject, _| stays(subject));
        for part in parts.iter().filter(|part| part.did == Did::Left) {
            self.left.entry(part.subject.to_owned()).or_insert_with(Stamp::now);
        }
    }
}
