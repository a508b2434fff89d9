//! A person's will: "stopped" and "maintenance". Written without waiting for any lock, re-read by every effect just
//! before it acts.

use crate::clock::Stamp;
use crate::fault::Result;
use crate::state::{Loaded, Store};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;

/// How long an intent that cannot be read is treated as maintenance: a person may have stopped the service, so it is
/// left alone, but not for ever.
const DOUBT: Duration = Duration::from_secs(2 * 3600);

/// What a person wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Intent {
    /// Set by `oc-guardian stop`, cleared by `start` and `restart`.
    pub stopped: Option<Stopped>,
    /// Set by `oc-escalate maintenance on`.
    pub maintenance: Option<Maintenance>,
}

/// The service was stopped on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stopped {
    /// Since when.
    pub since: Stamp,
    /// Who said so (user and command).
    pub by: String,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

/// Nothing is to be touched for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maintenance {
    /// Since when.
    pub since: Stamp,
    /// For how long, in seconds from `since`.
    pub for_s: u64,
    /// Why, in the person's words.
    pub reason: Option<String>,
}

impl Maintenance {
    /// True until its time is over.
    #[must_use]
    pub fn active(&self, now: &Stamp) -> bool {
        now.since(&self.since).as_secs() < self.for_s
    }
}

impl Intent {
    /// Reads it; no file means no intent. An unreadable one is put aside and stands as maintenance for two hours.
    ///
    /// # Errors
    /// 74 or 77 when the file exists and cannot be read or put aside.
    pub fn load(path: &Path) -> Result<Self> {
        let store = Store::new(path, 1);
        match store.load()? {
            Loaded::Missing => Ok(Self::default()),
            Loaded::Found(intent) => Ok(intent),
            Loaded::Unreadable { why } => {
                let aside = store.put_aside()?;
                let intent = Self::in_doubt(&format!("{why}; put aside as {}", aside.display()));
                intent.save(path)?;
                Ok(intent)
            }
        }
    }

    /// As [`Intent::load`] for tools that only look: nothing is put aside, nothing is written.
    ///
    /// # Errors
    /// 74 or 77 when the file exists and cannot be read.
    pub fn peek(path: &Path) -> Result<Self> {
        Ok(match Store::new(path, 1).load()? {
            Loaded::Missing => Self::default(),
            Loaded::Found(intent) => intent,
            Loaded::Unreadable { why } => Self::in_doubt(&why),
        })
    }

    fn in_doubt(why: &str) -> Self {
        Self {
            stopped: None,
            maintenance: Some(Maintenance {
                since: Stamp::now(),
                for_s: DOUBT.as_secs(),
                reason: Some(format!("{why}; left alone in case you stopped it")),
            }),
        }
    }

    /// Writes it durably.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, path: &Path) -> Result<()> {
        if let Some(dir) = path.parent() {
            crate::fsx::private_dir(dir)?;
        }
        Store::new(path, 1).save(self)
    }

    /// The maintenance that is in force now.
    #[must_use]
    pub fn maintenance_now(&self, now: &Stamp) -> Option<&Maintenance> {
        self.maintenance.as_ref().filter(|m| m.active(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_intent_leaves_the_service_alone_and_keeps_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("intent.json");
        crate::fsx::replace(&path, b"half a f").unwrap();
        let first = Intent::load(&path).unwrap();
        // Counted from the doubt's own beginning: the clock of this test was read a moment earlier or later.
        let since = first.maintenance.clone().unwrap().since;
        assert!(first.maintenance_now(&since).is_some());
        let next_pass = Intent::load(&path).unwrap();
        assert!(next_pass.maintenance_now(&since).is_some());
        assert!(
            next_pass.maintenance_now(&since.plus(DOUBT)).is_none(),
            "but not for ever"
        );
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn who_only_looks_leaves_an_unreadable_intent_where_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("intent.json");
        crate::fsx::replace(&path, b"half a f").unwrap();
        assert!(Intent::peek(&path).unwrap().maintenance_now(&Stamp::now()).is_some());
        assert_eq!(std::fs::read(&path).unwrap(), b"half a f");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
