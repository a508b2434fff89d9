//! Slack incoming webhook. Blocks of plain text, so that nothing of a log line is read as markup; `text` is what the
//! notification shows.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, checked, judge_http, reason, sign};
use crate::message::{Message, Style};
use oc_core::config::Notify;
use serde_json::{Value, json};

const UNIT: Unit = Unit::Utf16;
/// Slack takes 40,000 and recommends this.
const TEXT: usize = 4000;
const HEADER: usize = 150;
const SECTION: usize = 3000;
const BLOCKS: usize = 50;
/// Undocumented; beyond about 13,200 Slack answers `msg_blocks_too_long`.
const TOTAL: usize = 12_000;

struct Slack {
    url: String,
}

pub(super) fn from(settings: &Notify) -> Built {
    let url = settings.slack.webhook_url.as_ref()?;
    Some(checked(url.expose()).map(|url| Box::new(Slack { url }) as Box<dyn Channel>))
}

impl Channel for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        vec![Call::Http(Request::post(
            self.url.as_str(),
            payload(letter.message, letter.plain),
        ))]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let why = reason(answer, &answer.body);
        let word = answer.body.trim();
        match (answer.status, word) {
            // One bad status for what is wrong with the channel and what is wrong with the message.
            (400, "user_not_found" | "channel_not_found" | "no_service" | "no_team") => Verdict::Off(why),
            _ => judge_http(answer, why),
        }
    }

    fn address(&self) -> String {
        self.url.clone()
    }
}

fn payload(message: &Message, plain: bool) -> Value {
    let title = format!("{} {}", sign(message), message.title);
    let text = cut(&escaped(&format!("{title}\n{}", message.body())), TEXT, UNIT);
    if plain {
        return json!({"text": whole_entities(text)});
    }
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": cut(&title, HEADER, UNIT)}})];
    let mut used = 0;
    if !message.text.trim().is_empty() {
        let text = cut(&message.text, SECTION, UNIT);
        used += UNIT.measure(&text);
        blocks.push(json!({"type": "section", "text": {"type": "plain_text", "text": text}}));
    }
    for fact in &message.facts {
        let section = match fact.style {
            Style::Text => {
                let text = cut(&format!("{}: {}", fact.name, fact.value), SECTION, UNIT);
                json!({"type": "plain_text", "text": text})
            }
            // The only markup: a fence, around escaped text that cannot end it.
            Style::Verbatim => {
                let inner = escaped(&fact.value.replace("```", "'''"));
                let inner = whole_entities(cut(inner.trim_end(), SECTION - 200, UNIT));
                let name = cut(&escaped(&fact.name), 100, UNIT);
                json!({"type": "mrkdwn", "text": format!("{name}\n```{inner}```"), "verbatim": true})
            }
        };
        used += section["text"].as_str().map_or(0, |text| UNIT.measure(text));
        if used > TOTAL || blocks.len() >= BLOCKS - 1 {
            break;
        }
        blocks.push(json!({"type": "section", "text": section}));
    }
    let context = cut(
        &format!("{} · {} · {}", message.host, message.instance, message.at),
        HEADER,
        UNIT,
    );
    blocks.push(json!({"type": "context", "elements": [{"type": "plain_text", "text": context}]}));
    json!({"text": whole_entities(text), "blocks": blocks})
}

/// The three characters Slack gives a meaning; without `<` no mention and no link can be written.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A cut may have gone through `&amp;`: what is left of it goes too.
fn whole_entities(text: String) -> String {
    let Some((kept, marker)) = text.rsplit_once(" … (+") else {
        return text;
    };
    match kept.rfind('&') {
        Some(at) if !kept[at..].contains(';') && kept.len() - at < 5 => format!("{} … (+{marker}", &kept[..at]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fact;
    use crate::message::tests::{hostile, sample};
    use oc_core::redact::Redactor;

    #[test]
    fn limits_hold_and_no_mention_survives() {
        for text in hostile() {
            let mut message = sample();
            message.title = text.clone();
            message.text = text.clone();
            message.facts = (0..80)
                .map(|n| Fact {
                    name: format!("f{n}"),
                    value: text.clone(),
                    style: if n % 2 == 0 { Style::Text } else { Style::Verbatim },
                })
                .collect();
            let sealed = message.seal(&Redactor::patterns());
            let value = payload(sealed.message(), false);
            assert!(UNIT.measure(value["text"].as_str().unwrap()) <= TEXT);
            assert!(!value["text"].as_str().unwrap().contains('<'));
            let blocks = value["blocks"].as_array().unwrap();
            assert!(blocks.len() <= BLOCKS);
            let mut total = 0;
            for block in blocks {
                if let Some(text) = block["text"]["text"].as_str() {
                    assert!(!text.is_empty() && UNIT.measure(text) <= SECTION);
                    assert!(block["text"]["type"] == "plain_text" || !text.contains('<'));
                    total += UNIT.measure(text);
                }
            }
            assert!(total < 13_200, "{total}");
        }
    }

    #[test]
    fn answers_of_the_api() {
        let slack = Slack { url: String::new() };
        let judge = |status, body: &str| {
            slack.judge(&Answer {
                status,
                body: body.into(),
                retry_after: Some("30".into()),
            })
        };
        assert_eq!(judge(200, "ok"), Verdict::Delivered(None));
        assert!(matches!(judge(400, "invalid_payload"), Verdict::Refused(_)));
        for (status, body) in [
            (400, "user_not_found"),
            (403, "invalid_token"),
            (404, "no_service"),
            (410, "channel_is_archived"),
        ] {
            assert!(
                matches!(judge(status, body), Verdict::Off(why) if why.contains(body)),
                "{body}"
            );
        }
        assert!(matches!(judge(429, ""), Verdict::Later { after: Some(t), .. } if t.as_secs() == 30));
        assert!(matches!(judge(500, "rollup_error"), Verdict::Later { .. }));
    }
}
