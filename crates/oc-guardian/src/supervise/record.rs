//! What the supervisor tells: the status file at every change, and events. Never before a restart, always after it.

use oc_core::clock::Stamp;
use oc_core::journal::{Event, Kind};
use oc_core::out;
use oc_core::service::embedded::{Dir, Status};
use oc_core::world::World;

/// See the module.
#[derive(Debug)]
pub struct Record<'a> {
    world: &'a World,
    dir: Dir,
    published: Option<Status>,
    events: Vec<Event>,
    failed: bool,
}

impl<'a> Record<'a> {
    /// Nothing told yet.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self {
            dir: Dir::of(&world.paths),
            world,
            published: None,
            events: Vec::new(),
            failed: false,
        }
    }

    /// Remembers an event until [`Record::flush`].
    pub fn event(&mut self, kind: Kind, text: impl Into<String>) -> &mut Event {
        self.events.push(self.world.event(kind, text));
        let last = self.events.len() - 1;
        &mut self.events[last]
    }

    /// Publishes the status if it changed, then tells what happened. A full disk stops neither.
    pub fn flush(&mut self, mut status: Status) {
        if let Some(published) = &self.published {
            status.stamp = published.stamp.clone();
        }
        if self.published.as_ref() != Some(&status) {
            status.stamp = Stamp::now();
            match self.dir.publish(&status) {
                Ok(()) => self.failed = false,
                Err(fault) if !self.failed => {
                    out::talk(format_args!("the status is not up to date: {fault}"));
                    self.failed = true;
                }
                Err(_) => {}
            }
            self.published = Some(status);
        }
        for event in self.events.drain(..) {
            out::talk(&event.text);
            self.world.journal.note(&event);
        }
    }
}
