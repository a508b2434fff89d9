//! `digest --since 24h`: figures of a span of time, for people, chats and scripts.

use crate::cli::Format;
use crate::figures::{Figures, figures, level_name};
use crate::ledger::Ledger;
use crate::text::{share, span, when};
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
    let ledger = Ledger::read(&world.journal, &now, since)?;
    let figures = figures(&ledger, &now, since);
    let rows = rows(&figures);
    let title = format!("{} to {}", day(&figures.from), day(&figures.to));
    let text = match format {
        Format::Text => {
            let lines: String = rows
                .iter()
                .map(|(name, value)| format!("{name:<14} {value}\n"))
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
pub(super) fn rows(f: &Figures) -> Vec<(&'static str, String)> {
    let ms = |ms: u64| span(Duration::from_millis(ms));
    let mut rows = vec![("availability", f.availability.map_or("not on record".into(), share))];
    if f.down_ms > 0 {
        rows.push(("down", ms(f.down_ms)));
    }
    let open = if f.open > 0 {
        format!(", {} open", f.open)
    } else {
        String::new()
    };
    rows.push((
        "incidents",
        format!("{} ({} healed without a person{open})", f.incidents, f.healed),
    ));
    if f.human > 0 {
        rows.push(("people called", format!("{} times", f.human)));
    }
    if let Some(rate) = f.recovery_rate {
        rows.push(("recovery rate", share(rate)));
    }
    if let Some(mttd) = f.mttd_ms {
        rows.push(("time to detect", format!("{} on average", ms(mttd))));
    }
    if let (Some(mean), Some(median)) = (f.mttr_ms, f.mttr_median_ms) {
        rows.push((
            "time to heal",
            format!("{} on average, {} median", ms(mean), ms(median)),
        ));
    }
    for (level, l) in &f.by_level {
        let times = if l.count == 1 { "once" } else { "times" };
        let count = if l.count == 1 {
            String::new()
        } else {
            format!("{} ", l.count)
        };
        rows.push((
            "healed",
            format!("{}: {count}{times}, {} on average", level_name(*level), ms(l.mean_ms)),
        ));
    }
    if !f.causes.is_empty() {
        let top: Vec<String> = f
            .causes
            .iter()
            .take(5)
            .map(|(class, n)| format!("{class} {n}x"))
            .collect();
        rows.push(("causes", top.join(", ")));
    }
    if let Some(longest) = f.longest.as_ref().filter(|_| f.incidents > 1) {
        rows.push(("longest", format!("{} ({})", ms(longest.took_ms), longest.id)));
    }
    if f.agent_cost_usd > 0.0 {
        rows.push(("AI cost", format!("${:.2}", f.agent_cost_usd)));
    }
    rows
}
