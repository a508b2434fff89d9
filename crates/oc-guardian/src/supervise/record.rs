//! What the supervisor tells: the status file at every change, and events. Collected at once, written when the service has
//! been started again.

use oc_core::journal::{Event, Kind};
use oc_core::out;
use oc_core::report::ServiceExit;
use oc_core::service::embedded::{Dir, Status};
use oc_core::world::World;
use std::time::Duration;

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

    /// An event without further facts.
    pub fn event(&mut self, kind: Kind, text: impl Into<String>) {
        self.events.push(self.world.event(kind, text));
    }

    /// The process was started.
    pub fn started(&mut self, pid: i32) {
        let event = self
            .world
            .event(Kind::Started, format!("the service started as pid {pid}"));
        self.events.push(event.with("pid", pid));
    }

    /// It answered for the first time; `took` is `None` after a restart in place.
    pub fn ready(&mut self, pid: i32, took: Option<Duration>) {
        let took_ms = took.map(|t| u64::try_from(t.as_millis()).unwrap_or(u64::MAX));
        let text = match took_ms {
            Some(ms) => format!("the service (pid {pid}) is ready after {ms} ms"),
            None => format!("the service (pid {pid}) restarted in place and is ready"),
        };
        let event = self.world.event(Kind::Ready, text).with("pid", pid);
        self.events
            .push(event.with("in_place", took.is_none()).with("took_ms", took_ms));
    }

    /// It ended; `told`: because we told it to. `next` is the wait before the next start, if there is one.
    pub fn exited(&mut self, pid: i32, exit: &ServiceExit, told: bool, failed_starts: u32, next: Option<Duration>) {
        let how = match (exit.status, exit.signal) {
            (Some(code), _) => format!("exited with {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended".to_owned(),
        };
        let why = if told { ", as it was told to" } else { "" };
        let next = next.map_or_else(String::new, |n| format!("; next start in {:.1} s", n.as_secs_f64()));
        self.events.push(
            self.world
                .event(Kind::Exited, format!("the service (pid {pid}) {how}{why}{next}"))
                .with("pid", pid)
                .with("status", exit.status)
                .with("signal", exit.signal)
                .with("was_ready", exit.was_ready)
                .with("ran_ms", exit.ran_ms)
                .with("told", told)
                .with("never_ready_in_a_row", failed_starts),
        );
    }

    /// Publishes the status if it changed, then tells what happened. A full disk stops neither.
    pub fn flush(&mut self, mut status: Status) {
        let stamp = status.stamp.clone();
        if let Some(published) = &self.published {
            status.stamp = published.stamp.clone();
        }
        if self.published.as_ref() != Some(&status) {
            status.stamp = stamp;
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
