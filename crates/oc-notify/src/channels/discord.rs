//! Discord webhook, API v10. The opening message of an incident is edited as the incident goes on; what a person must
//! notice is posted as well, for an edit makes no sound.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, checked, clamped, judge_http, reason, sign};
use crate::message::{Event, Fact, Message, Severity, Style};
use oc_core::config::Notify;
use serde_json::{Value, json};
use std::time::Duration;

/// Discord documents characters; UTF-16 units are never fewer.
const UNIT: Unit = Unit::Utf16;
const CONTENT: usize = 2000;
const TITLE: usize = 256;
const DESCRIPTION: usize = 4096;
const FIELDS: usize = 25;
const FIELD_NAME: usize = 256;
const FIELD_VALUE: usize = 1024;
/// Over all texts of all embeds.
const TOTAL: usize = 6000;
/// Of the total, for the fields: the description keeps the rest.
const FIELDS_TOTAL: usize = 3600;

struct Discord {
    /// `https://discord.com/api/v10/webhooks/ID/TOKEN`, without a query.
    url: String,
}

pub(super) fn from(settings: &Notify) -> Built {
    let url = settings.discord.webhook_url.as_ref()?;
    Some(checked(url.expose()).map(|url| Box::new(Discord { url: pinned(&url) }) as Box<dyn Channel>))
}

/// The version decides whether `retry_after` means seconds or milliseconds, so it is pinned.
fn pinned(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    let Some((base, rest)) = url.split_once("/api/") else {
        return url.to_owned();
    };
    let rest = match rest.split_once('/') {
        Some((version, rest)) if version.starts_with('v') && version[1..].bytes().all(|b| b.is_ascii_digit()) => rest,
        _ => rest,
    };
    format!("{base}/api/v10/{rest}")
}

impl Channel for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let message = letter.message;
        let post = Request::post(format!("{}?wait=true", self.url), payload(message, letter.plain));
        let Some(id) = letter.thread else {
            return vec![Call::Http(post)];
        };
        let edit = Request {
            method: "PATCH",
            url: oc_core::config::Secret::new(format!("{}/messages/{id}", self.url)),
            headers: Vec::new(),
            body: payload(message, letter.plain),
            best_effort: true,
        };
        match message.event {
            Event::Escalated | Event::Changed => vec![Call::Http(Request {
                best_effort: false,
                ..edit
            })],
            Event::Reminder => vec![Call::Http(post)],
            _ => vec![Call::Http(post), Call::Http(edit)],
        }
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let why = reason(answer, body["message"].as_str().unwrap_or(""));
        match answer.status {
            200..=299 => Verdict::Delivered(body["id"].as_str().map(str::to_owned)),
            404 if body["code"] == 10008 => Verdict::ThreadGone,
            429 => Verdict::Later {
                after: asked(&body).or_else(|| super::retry_after(answer.retry_after.as_deref())),
                why,
            },
            _ => judge_http(answer, why),
        }
    }

    fn address(&self) -> String {
        self.url.clone()
    }
}

fn asked(body: &Value) -> Option<Duration> {
    clamped(body["retry_after"].as_f64()?)
}

fn payload(message: &Message, plain: bool) -> Value {
    // Nobody is pinged by what a log line says.
    let nobody = json!({"parse": []});
    if plain {
        let text = format!(
            "{} {}\n{}",
            sign(message),
            escaped(&message.title),
            escaped(&message.body())
        );
        return json!({"content": cut(&text, CONTENT, UNIT), "embeds": [], "allowed_mentions": nobody});
    }
    let title = cut(&format!("{} {}", sign(message), escaped(&message.title)), TITLE, UNIT);
    let footer = cut(
        &format!("{} · {} · {}", message.host, message.instance, message.key),
        512,
        UNIT,
    );
    let (fields, used) = fields(&message.facts);
    let room = TOTAL - UNIT.measure(&title) - UNIT.measure(&footer) - used;
    let description = cut(&escaped(&message.text), DESCRIPTION.min(room), UNIT);
    json!({
        "content": "",
        "embeds": [{
            "title": title,
            "description": description,
            "color": colour(message),
            "fields": fields,
            "footer": {"text": footer},
            "timestamp": message.at,
        }],
        "allowed_mentions": nobody,
    })
}

fn fields(facts: &[Fact]) -> (Vec<Value>, usize) {
    let (mut fields, mut used) = (Vec::new(), 0);
    for fact in facts.iter().take(FIELDS) {
        let name = cut(&escaped(&fact.name), FIELD_NAME, UNIT);
        let room = FIELDS_TOTAL.saturating_sub(used + UNIT.measure(&name)).min(FIELD_VALUE);
        if room < 64 {
            break;
        }
        let value = match fact.style {
            Style::Text => cut(&escaped(&fact.value), room, UNIT),
            Style::Verbatim => {
                // A fence within the text would end ours.
                let inner = fact.value.replace("```", "'''");
                format!("```\n{}\n```", cut(inner.trim_end(), room - 8, UNIT))
            }
        };
        if value.trim().is_empty() {
            continue;
        }
        used += UNIT.measure(&name) + UNIT.measure(&value);
        fields.push(json!({"name": name, "value": value, "inline": false}));
    }
    (fields, used)
}

