//! `digest --since 24h`: figures of a span of time, for people, chats and scripts.

use crate::cli::Format;
use crate::figures::{Figures, figures};
use crate::ledger::Ledger;
use crate::text::{padded, share, when};
use crate::words::{Words, filled};
use oc_core::clock::{Stamp, parse_rfc3339};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::world::World;
use std::time::Duration;

/// See the module.
///
/// # Errors
/// 74 or 77.
pub(crate) fn digest(world: &World, since: Duration, format: Format) -> Result<Answer> {
    let now = Stamp::now();
    let ledger = Ledger::read(&world.journal, &now, since, Duration::ZERO)?;
    let figures = figures(&ledger, &now, since);
    let words = Words::of(world.config.language);
    let rows = rows(&figures, words);
    let title = filled(words.title, &[("from", &day(&figures.from)), ("to", &day(&figures.to))]);
    let text = match format {
        Format::Text => {
            let lines: String = rows
                .iter()
                .map(|(name, value)| format!("{} {value}\n", padded(name, 14)))
                .collect();
            format!("{title}\n{lines}")
        }
        Format::Markdown => {
            let lines: String = rows
                .iter()
                .map(|(name, value)| format!("- **{name}**: {value}\n"))
                .collect();
            format!("## {title}\n\n{lines}")
        }
    };
    let verdict = if figures.incidents == 0 { "quiet" } else { "incidents" };
    Ok(Answer::new("oc.digest/1", Exit::Good, verdict, &figures)?.text(text))
}

fn day(rfc3339: &str) -> String {
    parse_rfc3339(rfc3339).map_or_else(|_| rfc3339.to_owned(), |ms| when(ms)[..16].to_owned())
}

/// Name and value, as far as there is something to say.
pub(super) fn rows(f: &Figures, w: &Words) -> Vec<(&'static str, String)> {
    let ms = |ms: u64| w.span(Duration::from_millis(ms));
    let mut rows = vec![(w.availability, f.availability.map_or(w.not_on_record.into(), share))];
    if f.down_ms > 0 {
        rows.push((w.down, ms(f.down_ms)));
    }
    let open = if f.open > 0 {
        filled(w.open_value, &[("n", &f.open)])
    } else {
        String::new()
    };
    let incidents = filled(
        w.incidents_value,
        &[("n", &f.incidents), ("healed", &f.healed), ("open", &open)],
    );
    rows.push((w.incidents, incidents));
    if f.human > 0 {
        rows.push((w.people_called, filled(w.times, &[("n", &f.human)])));
    }
    if let Some(rate) = f.recovery_rate {
        rows.push((w.recovery_rate, share(rate)));
    }
    let on_average = |t: u64| filled(w.on_average, &[("t", &ms(t))]);
    if let Some(mttd) = f.mttd_ms {
        rows.push((w.time_to_detect, on_average(mttd)));
    }
    if let (Some(mean), Some(median)) = (f.mttr_ms, f.mttr_median_ms) {
        let median = filled(w.median, &[("t", &ms(median))]);
        rows.push((w.time_to_heal, format!("{}, {median}", on_average(mean))));
    }
    for (level, l) in &f.by_level {
        let times = if l.count == 1 { w.once } else { w.times };
        let times = filled(times, &[("n", &l.count)]);
        rows.push((
            w.healed,
            format!("{}: {times}, {}", w.level(*level), on_average(l.mean_ms)),
        ));
    }
    if !f.causes.is_empty() {
        let top: Vec<String> = f
            .causes
            .iter()
            .take(5)
            .map(|(class, n)| format!("{} {n}x", w.named(class)))
            .collect();
        rows.push((w.causes, top.join(", ")));
    }
    if let Some(longest) = f.longest.as_ref().filter(|_| f.incidents > 1) {
        rows.push((w.longest, format!("{} ({})", ms(longest.took_ms), longest.id)));
    }
    if f.agent_cost_usd > 0.0 {
        rows.push((w.ai_cost, format!("${:.2}", f.agent_cost_usd)));
    }
    rows
}
