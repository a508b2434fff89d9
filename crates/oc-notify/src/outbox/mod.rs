//! Nothing is lost: every message becomes one file per channel before anything is sent, and goes away when the channel
//! has taken it. Order is kept within a channel; what waited too long is told as one summary.

mod collapse;
mod deliver;
mod direct;
mod flush;
mod spool;

pub(crate) use deliver::Delivery;
pub(crate) use direct::direct;
pub(crate) use flush::flush;
pub(crate) use spool::Spool;

use crate::desk::Desk;
use crate::memory::Memory;
use crate::message::Sealed;
use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::lock;
use std::fs::File;
use std::time::Duration;

/// The memory is held for milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// One message on its way into the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub(crate) message: Sealed,
    /// The channels it goes to.
    pub(crate) channels: Vec<&'static str>,
    /// Not before then.
    pub(crate) not_before: Option<Stamp>,
}

/// Memory and spool in hand: nobody else changes them meanwhile.
pub(crate) struct Held<'d> {
    desk: &'d Desk,
    _lock: File,
    pub(crate) memory: Memory,
}

impl<'d> Held<'d> {
    /// # Errors
    /// 74, 75 or 77.
    pub(crate) fn take(desk: &'d Desk) -> Result<Self> {
        let lock = lock::short(&desk.paths.outbox().join("lock"), PATIENCE)?;
        let memory = Memory::load(&desk.paths)?;
        Ok(Self {
            desk,
            _lock: lock,
            memory,
        })
    }

    /// Spools the messages, then saves the memory: a tool killed in between tells something twice, never not at all.
    ///
    /// # Errors
    /// 74 or 77.
    pub(crate) fn post(mut self, postings: &[Posting]) -> Result<()> {
        let spool = Spool::of(&self.desk.paths);
        for posting in postings {
            for channel in &posting.channels {
                self.memory.next = spool.put(self.memory.next, channel, posting, &self.desk.now)?;
            }
        }
        self.save()
    }

    /// # Errors
    /// 74 or 77.
    pub(crate) fn save(&mut self) -> Result<()> {
        self.memory.save(&self.desk.paths, &self.desk.now)
    }
}