/// The predecessor's colours.
fn colour(message: &Message) -> u32 {
    match (message.event, message.severity) {
        (Event::Healed, _) | (_, Severity::Info) => 3_066_993,
        (_, Severity::Warning) => 16_776_960,
        (_, Severity::Critical) => 15_158_332,
    }
}

/// Markdown would hide parts of a log line and make masked links live.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if matches!(c, '\\' | '*' | '_' | '~' | '`' | '|' | '>' | '#' | '[' | ']' | '<') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{hostile, sample};
    use oc_core::redact::Redactor;

    #[test]
    fn the_version_is_pinned() {
        for url in [
            "https://discord.com/api/webhooks/1/t",
            "https://discord.com/api/v6/webhooks/1/t/?wait=false",
            "https://discord.com/api/v10/webhooks/1/t",
        ] {
            assert_eq!(pinned(url), "https://discord.com/api/v10/webhooks/1/t");
        }
        assert_eq!(
            pinned("http://127.0.0.1:1/api/webhooks/1/v6"),
            "http://127.0.0.1:1/api/v10/webhooks/1/v6"
        );
    }

    #[test]
    fn no_text_is_refused_for_its_size() {
        for text in hostile() {
            let mut message = sample();
            message.title = text.clone();
            message.text = text.clone();
            message.facts = (0..40)
                .map(|n| Fact {
                    name: text.chars().take(300).collect(),
                    value: text.clone(),
                    style: if n % 2 == 0 { Style::Text } else { Style::Verbatim },
                })
                .collect();
            let sealed = message.seal(&Redactor::patterns());
            let value = payload(sealed.message(), false);
            let embed = &value["embeds"][0];
            let size = |v: &Value| UNIT.measure(v.as_str().unwrap());
            let fields = embed["fields"].as_array().unwrap();
            let mut total = size(&embed["title"]) + size(&embed["description"]) + size(&embed["footer"]["text"]);
            assert!(
                size(&embed["title"]) <= TITLE && size(&embed["description"]) <= DESCRIPTION && fields.len() <= FIELDS
            );
            for field in fields {
                assert!(size(&field["name"]) <= FIELD_NAME && (1..=FIELD_VALUE).contains(&size(&field["value"])));
                total += size(&field["name"]) + size(&field["value"]);
            }
            assert!(total <= TOTAL, "{total}");
            assert_eq!(value["allowed_mentions"]["parse"], json!([]));
            let plain = payload(sealed.message(), true);
            assert!(size(&plain["content"]) <= CONTENT);
        }
    }

    #[test]
    fn answers_of_the_api() {
        let discord = Discord { url: String::new() };
        let judge = |status, body: &str| {
            discord.judge(&Answer {
                status,
                body: body.into(),
                retry_after: None,
            })
        };
        assert_eq!(judge(200, r#"{"id":"42"}"#), Verdict::Delivered(Some("42".into())));
        assert!(
            matches!(judge(404, r#"{"message":"Unknown Webhook","code":10015}"#), Verdict::Off(why) if why.contains("Unknown Webhook"))
        );
        assert_eq!(
            judge(404, r#"{"message":"Unknown Message","code":10008}"#),
            Verdict::ThreadGone
        );
        assert!(
            matches!(judge(429, r#"{"message":"limited","retry_after":0.5,"global":false}"#),
            Verdict::Later { after: Some(t), .. } if t == Duration::from_secs(1))
        );
        assert!(matches!(
            judge(400, r#"{"code":50035,"errors":{}}"#),
            Verdict::Refused(_)
        ));
        assert!(matches!(judge(502, "<html>"), Verdict::Later { .. }));
    }

    #[test]
    fn what_makes_no_sound_is_edited_and_what_must_be_noticed_is_posted_too() {
        let discord = Discord {
            url: "https://d/api/v10/webhooks/1/t".into(),
        };
        let methods = |event| {
            let message = Message { event, ..sample() };
            let letter = Letter {
                message: &message,
                thread: Some("7"),
                plain: false,
                moved: None,
            };
            discord
                .calls(&letter)
                .iter()
                .map(|call| match call {
                    Call::Http(request) => request.method,
                    Call::Program { .. } => "",
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(methods(Event::Escalated), ["PATCH"]);
        assert_eq!(methods(Event::NeedsYou), ["POST", "PATCH"]);
        assert_eq!(methods(Event::Healed), ["POST", "PATCH"]);
        assert_eq!(methods(Event::Reminder), ["POST"]);
    }
}
