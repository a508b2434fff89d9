//! `forecast`: when memory will reach its limit.

use crate::ledger::Ledger;
use crate::text::{bytes, when};
use crate::trend::{self, Forecast};
use crate::words::{Words, filled};
use oc_core::clock::Stamp;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::journal::{Event, Kind};
use oc_core::run::Answer;
use oc_core::story::fact;
use oc_core::world::World;
use serde_json::json;
use std::time::Duration;

/// Of the running process at most this is looked at.
pub(crate) const SPAN: Duration = Duration::from_secs(7 * 86_400);

/// See the module.
///
/// # Errors
/// 74 or 77.
pub(crate) fn forecast(world: &World) -> Result<Answer> {
    let ledger = Ledger::read(&world.journal, &Stamp::now(), SPAN, SPAN)?;
    let found = of(world, &ledger);
    let verdict = match found {
        Forecast::TooShort => "too_short",
        Forecast::None => "none",
        Forecast::Rising { .. } => "rising",
    };
    let body = json!({"subject": "memory", "limit_bytes": world.config.probe.memory_limit.get(), "forecast": found,
        "samples": ledger.samples.len()});
    let text = format!("{}\n", sentence(&found, world));
    Ok(Answer::new("oc.forecast/1", Exit::Good, verdict, &body)?.text(text))
}

/// Of what is on record of the running process.
pub(crate) fn of(world: &World, ledger: &Ledger) -> Forecast {
    let born = ledger.born.unwrap_or(i64::MIN);
    let series: Vec<(i64, f64)> = ledger
        .samples
        .iter()
        .filter(|s| s.at >= born)
        .filter_map(|s| Some((s.at, s.rss? as f64)))
        .collect();
    trend::forecast(&series, world.config.probe.memory_limit.get() as f64)
}

/// Of the newest events only.
pub(super) fn of_events(world: &World, events: &[Event]) -> Forecast {
    let born = events
        .iter()
        .rposition(|e| matches!(e.kind, Kind::Ready | Kind::Started))
        .unwrap_or(0);
    let series: Vec<(i64, f64)> = events[born..]
        .iter()
        .filter(|e| e.kind == Kind::Sample)
        .filter_map(|e| Some((e.stamp.wall_ms, fact::<u64>(e, "rss_bytes")? as f64)))
        .collect();
    trend::forecast(&series, world.config.probe.memory_limit.get() as f64)
}

/// In words.
pub(crate) fn sentence(forecast: &Forecast, world: &World) -> String {
    let words = Words::of(world.config.language);
    let limit = bytes(world.config.probe.memory_limit.get());
    let (rate, reached, earliest, latest) = match forecast {
        Forecast::TooShort => return words.no_forecast.into(),
        Forecast::None => return words.no_trend.into(),
        Forecast::Rising {
            bytes_per_hour,
            reached_ms,
            earliest_ms,
            latest_ms,
            ..
        } => (bytes_per_hour / 1_048_576.0, reached_ms, earliest_ms, latest_ms),
    };
    let at = |ms: &Option<i64>| ms.map_or(words.far_away.to_owned(), when);
    let text = if reached.is_some() {
        words.rising
    } else {
        words.rising_slowly
    };
    filled(
        text,
        &[
            ("rate", &format!("{rate:.1}")),
            ("limit", &limit),
            ("at", &at(reached)),
            ("earliest", &at(earliest)),
            ("latest", &at(latest)),
        ],
    )
}
