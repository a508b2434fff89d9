//! What follows from the record: availability, times to detect and to recover. Pure.

use crate::ledger::Ledger;
use oc_core::class::Health;
use oc_core::clock::Stamp;
use oc_core::story::Story;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The figures of a span of time. Durations in milliseconds, shares from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Figures {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) incidents: usize,
    pub(crate) open: usize,
    /// Ended by an action of ours, or by the service itself.
    pub(crate) healed: usize,
    /// A person was needed.
    pub(crate) human: usize,
    /// Of those that are over and were not a person's deliberate stop.
    pub(crate) recovery_rate: Option<f64>,
    /// Of the time that is on record; an incident that leaves the service serving costs nothing.
    pub(crate) availability: Option<f64>,
    pub(crate) down_ms: u64,
    /// Mean time from the fault to its first sight, where the fault's own time is known.
    pub(crate) mttd_ms: Option<u64>,
    /// Mean and median time from the first sight to serving again.
    pub(crate) mttr_ms: Option<u64>,
    pub(crate) mttr_median_ms: Option<u64>,
    /// The same by level: 0 by itself, 1 restart, 2 doctor, 3 agent, 4 a person.
    pub(crate) by_level: BTreeMap<u8, Level>,
    /// Causes, the most frequent first.
    pub(crate) causes: Vec<(String, usize)>,
    pub(crate) attempts: BTreeMap<&'static str, usize>,
    pub(crate) agent_cost_usd: f64,
    /// Ends of the service's process.
    pub(crate) exits: u64,
    pub(crate) longest: Option<Longest>,
}

/// Recoveries of one level.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Level {
    pub(crate) count: usize,
    pub(crate) mean_ms: u64,
    pub(crate) median_ms: u64,
}

/// The longest incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Longest {
    pub(crate) id: String,
    pub(crate) took_ms: u64,
}

/// Whether the service does not serve during this incident.
pub(crate) fn is_down(story: &Story) -> bool {
    story.class.is_none_or(|class| class.health() == Health::Down)
}

/// How much of an incident lies between two times, in milliseconds.
pub(crate) fn overlap(story: &Story, from: i64, to: i64) -> u64 {
    let end = story.end().map_or(to, |end| end.wall_ms).min(to);
    u64::try_from(end.saturating_sub(story.opened.wall_ms.max(from))).unwrap_or(0)
}

/// Counts.
pub(crate) fn figures(ledger: &Ledger, now: &Stamp, span: Duration) -> Figures {
    let from = now
        .wall_ms
        .saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    let stories = &ledger.stories;
    let seen_from = ledger.first.map_or(now.wall_ms, |first| first.max(from));
    let seen_ms = u64::try_from(now.wall_ms.saturating_sub(seen_from)).unwrap_or(0);
    let down_ms: u64 = stories
        .iter()
        .filter(|s| is_down(s))
        .map(|s| overlap(s, seen_from, now.wall_ms))
        .sum();
    let over: Vec<&Story> = stories.iter().filter(|s| s.closed.is_some() && !s.stopped).collect();
    let healed = over.iter().filter(|s| s.level() < 4).count();
    let times: Vec<u64> = over.iter().map(|s| ms(s.lasted(now))).collect();
    let mut levels: BTreeMap<u8, Vec<u64>> = BTreeMap::new();
    over.iter()
        .for_each(|s| levels.entry(s.level()).or_default().push(ms(s.lasted(now))));
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let mut attempts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for story in stories {
        *causes
            .entry(story.class.map_or("unknown", |c| c.name()).to_owned())
            .or_default() += 1;
        story
            .steps
            .iter()
            .for_each(|step| *attempts.entry(step.action.name()).or_default() += 1);
    }
    let mut causes: Vec<(String, usize)> = causes.into_iter().collect();
    causes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let detections: Vec<u64> = stories.iter().filter_map(|s| s.detection().map(ms)).collect();
    Figures {
        from: oc_core::clock::rfc3339(from),
        to: now.rfc3339(),
        incidents: stories.len(),
        open: stories.iter().filter(|s| s.closed.is_none()).count(),
        healed,
        human: stories.iter().filter(|s| s.human.is_some()).count(),
        recovery_rate: (!over.is_empty()).then(|| healed as f64 / over.len() as f64),
        availability: (seen_ms > 0).then(|| 1.0 - down_ms.min(seen_ms) as f64 / seen_ms as f64),
        down_ms,
        mttd_ms: mean(&detections),
        mttr_ms: mean(&times),
        mttr_median_ms: median(&times),
        by_level: levels
            .into_iter()
            .map(|(level, times)| {
                let (mean_ms, median_ms) = (mean(&times).unwrap_or(0), median(&times).unwrap_or(0));
                (
                    level,
                    Level {
                        count: times.len(),
                        mean_ms,
                        median_ms,
                    },
                )
            })
            .collect(),
        causes,
        attempts,
        agent_cost_usd: stories.iter().map(|s| s.cost_usd).sum(),
        exits: ledger.exits,
        longest: stories.iter().max_by_key(|s| s.lasted(now)).map(|s| Longest {
            id: s.id.clone(),
            took_ms: ms(s.lasted(now)),
        }),
    }
}

pub(crate) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn mean(times: &[u64]) -> Option<u64> {
    let sum: u128 = times.iter().map(|t| u128::from(*t)).sum();
    u64::try_from(sum.checked_div(times.len() as u128)?).ok()
}

fn median(times: &[u64]) -> Option<u64> {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
