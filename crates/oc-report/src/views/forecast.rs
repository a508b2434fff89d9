//! `forecast`: when memory will reach its limit, and the disk be full.

use crate::ledger::{Ledger, Sample};
use crate::text::{bytes, when};
use crate::trend::{self, Forecast};
use crate::words::{Words, filled};
use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use serde_json::{Value, json};
use std::time::Duration;

/// At most this is looked at.
pub(crate) const SPAN: Duration = Duration::from_secs(7 * 86_400);
/// What is written by day and tidied by night is no trend.
const DISK_SHORTEST_MS: i64 = 86_400_000;

/// See the module.
///
/// # Errors
/// 74 or 77.
pub(crate) fn forecast(world: &World) -> Result<Answer> {
    let now = Stamp::now();
    let ledger = Ledger::read(&world.journal, &now, SPAN, SPAN)?;
    let words = Words::of(world.config.language);
    let (memory, disk) = (
        memory(world, &ledger.samples, ledger.born),
        disk(world, &ledger.samples),
    );
    let said = [memory.sentence(&now, words), disk.sentence(&now, words)];
    let body = json!({"memory": memory.object(&said[0]), "disk": disk.object(&said[1])});
    let text = format!("{}: {}\n{}: {}\n", words.memory, said[0], words.disk, said[1]);
    let verdict = match (&memory.found, &disk.found) {
        (Forecast::Rising { .. }, _) | (_, Forecast::Rising { .. }) => "rising",
        (Forecast::None, _) | (_, Forecast::None) => "none",
        (Forecast::TooShort, Forecast::TooShort) => "too_short",
    };
    Ok(Answer::new("oc.forecast/1", Exit::Good, verdict, &body)?.text(text))
}

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// It grows towards its limit.
    Memory,
    /// What is left of it shrinks towards what counts as full.
    Disk,
}

/// One forecast and what it is about.
#[derive(Debug)]
pub(crate) struct Outlook {
    subject: Subject,
    /// Memory that may be used; disk below which it is full. Bytes.
    pub(crate) limit: u64,
    /// Its level is in bytes that are used, or free.
    pub(crate) found: Forecast,
    /// What it was judged by: milliseconds since 1970, bytes used or free.
    pub(crate) series: Vec<(i64, f64)>,
}

/// Memory of the process that was born then.
pub(crate) fn memory(world: &World, samples: &[Sample], born: Option<i64>) -> Outlook {
    let limit = world.config.probe.memory_limit.get();
    let running = samples.iter().filter(|s| born.is_none_or(|born| s.at >= born));
    let series: Vec<(i64, f64)> = running.filter_map(|s| Some((s.at, s.rss? as f64))).collect();
    Outlook {
        subject: Subject::Memory,
        limit,
        found: trend::forecast(&series, limit as f64),
        series,
    }
}

/// The file system of the state directory.
pub(crate) fn disk(world: &World, samples: &[Sample]) -> Outlook {
    let limit = world.config.probe.disk_min_free.get();
    let series: Vec<(i64, f64)> = samples.iter().filter_map(|s| Some((s.at, s.free? as f64))).collect();
    let lasts = series.last().map_or(0, |l| l.0) - series.first().map_or(0, |f| f.0);
    let mut found = if lasts < DISK_SHORTEST_MS {
        Forecast::TooShort
    } else {
        let taken: Vec<(i64, f64)> = series.iter().map(|(at, free)| (*at, -free)).collect();
        trend::forecast(&taken, -(limit as f64))
    };
    if let Forecast::Rising { level, .. } = &mut found {
        *level = -*level;
    }
    Outlook {
        subject: Subject::Disk,
        limit,
        found,
        series,
    }
}

impl Outlook {
    /// In words.
    pub(crate) fn sentence(&self, now: &Stamp, words: &Words) -> String {
        let w = match self.subject {
            Subject::Memory => &words.memory_forecast,
            Subject::Disk => &words.disk_forecast,
        };
        let Forecast::Rising {
            bytes_per_hour,
            reached_ms,
            earliest_ms,
            latest_ms,
            ..
        } = &self.found
        else {
            return match self.found {
                Forecast::None => words.no_trend.into(),
                _ => w.too_short.into(),
            };
        };
        let at = |ms: &Option<i64>| ms.map_or(words.far_away.to_owned(), |ms| when(ms)[..16].to_owned());
        let left = reached_ms.map_or(0, |ms| ms.saturating_sub(now.wall_ms));
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        filled(
            if reached_ms.is_some() { w.rising } else { w.slowly },
            &[
                ("rate", &format!("{:.1}", bytes_per_hour / 1_048_576.0)),
                ("limit", &bytes(self.limit)),
                ("in", &words.span(left)),
                ("earliest", &at(earliest_ms)),
                ("latest", &at(latest_ms)),
            ],
        )
    }

    fn object(&self, sentence: &str) -> Value {
        json!({"limit_bytes": self.limit, "forecast": self.found, "samples": self.series.len(), "text": sentence})
    }

    /// Where the line leads: from its level at the end of the series, so many bytes an hour up or down.
    pub(super) fn ahead(&self) -> Option<(f64, f64)> {
        let Forecast::Rising {
            bytes_per_hour, level, ..
        } = self.found
        else {
            return None;
        };
        match self.subject {
            Subject::Memory => Some((level, bytes_per_hour)),
            Subject::Disk => Some((level, -bytes_per_hour)),
        }
    }
}
