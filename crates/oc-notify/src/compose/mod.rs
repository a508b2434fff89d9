//! How it is said. The words are in one file per language; here is what belongs into each message.

mod en;
mod ko;

use crate::desk::Desk;
use crate::memory::{Edit, Quick};
use crate::message::{Event, Fact, Message, Severity, Style};
use crate::rules::News;
use oc_core::class::Class;
use oc_core::config::Language;
use oc_core::story::{Step, Story};
use std::collections::BTreeMap;
use std::time::Duration;

/// Attempts that are listed one by one; the rest of a long incident is counted.
const STEPS: usize = 8;
/// Changes that are shown with their diff.
const EDITS: usize = 3;

/// Title and text.
type Said = (String, String);

/// Names of facts.
struct Labels {
    seen: &'static str,
    tried: &'static str,
    changed: &'static str,
    undo: &'static str,
    next: &'static str,
    proposed: &'static str,
    evidence: &'static str,
    log: &'static str,
    held: &'static str,
}

/// What a sentence about an incident may need.
struct Subject<'a> {
    service: &'a str,
    class: Option<Class>,
    lasted: Duration,
    story: Option<&'a Story>,
    count: u32,
}

/// One language, complete by construction: no method has a default.
trait Words {
    fn labels(&self) -> &'static Labels;
    fn class(&self, class: Class) -> &'static str;
    fn step(&self, step: &Step) -> String;
    fn more_steps(&self, count: usize) -> String;
    fn duration(&self, time: Duration) -> String;
    fn opened(&self, about: &Subject<'_>) -> Said;
    fn escalated(&self, about: &Subject<'_>) -> Said;
    fn changed(&self, about: &Subject<'_>) -> Said;
    fn needs_you(&self, about: &Subject<'_>) -> Said;
    fn reminder(&self, about: &Subject<'_>) -> Said;
    fn healed(&self, about: &Subject<'_>) -> Said;
    fn flapping(&self, about: &Subject<'_>) -> Said;
    fn warning(&self, service: &str, key: &str) -> String;
    fn held(&self, count: u32) -> String;
    fn summary(&self, service: &str, count: u32, from: &str, to: &str) -> Said;
    fn channel_off(&self, channel: &str, why: &str) -> Said;
    fn quick(&self, service: &str, count: usize, by_class: &[(String, usize)]) -> Said;
    fn busy(&self, service: &str, who: &str, since: Duration) -> Said;
    fn unwritable(&self, service: &str, why: &str) -> Said;
    fn test(&self, service: &str, channel: &str) -> Said;
    fn digest_title(&self, service: &str) -> String;
}

fn words(language: Language) -> &'static dyn Words {
    match language {
        Language::En => &en::English,
        Language::Ko => &ko::Korean,
    }
}

/// What a pass knows beside the story.
#[derive(Debug, Clone, Default)]
pub(crate) struct Brief {
    /// The sentence of oc-escalate.
    pub(crate) reason: String,
    /// What the last probe saw.
    pub(crate) summary: String,
    /// The exact next command for a person.
    pub(crate) command: Option<String>,
    /// The class at present, where it is another than at the beginning.
    pub(crate) class: Option<Class>,
    /// Where the evidence lies.
    pub(crate) evidence: Option<String>,
    /// The report of the AI session.
    pub(crate) report: Option<String>,
    /// What the AI proposes that only a person may do.
    pub(crate) proposed: Vec<String>,
    /// Messages held back so far.
    pub(crate) held: u32,
}

/// A message about an incident, or about flapping.
pub(crate) fn incident(desk: &Desk, news: &News, brief: &Brief) -> Message {
    let words = words(desk.config.language);
    let service = desk.service();
    let story = news.story.as_ref();
    let class = brief.class.or(story.and_then(|s| s.class));
    let lasted = story.map_or(Duration::ZERO, |s| s.lasted(&desk.now));
    let about = Subject {
        service: &service,
        class,
        lasted,
        story,
        count: news.count,
    };
    let (title, text) = match news.event {
        Event::Opened => words.opened(&about),
        Event::Escalated => words.escalated(&about),
        Event::Changed => words.changed(&about),
        Event::NeedsYou => words.needs_you(&about),
        Event::Reminder => words.reminder(&about),
        Event::Healed => words.healed(&about),
        _ => words.flapping(&about),
    };
    let mut message = desk.blank(news.event, news.severity, &news.key);
    message.id = format!("{}/{}", message.key, news.number);
    (message.title, message.text) = (title, text);
    message.class = class.map(|c| c.name().to_owned());
    message.incident = story.map(|s| s.id.clone());
    message.facts = facts(desk, words, news, brief);
    message
}

fn facts(desk: &Desk, words: &dyn Words, news: &News, brief: &Brief) -> Vec<Fact> {
    let labels = words.labels();
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String, style| {
        if !value.trim().is_empty() {
            facts.push(Fact {
                name: name.to_owned(),
                value,
                style,
            });
        }
    };
    let calls = matches!(news.event, Event::NeedsYou | Event::Reminder);
    if !matches!(news.event, Event::Healed | Event::Flapping) {
        let mut seen = brief.summary.clone();
        if !brief.reason.is_empty() && brief.reason != brief.summary {
            seen = format!("{seen}\n{}", brief.reason);
        }
        add(labels.seen, seen.trim().to_owned(), Style::Text);
    }
    if calls {
        add(
            labels.next,
            brief.command.clone().unwrap_or_else(|| "oc-escalate status".into()),
            Style::Verbatim,
        );
    }
    if let Some(story) = &news.story {
        add(labels.tried, tried(words, &story.steps), Style::Text);
    }
    for edit in news.edits.iter().take(EDITS) {
        add(
            labels.changed,
            format!("{}\n{}", edit.text, edit.diff).trim().to_owned(),
            Style::Verbatim,
        );
        add(labels.undo, edit.undo.clone(), Style::Verbatim);
    }
    if calls {
        let proposed: Vec<&str> = brief.proposed.iter().take(STEPS).map(String::as_str).collect();
        add(labels.proposed, proposed.join("\n"), Style::Verbatim);
        let evidence = [&brief.evidence, &brief.report]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join("\n");
        add(labels.evidence, evidence, Style::Verbatim);
        add(labels.log, desk.paths.log().display().to_string(), Style::Verbatim);
    }
    if brief.held > 0 {
        add(labels.held, words.held(brief.held), Style::Text);
    }
    facts
}

fn tried(words: &dyn Words, steps: &[Step]) -> String {
    let skipped = steps.len().saturating_sub(STEPS);
    let mut lines: Vec<String> = steps.iter().skip(skipped).map(|step| words.step(step)).collect();
    if skipped > 0 {
        lines.insert(0, words.more_steps(skipped));
    }
    lines.join("\n")
}

/// A notice of oc-escalate.
pub(crate) fn notice(desk: &Desk, key: &str, severity: Severity, text: &str, command: Option<&str>) -> Message {
    let words = words(desk.config.language);
    let event = if key == crate::rules::FLAPPING {
        Event::Flapping
    } else {
        Event::Warning
    };
    let mut message = desk.blank(event, severity, key);
    message.id = format!("{}/{}", message.key, desk.now.wall_ms);
    message.title = words.warning(&message.service, key);
    message.text = text.to_owned();
    if let Some(command) = command {
        message.facts.push(Fact {
            name: words.labels().next.into(),
            value: command.into(),
            style: Style::Verbatim,
        });
    }
    message
}

/// One message in place of many that waited too long.
pub(crate) fn summary(
    desk: &Desk,
    lines: &[(String, String)],
    count: u32,
    (from, to): (&str, &str),
    severity: Severity,
) -> Message {
    let mut message = desk.blank(Event::Summary, severity, "summary");
    message.id = format!("{}/{from}/{count}", message.key);
    let (title, text) = words(desk.config.language).summary(&message.service, count, from, to);
    let listed: Vec<String> = lines.iter().map(|(at, title)| format!("• {at} {title}")).collect();
    (message.title, message.text) = (title, format!("{text}\n\n{}", listed.join("\n")));
    message
}

/// A channel does not work any more.
pub(crate) fn channel_off(desk: &Desk, channel: &str, why: &str) -> Message {
    let words = words(desk.config.language);
    let mut message = desk.blank(Event::ChannelOff, Severity::Warning, &format!("channel/{channel}"));
    message.id = format!("{}/{}", message.key, desk.now.wall_ms / 86_400_000);
    (message.title, message.text) = words.channel_off(channel, why);
    let value = format!("oc-notify test {channel}");
    message.facts.push(Fact {
        name: words.labels().next.into(),
        value,
        style: Style::Verbatim,
    });
    message
}

/// Incidents that were healed before they were told.
pub(crate) fn quick(desk: &Desk, quick: &[Quick]) -> Message {
    let words = words(desk.config.language);
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for one in quick {
        let name = one.class.map_or("?", |class| words.class(class));
        *classes.entry(name.to_owned()).or_default() += 1;
    }
    let mut classes: Vec<(String, usize)> = classes.into_iter().collect();
    classes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut message = desk.blank(Event::Digest, Severity::Info, "quick");
    message.id = format!("{}/{}", message.key, desk.now.wall_ms / 1000);
    (message.title, message.text) = words.quick(&message.service, quick.len(), &classes);
    message
}

/// The healing lock is held for longer than any pass should take.
pub(crate) fn busy(desk: &Desk, who: &str, since: Duration) -> Message {
    let mut message = desk.blank(Event::Warning, Severity::Warning, "busy");
    message.id = format!("{}/{}", message.key, desk.now.wall_ms / 1000);
    (message.title, message.text) = words(desk.config.language).busy(&message.service, who, since);
    message
}

/// Nothing can be written down, hence nothing is healed.
pub(crate) fn unwritable(desk: &Desk, why: &str) -> Message {
    let mut message = desk.blank(Event::Warning, Severity::Critical, "unwritable");
    message.id = format!("{}/{}", message.key, desk.now.wall_ms / 1000);
    (message.title, message.text) = words(desk.config.language).unwritable(&message.service, why);
    message
}

/// `oc-notify test`.
pub(crate) fn test(desk: &Desk, channel: &str) -> Message {
    let mut message = desk.blank(Event::Test, Severity::Info, "test");
    message.id = format!("{}/{channel}/{}", message.key, desk.now.wall_ms);
    (message.title, message.text) = words(desk.config.language).test(&message.service, channel);
    message
}

/// The daily or weekly digest, written by oc-report.
pub(crate) fn digest(desk: &Desk, text: &str) -> Message {
    let mut message = desk.blank(Event::Digest, Severity::Info, "digest");
    message.id = format!("{}/{}", message.key, desk.now.wall_ms / 3_600_000);
    message.title = words(desk.config.language).digest_title(&message.service);
    message.text = text.to_owned();
    message
}

/// What was changed by a doctor run, from its answer; `None` when nothing was (or it was undone).
pub(crate) fn edit(text: String, diff: &str, generation: Option<&str>) -> Edit {
    let diff = crate::channels::limits::cut(diff, 1500, crate::channels::limits::Unit::Chars);
    let undo = match generation {
        Some(generation) => format!("oc-doctor rollback {generation}"),
        None => "oc-doctor generations".to_owned(),
    };
    Edit { text, diff, undo }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_know_every_class() {
        for class in Class::ALL {
            let (en, ko) = (en::English.class(class), ko::Korean.class(class));
            assert!(!en.is_empty() && en.is_ascii(), "{class}");
            assert!(ko.chars().any(|c| ('가'..='힣').contains(&c)), "{class}: {ko}");
        }
    }
}
