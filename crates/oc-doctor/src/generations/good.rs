//! Which configuration counts as last-known-good: one that was on disk unchanged since before this process of the
//! service started, that checks clean, and under which it was seen healthy for long enough. A running service ignores a
//! broken edit for hours, and its hot reload can accept a deadly one: neither says anything about the next start.

use super::{Id, Index};
use crate::checks;
use crate::finding::Severity;
use crate::scene::Scene;
use oc_core::clock::Stamp;
use oc_core::identity::Identity;
use std::time::Duration;

/// The service seen healthy.
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The process that answered.
    pub identity: Identity,
    /// When.
    pub at: Stamp,
    /// For how long that process has been running.
    pub age: Duration,
}

/// Notes a sighting on the generation that is on disk; true when it became last-known-good by it.
pub fn sight(index: &mut Index, id: &Id, scene: &Scene<'_>, seen: &Sighting, good_after: Duration) -> bool {
    let older_than_process = |changed: Option<i64>| {
        let started = seen
            .at
            .wall_ms
            .saturating_sub(i64::try_from(seen.age.as_millis()).unwrap_or(i64::MAX));
        changed.is_some_and(|changed| changed < started)
    };
    let unchanged = std::iter::once(&scene.file)
        .chain(&scene.includes)
        .all(|f| older_than_process(f.changed_ms));
    // What the schema hints at does not matter here: the service did start with it.
    let clean = !checks::configuration(scene)
        .iter()
        .any(|f| f.severity == Severity::Error);
    let is_good = index.good().is_some_and(|g| g.id == *id);
    let Some(generation) = index.get_mut(id) else {
        return false;
    };
    if !unchanged || !clean {
        generation.healthy_since = None;
        return false;
    }
    let since = match &generation.healthy_since {
        Some((since, identity)) if *identity == seen.identity => since.clone(),
        _ => {
            generation.healthy_since = Some((seen.at.clone(), seen.identity.clone()));
            seen.at.clone()
        }
    };
    let long_enough = seen.at.since(&since) >= good_after;
    if long_enough && !is_good {
        generation.good_since = Some(seen.at.clone());
        generation.rejected = None;
        return true;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::{FileRef, Generation, Reason};
    use super::*;
    use crate::disk::Hash;
    use crate::tests_support::{Fixture, GOOD};

    const MIN: Duration = Duration::from_secs(60);

    fn seen(at: &Stamp, age: Duration, pid: i32) -> Sighting {
        Sighting {
            identity: Identity {
                pid,
                started: 1,
                boot: "b".into(),
            },
            at: at.clone(),
            age,
        }
    }

    fn indexed(content: &str) -> (Index, Id) {
        let mut index = Index::default();
        let file = FileRef {
            path: "openclaw.json".into(),
            hash: Hash::of(content.as_bytes()),
            size: 1,
        };
        let generation = Generation::new(vec![file], Reason::Seen, None);
        let id = generation.id.clone();
        index.add(generation);
        (index, id)
    }

    #[test]
    fn ten_minutes_of_the_same_healthy_process_make_it_good() {
        let fixture = Fixture::with(GOOD);
        let (mut index, id) = indexed(GOOD);
        let now = Stamp::now();
        // The process started after the file was written.
        let mut later = |minutes: u32, pid| {
            let at = now.plus(MIN * (minutes + 1));
            sight(
                &mut index,
                &id,
                &fixture.scene(),
                &seen(&at, MIN * minutes, pid),
                MIN * 10,
            )
        };
        assert!(!later(0, 7) && !later(9, 7));
        assert!(!later(10, 8), "another process begins anew");
        assert!(later(20, 8));
        assert!(index.good().is_some());
    }

    #[test]
    fn a_configuration_edited_under_a_running_service_proves_nothing() {
        let fixture = Fixture::with(GOOD);
        let (mut index, id) = indexed(GOOD);
        let now = Stamp::now();
        for minutes in [0, 20, 40] {
            let at = now.plus(MIN * minutes);
            assert!(!sight(
                &mut index,
                &id,
                &fixture.scene(),
                &seen(&at, MIN * (minutes + 60), 7),
                MIN * 10
            ));
        }
    }

    #[test]
    fn a_poisoned_one_never_becomes_good() {
        let poisoned = "{ gateway: { port: 1 } }";
        let fixture = Fixture::with(poisoned);
        let (mut index, id) = indexed(poisoned);
        let now = Stamp::now();
        for minutes in [0, 20, 40] {
            let at = now.plus(MIN * (minutes + 1));
            assert!(!sight(
                &mut index,
                &id,
                &fixture.scene(),
                &seen(&at, MIN * minutes, 7),
                MIN * 10
            ));
        }
    }
}
