//! What `ensure` looks after: everything that must be there for a healing pass to happen at all. What is wrong with the
//! service itself is left to the pass that follows, so that there is one decider.

mod crontab;
mod entries;
mod jobs;
mod memory;
mod stuck;
mod supervisor;
pub mod upkeep;

pub use entries::own_entry;
pub use stuck::end_stuck_holder;

use crate::registration::Registration;
use memory::Memory;
use oc_core::config::Policy;
use oc_core::fault::{Fault, Result};
use oc_core::journal::Kind;
use oc_core::report::ManagerKind;
use oc_core::world::World;
use serde::Serialize;

/// What became of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Did {
    /// It was wrong and is right now; on a dry run: would be put right.
    PutRight,
    /// It changed and works: recorded as it is now.
    Adopted,
    /// A person's will: reported, not touched.
    Left,
    /// It is wrong and could not be put right.
    Failed,
}

/// One part that was not as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// `gateway`, `watchdog`, `guardian`, `crontab`, `supervisor`, `registration`, `lock`.
    pub subject: &'static str,
    /// What became of it.
    pub did: Did,
    /// A sentence.
    pub text: String,
}

impl Part {
    fn new(subject: &'static str, did: Did, text: impl Into<String>) -> Self {
        Self {
            subject,
            did,
            text: text.into(),
        }
    }

    /// A healing that held the lock for too long was ended.
    #[must_use]
    pub fn stuck(text: String) -> Self {
        Self::new("lock", Did::PutRight, text)
    }

    fn of(subject: &'static str, done: Result<()>, text: String) -> Self {
        match done {
            Ok(()) => Self::new(subject, Did::PutRight, text),
            Err(fault) => Self::new(subject, Did::Failed, format!("{text}, which failed: {}", told(&fault))),
        }
    }
}

fn told(fault: &Fault) -> String {
    match &fault.hint {
        Some(hint) => format!("{} ({hint})", fault.what),
        None => fault.what.clone(),
    }
}

/// The surroundings of one look.
struct Care<'w> {
    world: &'w World,
    policy: &'w Policy,
    memory: Memory,
    dry_run: bool,
}

impl<'w> Care<'w> {
    fn of(world: &'w World) -> Self {
        Self {
            world,
            policy: &world.config.policy,
            memory: Memory::load(&world.paths),
            dry_run: world.common.dry_run,
        }
    }

    /// Tells what is news and remembers it. `only`: the subjects that were looked at, where not all were.
    fn finish(mut self, parts: &[Part], only: Option<&[&str]>) {
        if self.dry_run {
            return;
        }
        for part in parts {
            let kind = match part.did {
                Did::PutRight | Did::Adopted => Kind::Guardian,
                Did::Left | Did::Failed => Kind::Warning,
            };
            if self.memory.is_news(part.subject, part.did, &part.text) {
                let text = format!("{}: {}", part.subject, part.text);
                self.world.journal.note(&self.world.event(kind, text));
            }
        }
        self.memory.settle(parts, only);
        self.memory.save(&self.world.paths);
    }

    /// Puts a part right, unless a person has taken it away again right after we had done that.
    fn put_right(&mut self, subject: &'static str, wrong: &str, mend: impl FnOnce() -> Result<()>) -> Part {
        if let Some(ago) = self.memory.put_back(subject)
            && ago < self.policy.unloaded_by_person.get()
        {
            let text = format!(
                "{wrong}, {} s after it was put back: a person did that, so it is left alone; `oc-guardian install` puts it \
                 back",
                ago.as_secs()
            );
            // The time is kept: whoever takes it away twice need not do so every ten minutes.
            return Part::new(subject, Did::Left, text);
        }
        if self.memory.left(subject) {
            return Part::new(
                subject,
                Did::Left,
                format!("{wrong}; a person did that twice, so it is left alone"),
            );
        }
        if self.dry_run {
            return Part::new(subject, Did::PutRight, format!("{wrong}; would be put back"));
        }
        let done = mend();
        // Only what was put back can be taken away again: a mend that failed is tried at the next visit, for ever.
        if done.is_ok() {
            self.memory.note(subject);
        }
        Part::of(subject, done, format!("{wrong}; put back"))
    }
}

/// Looks at every part and puts right what is wrong. The caller holds the healing lock, and no person wants it otherwise.
///
/// # Errors
/// 74 or 77 when what was installed cannot be read.
pub fn everything(world: &World) -> Result<Vec<Part>> {
    let mut care = Care::of(world);
    let mut parts = Vec::new();
    let mut record = Registration::load(&world.paths).or_else(|fault| {
        // What was installed is not known any more; the service is still looked after.
        parts.push(Part::new("registration", Did::Failed, told(&fault)));
        Ok::<_, Fault>(None)
    })?;
    let manager = oc_core::service::chosen(world.config.service.manager, &world.paths);
    if manager == ManagerKind::Embedded {
        parts.extend(supervisor::look(world)?);
    }
    if let Some(record) = &mut record {
        parts.extend(jobs::look(&mut care, record)?);
        parts.extend(crontab::look(&mut care, record));
    }
    care.finish(&parts, None);
    Ok(parts)
}
