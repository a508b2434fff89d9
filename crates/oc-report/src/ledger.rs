//! The journal as incidents and samples.

use oc_core::clock::Stamp;
use oc_core::fault::Result;
use oc_core::journal::{Event, Journal, Kind};
use oc_core::story::{Story, Teller, fact};
use std::time::Duration;

/// Incidents begin before a span of time and end in it; as far back is looked for their beginning.
const LEAD: i64 = 14 * 86_400_000;

/// Memory, latency and disk of five minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    pub(crate) rss: Option<u64>,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p95_ms: Option<f64>,
    /// What is left on the file system of the state directory.
    pub(crate) free: Option<u64>,
}

impl Sample {
    /// What a journal's event says; `None` for another kind.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        (event.kind == Kind::Sample).then(|| Self {
            at: event.stamp.wall_ms,
            rss: fact(event, "rss_bytes"),
            p50_ms: fact(event, "latency_p50_ms"),
            p95_ms: fact(event, "latency_p95_ms"),
            free: fact(event, "disk_free_bytes"),
        })
    }
}

/// What happened in a span of time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    /// Incidents that were open at some time of it, oldest first.
    pub(crate) stories: Vec<Story>,
    pub(crate) samples: Vec<Sample>,
    /// When the service last began to serve in a new process.
    pub(crate) born: Option<i64>,
    /// The first event of all that is on record.
    pub(crate) first: Option<i64>,
    /// Ends of the service's process.
    pub(crate) exits: u64,
}

impl Ledger {
    /// Reads what happened in the `span` before `now`, with the samples of the last `sampled` of it: a year has a hundred
    /// thousand of them, and figures need none.
    ///
    /// # Errors
    /// 74 or 77.
    pub(crate) fn read(journal: &Journal, now: &Stamp, span: Duration, sampled: Duration) -> Result<Self> {
        let ago = |span: Duration| {
            now.wall_ms
                .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
        };
        let (from, samples_from) = (ago(span), ago(sampled));
        let (mut ledger, mut teller) = (Self::default(), Teller::default());
        let first = std::cell::Cell::new(None);
        let wanted = |kind: Kind, at: i64| {
            if first.get().is_none() {
                first.set(Some(at));
            }
            match kind {
                Kind::Sample => at >= samples_from,
                Kind::Warning | Kind::Notice | Kind::Decision | Kind::Intent | Kind::Guardian | Kind::Other => false,
                _ => at >= from.saturating_sub(LEAD),
            }
        };
        journal.follow(None, wanted, |event| {
            ledger.take(&event, from);
            teller.hear(&event);
        })?;
        ledger.first = first.get();
        ledger.stories = teller.stories();
        ledger.stories.retain(|s| s.end().is_none_or(|end| end.wall_ms >= from));
        Ok(ledger)
    }

    fn take(&mut self, event: &Event, from: i64) {
        let at = event.stamp.wall_ms;
        match event.kind {
            Kind::Sample => self.samples.extend(Sample::of(event)),
            Kind::Ready | Kind::Started => self.born = Some(at),
            Kind::Exited if at >= from => self.exits += 1,
            _ => {}
        }
    }
}
