//! The playbook: what an agent's plan taught. A plan that healed is kept as a [`Lesson`], a list of edits and the
//! [`Fingerprint`] of the failure; when the failure returns, `fix` repeats the edits before anybody is asked. See
//! docs/adr/0013.

mod fingerprint;
mod lesson;

pub use fingerprint::{Fingerprint, Likeness};
pub use lesson::{Edit, Lesson};

use crate::checks;
use crate::finding::weight;
use crate::plan;
use crate::scene::Scene;
use crate::transaction::{Closed, Transaction};
use oc_core::clock::Stamp;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::journal::Kind;
use oc_core::state::{Loaded, Store};
use oc_core::world::World;
use std::path::PathBuf;

/// Format of a lesson's file.
const VERSION: u32 = 1;
/// Lessons kept, at most.
const MAX: usize = 50;

/// The lessons of an instance, one file each.
#[derive(Debug)]
pub struct Book {
    dir: PathBuf,
}

/// What the playbook has for a failure.
#[derive(Debug)]
pub enum Offer {
    /// This lesson may be repeated by itself.
    Play {
        /// Its id.
        id: String,
        /// The configuration with its edits.
        bytes: Vec<u8>,
        /// What is done, as a sentence.
        what: String,
    },
    /// A person decides first: the sentence that says how.
    Ask(String),
}

impl Book {
    /// That of an instance.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            dir: world.paths.playbook(),
        }
    }

    /// Every lesson, the one that healed last first. One that cannot be read is left where it is and said.
    #[must_use]
    pub fn lessons(&self) -> Vec<Lesson> {
        let mut found: Vec<Lesson> = std::fs::read_dir(&self.dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .filter_map(|path| match Store::new(&path, VERSION).load() {
                Ok(Loaded::Found(lesson)) => Some(lesson),
                Ok(Loaded::Missing) => None,
                Ok(Loaded::Unreadable { why }) => {
                    oc_core::out::talk(why);
                    None
                }
                Err(fault) => {
                    oc_core::out::talk(fault);
                    None
                }
            })
            .collect();
        found.sort_by_key(|lesson: &Lesson| std::cmp::Reverse(lesson.last_healed.wall_ms));
        found
    }

    /// The lesson with this id or this beginning of one.
    ///
    /// # Errors
    /// 64 when there is none, or more than one.
    pub fn find(&self, id: &str) -> Result<Lesson> {
        let mut found: Vec<Lesson> = self.lessons();
        found.retain(|lesson| !id.is_empty() && lesson.id.starts_with(id));
        match (found.pop(), found.is_empty()) {
            (Some(lesson), true) => Ok(lesson),
            (Some(_), false) => Err(Fault::usage(format_args!(
                "{id:?} is the beginning of more than one lesson"
            ))),
            (None, _) => {
                Err(Fault::usage(format_args!("there is no lesson {id:?}")).hint("see `oc-doctor playbook list`"))
            }
        }
    }

    /// Writes one.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn save(&self, lesson: &Lesson) -> Result<()> {
        fsx::private_dir(&self.dir)?;
        Store::new(&self.path(lesson), VERSION).save(lesson)
    }

    /// Drops one.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn forget(&self, lesson: &Lesson) -> Result<()> {
        let path = self.path(lesson);
        std::fs::remove_file(&path).map_err(|e| Fault::io("remove", &path, e))
    }

    /// Keeps what healed just now. The same edits against the same failure are one lesson, whose acceptance stays.
    ///
    /// # Errors
    /// 74 or 77.
    fn learn(&self, lesson: &Lesson) -> Result<()> {
        let mut known = self.lessons();
        match known.iter_mut().find(|l| l.id == lesson.id) {
            Some(old) => {
                old.worked();
                self.save(old)
            }
            None => {
                self.make_room(&mut known)?;
                self.save(lesson)
            }
        }
    }

    /// Those that failed go first, then those that nobody accepted and that did not heal for longest.
    fn make_room(&self, known: &mut [Lesson]) -> Result<()> {
        known.sort_by_key(|l| (!l.retired, l.accepted, l.last_healed.wall_ms));
        let excess = (known.len() + 1).saturating_sub(MAX);
        known.iter().take(excess).try_for_each(|lesson| self.forget(lesson))
    }

    fn path(&self, lesson: &Lesson) -> PathBuf {
        self.dir.join(format!("{}.json", lesson.id))
    }
}

/// What can be repeated for the failure of `failed`, on the configuration of `now` (which our own remedies may have
/// changed already): the first lesson of this very failure whose edits still fit and make nothing worse.
#[must_use]
pub fn offer(failed: &Scene<'_>, now: &Scene<'_>) -> Option<Offer> {
    let lessons = Book::new(failed.world).lessons();
    if lessons.is_empty() {
        return None;
    }
    let failure = Fingerprint::of(failed, &checks::all(failed));
    let before = weight(&checks::configuration(now));
    let mut ask = None;
    for lesson in lessons.iter().filter(|l| !l.retired) {
        if lesson.fingerprint.likeness(&failure) != Likeness::Same {
            continue;
        }
        let Some(bytes) = lesson.applied_to(now) else { continue };
        let with = now.with_bytes(&bytes);
        let after = weight(&checks::configuration(&with));
        if after > before || (after == before && before > 0) {
            continue;
        }
        let sensitive = match (now.document(), with.document()) {
            (Some(old), Some(new)) => plan::sensitive(&old.value, &new.value),
            _ => continue,
        };
        if sensitive.is_empty() || lesson.accepted {
            return Some(Offer::Play {
                what: format!("{}, as lesson {} of the playbook says", lesson.says(), lesson.id),
                id: lesson.id.clone(),
                bytes,
            });
        }
        ask.get_or_insert_with(|| {
            Offer::Ask(format!(
                "a change of {} healed this failure before; look at it with `oc-doctor playbook show {id}` and, if you want it \
                 from now on, run: oc-doctor playbook accept {id}",
                sensitive.join(", "),
                id = lesson.id,
            ))
        });
    }
    ask
}

/// What the end of a repair teaches: a plan that healed is kept, a lesson that did not is not repeated by itself. Only a
/// serving service proves anything. Never keeps the repair from being closed.
pub fn closed(world: &World, transaction: &Transaction, how: Closed, serving: bool) {
    if let Err(fault) = note(world, transaction, how, serving) {
        oc_core::out::talk(format_args!("the playbook cannot be written: {}", fault.what));
    }
}

fn note(world: &World, transaction: &Transaction, how: Closed, serving: bool) -> Result<()> {
    let book = Book::new(world);
    let healed = how == Closed::Kept && serving;
    if let (Some(lesson), true) = (&transaction.lesson, healed) {
        book.learn(lesson)?;
        let said = format!("learned from the plan that healed: {}", lesson.says());
        world
            .journal
            .note(&world.event(Kind::Repair, said).with("lesson", &lesson.id));
    }
    if let Some(mut lesson) = transaction.played.as_deref().and_then(|id| book.find(id).ok()) {
        if healed {
            lesson.worked();
            book.save(&lesson)?;
        } else if how == Closed::Undone {
            lesson.retired = true;
            book.save(&lesson)?;
        }
    }
    Ok(())
}

impl Lesson {
    fn worked(&mut self) {
        self.healed = self.healed.saturating_add(1);
        self.last_healed = Stamp::now();
        self.retired = false;
    }
}
