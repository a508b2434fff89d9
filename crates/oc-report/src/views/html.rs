//! `html`: one page, complete in itself: no script, no network, light and dark, fit for a phone and a screen reader.

use super::digest::rows;
use super::{forecast, svg};
use crate::figures::figures;
use crate::ledger::Ledger;
use crate::now::Now;
use crate::serve;
use crate::text::{html as escaped, when};
use crate::words::{Words, filled};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::run::Answer;
use oc_core::story::{Step, Story};
use oc_core::world::World;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

const DAYS: i64 = 90;
/// Incidents that are shown one by one.
const INCIDENTS: usize = 50;
const STYLE: &str = include_str!("page.css");

/// See the module.
///
/// # Errors
/// 64, 69, 74, 77.
pub(crate) fn html(world: &World, listen: Option<String>, output: &Path) -> Result<Answer> {
    let done = |exit, text: String| Ok(Answer::new("oc.page/1", exit, "ok", &json!({}))?.text(text));
    if let Some(address) = listen {
        let address = if address.is_empty() {
            "127.0.0.1:9478".to_owned()
        } else {
            address
        };
        return done(serve::serve(&address, "text/html", || page(world))?, String::new());
    }
    let text = page(world)?;
    if output == Path::new("-") || world.common.dry_run {
        return done(Exit::Good, text);
    }
    fsx::replace(output, text.as_bytes())?;
    done(Exit::Good, String::new())
}

fn page(world: &World) -> Result<String> {
    let now = Now::look(world);
    let span = Duration::from_secs(u64::try_from(DAYS).unwrap_or(90) * 86_400);
    let ledger = Ledger::read(&world.journal, &now.at, span, forecast::SPAN)?;
    let name = escaped(world.instance());
    let words = Words::of(world.config.language);
    let [available, days, heal, memory_of, disk_of, answer, happened] = words.headings;
    let memory = forecast::memory(world, &ledger.samples, ledger.born);
    let disk = forecast::disk(world, &ledger.samples);
    let sections = [
        state(&now, words),
        section(available, &svg::availability(&ledger, now.at.wall_ms, DAYS, words)),
        section(&filled(days, &[("n", &DAYS)]), &table(&ledger, &now, span, words)),
        section(
            heal,
            &format!("{}{}", svg::recoveries(&ledger.stories, words), legend(words)),
        ),
        section(memory_of, &outlook(&memory, &now, words, words.charts[2])),
        section(disk_of, &outlook(&disk, &now, words, words.charts[3])),
        section(answer, &or_nothing(svg::latency(&ledger.samples, words), words)),
        section(happened, &incidents(&ledger.stories, &now, words)),
    ]
    .concat();
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n\
         <title>{name}: {}</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>{name}</h1>\n{sections}<p class=\"dim\">{}</p>\n</main>\n</body>\n</html>\n",
        words.tag,
        words.health(now.health()),
        filled(words.made, &[("at", &when(now.at.wall_ms))]),
    ))
}

fn section(title: &str, body: &str) -> String {
    format!("<section>\n<h2>{title}</h2>\n{body}\n</section>\n")
}

fn or_nothing(chart: String, words: &Words) -> String {
    if chart.is_empty() {
        format!("<p class=\"dim\">{}</p>", words.nothing_yet)
    } else {
        chart
    }
}

fn state(now: &Now, words: &Words) -> String {
    let (health, said) = (now.health().name(), words.health(now.health()));
    let mut lines = match &now.report {
        None => format!("<p>{}</p>", words.not_measured),
        Some(report) => format!(
            "<p>{}</p><p class=\"dim\">{}</p>",
            escaped(&report.summary),
            filled(words.seen, &[("ago", &words.span(now.at.since(&report.stamp)))])
        ),
    };
    if let Some(incident) = &now.history.incident {
        let lasts = words.span(now.at.since(&incident.opened));
        lines.push_str(&format!(
            "<p><code>{}</code>, {}, {}: {lasts}</p>",
            escaped(&incident.id),
            escaped(&incident.class),
            words.open
        ));
        if let Some(decision) = &now.decision {
            lines.push_str(&format!("<p>{}</p>", escaped(&decision.reason)));
            if let Some(command) = &decision.command {
                lines.push_str(&format!("<p>{} <code>{}</code></p>", words.run, escaped(command)));
            }
        }
    }
    if now.intent.stopped.is_some() {
        lines.push_str(&format!("<p>{}</p>", words.stopped));
    }
    if now.intent.maintenance_now(&now.at).is_some() {
        lines.push_str(&format!("<p>{}</p>", words.in_maintenance));
    }
    format!("<div class=\"state {health}\"><strong>{said}</strong>{lines}</div>\n")
}

fn table(ledger: &Ledger, now: &Now, span: Duration, words: &Words) -> String {
    let rows: String = rows(&figures(ledger, &now.at, span), words)
        .iter()
        .map(|(name, value)| format!("<tr><th scope=\"row\">{name}</th><td>{}</td></tr>", escaped(value)))
        .collect();
    format!("<table><tbody>{rows}</tbody></table>")
}

fn legend(words: &Words) -> String {
    let items: String = (0..5u8)
        .map(|level| {
            format!(
                "<svg width=\"12\" height=\"12\" style=\"display:inline;width:12px\" aria-hidden=\"true\"><rect class=\"level{level}\" \
                 width=\"12\" height=\"12\"/></svg> {} &nbsp; ",
                words.level(level)
            )
        })
        .collect();
    format!("<p class=\"dim\">{items}</p>")
}

fn outlook(of: &forecast::Outlook, now: &Now, words: &Words, label: &str) -> String {
    let chart = or_nothing(svg::outlook(of, label), words);
    format!("{chart}<p>{}</p>", escaped(&of.sentence(&now.at, words)))
}

fn incidents(stories: &[Story], now: &Now, words: &Words) -> String {
    if stories.is_empty() {
        return format!("<p class=\"dim\">{}</p>", words.none);
    }
    stories
        .iter()
        .rev()
        .take(INCIDENTS)
        .map(|story| incident(story, now, words))
        .collect()
}

fn incident(story: &Story, now: &Now, words: &Words) -> String {
    let class = words.class(story.class);
    let end = match (&story.closed, story.stopped) {
        (None, _) => words.open.to_owned(),
        (Some(_), true) => words.stopped.to_owned(),
        (Some(_), false) => format!("{}: {}", words.healed, words.level(story.level())),
    };
    let steps: String = story.steps.iter().map(step).collect();
    let repairs: String = story
        .repairs
        .iter()
        .map(|text| format!("<li>{}</li>", escaped(text)))
        .collect();
    format!(
        "<details><summary>{} · {class} · {end} · {}</summary>\n<p>{}</p>\n<ol>{steps}{repairs}</ol>\n<p class=\"dim\"><code>{}</code></p></details>\n",
        when(story.opened.wall_ms),
        words.span(story.lasted(&now.at)),
        escaped(&story.text),
        escaped(&story.id),
    )
}

fn step(step: &Step) -> String {
    let outcome = step.outcome.as_deref().unwrap_or("not judged yet");
    format!(
        "<li>{}: {} ({})</li>",
        when(step.at.wall_ms),
        escaped(&step.text),
        escaped(outcome)
    )
}
