//! What is told, before any channel gives it its own form.

use oc_core::redact::{Redactor, clean};
use serde::{Deserialize, Serialize};

/// As many times what is kept is looked at at all: more is no message.
const READ_FACTOR: usize = 16;
/// Characters of the text that are kept. No channel takes more than 4,096; the webhook and `exec` take all of it.
const TEXT_CAP: usize = 16_000;
/// Characters of one fact that are kept.
const FACT_CAP: usize = 4_000;
/// Characters of the title that are kept.
const TITLE_CAP: usize = 250;

/// How urgent it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Should be looked at.
    Warning,
    /// Needs a person.
    Critical,
}

impl Severity {
    /// As in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What kind of news it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// An incident lasts.
    Opened,
    /// It reached a higher rung.
    Escalated,
    /// Something was changed by us.
    Changed,
    /// The ladder is at its end.
    NeedsYou,
    /// It still is.
    Reminder,
    /// The incident is over.
    Healed,
    /// Something a person should know that is no incident.
    Warning,
    /// It fails again and again.
    Flapping,
    /// What happened in a while, in one message.
    Digest,
    /// Messages that waited too long, in one.
    Summary,
    /// A channel was switched off.
    ChannelOff,
    /// `oc-notify test`.
    Test,
    /// `oc-notify send`.
    Note,
}

impl Event {
    /// True for the news of one incident, which belong into one thread.
    #[must_use]
    pub const fn of_incident(self) -> bool {
        matches!(
            self,
            Self::Opened | Self::Escalated | Self::Changed | Self::NeedsYou | Self::Reminder | Self::Healed
        )
    }
}

/// How a fact is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Prose.
    Text,
    /// To be copied or read verbatim: a command, a path, a diff, lines of a log.
    Verbatim,
}

/// One named piece of information.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub name: String,
    /// The information.
    pub value: String,
    /// How to show it.
    pub style: Style,
}

/// One message to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Idempotence key: the same message has the same id however often it is delivered.
    pub id: String,
    /// What it is about; messages with the same key belong together.
    pub key: String,
    /// What kind of news.
    pub event: Event,
    /// How urgent.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What happened.
    pub text: String,
    /// What else a person needs.
    pub facts: Vec<Fact>,
    /// When it was written, RFC 3339.
    pub at: String,
    /// Of which machine.
    pub host: String,
    /// Of which instance.
    pub instance: String,
    /// What the service is called.
    pub service: String,
    /// The failure class, for incidents.
    pub class: Option<String>,
    /// The incident, if any.
    pub incident: Option<String>,
}

/// A message that may leave: without secrets, control characters and excess. The outbox takes no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(Message);

impl Sealed {
    /// The message.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.0
    }
}

impl Message {
    /// Makes it fit to leave this machine.
    #[must_use]
    pub fn seal(mut self, redactor: &Redactor) -> Sealed {
        let fit = |text: &str, cap: usize| fit(text, cap, redactor);
        self.title = fit(&self.title, TITLE_CAP)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        if self.title.is_empty() {
            self.title = self.service.clone();
        }
        self.text = fit(&self.text, TEXT_CAP);
        self.key = fit(&self.key, TITLE_CAP);
        self.id = fit(&self.id, 2 * TITLE_CAP);
        for fact in &mut self.facts {
            fact.value = fit(&fact.value, FACT_CAP);
        }
        self.facts.retain(|fact| !fact.value.trim().is_empty());
        Sealed(self)
    }

    /// Everything as plain text, without the title.
    #[must_use]
    pub fn body(&self) -> String {
        let mut out = self.text.trim_end().to_owned();
        for fact in &self.facts {
            let gap = if out.is_empty() { "" } else { "\n\n" };
            let sep = if fact.value.contains('\n') || fact.style == Style::Verbatim {
                "\n"
            } else {
                " "
            };
            out.push_str(&format!("{gap}{}:{sep}{}", fact.name, fact.value.trim_end()));
        }
        out
    }
}

/// Redacted before it is cut: half of a secret would not be recognised.
fn fit(text: &str, cap: usize, redactor: &Redactor) -> String {
    let text = &text[..text.floor_char_boundary(cap.saturating_mul(READ_FACTOR))];
    let cleaned = clean(text);
    let redacted = redactor.redact(&cleaned);
    crate::channels::limits::cut(redacted.trim_matches('\n'), cap, crate::channels::limits::Unit::Chars)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A message with everything in it.
    pub(crate) fn sample() -> Message {
        Message {
            id: "default/20260227T203252-0001/1".into(),
            key: "default/20260227T203252-0001".into(),
            event: Event::NeedsYou,
            severity: Severity::Critical,
            title: "OpenClaw gateway needs you".into(),
            text: "The gateway does not start: `gateway.mode` is missing.".into(),
            facts: vec![
                Fact {
                    name: "Tried".into(),
                    value: "restart: failed\ndoctor: failed".into(),
                    style: Style::Text,
                },
                Fact {
                    name: "Next".into(),
                    value: "oc-doctor fix --verify".into(),
                    style: Style::Verbatim,
                },
            ],
            at: "2026-02-27T20:36:05.000Z".into(),
            host: "mac-mini".into(),
            instance: "default".into(),
            service: "OpenClaw gateway".into(),
            class: Some("config_invalid".into()),
            incident: Some("20260227T203252-0001".into()),
        }
    }

    /// Text that breaks careless programs.
    pub(crate) fn hostile() -> Vec<String> {
        let all: String = (0..0x250u32).filter_map(char::from_u32).collect();
        vec![
            String::new(),
            "\"quotes\" 'single' \\backslash\\ `ticks` ```fence```\nline\r\n\ttab".into(),
            "@everyone @here <!channel> <@U123> <#C1|x> &amp; [x](http://evil.example) ||spoiler||".into(),
            "*bold* _it_ ~s~ > quote # head - list 1. one |pipe| {json: [1,2]} %s $(touch x) ${HOME}".into(),
            "👩‍👩‍👧‍👦🇰🇷한국어 é\u{202e}evil\u{0}\u{7}\x1b[31mred".into(),
            "👩‍👩‍👧‍👦".repeat(20_000),
            "한".repeat(50_000),
            "\\*".repeat(30_000),
            "x".repeat(10 << 20),
            "\n".repeat(9_000),
            all,
        ]
    }

    #[test]
    fn nothing_secret_hidden_or_endless_leaves() {
        let redactor = Redactor::new([("DISCORD_WEBHOOK_URL", "https://discord.com/api/webhooks/1/s3cr3t-token")]);
        for text in hostile() {
            let mut message = sample();
            message.title = format!("{text} https://discord.com/api/webhooks/1/s3cr3t-token");
            message.text = format!("https://discord.com/api/webhooks/1/s3cr3t-token {text}");
            message.facts[0].value = text;
            let sealed = message.seal(&redactor);
            let json = serde_json::to_string(&sealed).unwrap();
            assert!(!json.contains("s3cr3t-token") && !json.contains("\\u001b") && !json.contains('\u{202e}'));
            assert!(json.len() < 200_000, "{}", json.len());
            assert!(!sealed.message().title.is_empty() && !sealed.message().title.contains('\n'));
        }
    }
}
