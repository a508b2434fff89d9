//! Telegram bot. No parse mode: nothing in a log line can break the message. The messages of an incident answer its
//! first one.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, checked, clamped, judge_http, reason, sign};
use crate::message::{Message, Severity};
use oc_core::config::Notify;
use serde_json::{Value, json};

/// UTF-16 code units.
const TEXT: usize = 4096;

struct Telegram {
    /// `https://api.telegram.org/botTOKEN/sendMessage`.
    url: String,
    chat: String,
}

pub(super) fn from(settings: &Notify) -> Built {
    let token = settings.telegram.bot_token.as_ref()?;
    let base = settings
        .telegram
        .api_url
        .as_deref()
        .unwrap_or("https://api.telegram.org");
    let Some(chat) = settings.telegram.chat_id.clone() else {
        return Some(Err(
            "the bot has a token but no chat; set TELEGRAM_CHAT_ID or notify.telegram.chat_id".into(),
        ));
    };
    let built = checked(base).map(|base| {
        let url = format!("{}/bot{}/sendMessage", base.trim_end_matches('/'), token.expose());
        Box::new(Telegram { url, chat }) as Box<dyn Channel>
    });
    Some(built)
}

impl Channel for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let chat = letter.moved.unwrap_or(&self.chat);
        let mut body = payload(letter.message, chat);
        if let Some(id) = letter
            .thread
            .filter(|_| !letter.plain)
            .and_then(|id| id.parse::<i64>().ok())
        {
            body["reply_parameters"] = json!({"message_id": id, "allow_sending_without_reply": true});
        }
        vec![Call::Http(Request::post(self.url.as_str(), body))]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let text = body["description"].as_str().unwrap_or("");
        let why = reason(answer, text);
        if body["ok"] == true && answer.status == 200 {
            return Verdict::Delivered(body["result"]["message_id"].as_i64().map(|id| id.to_string()));
        }
        if let Some(chat) = body["parameters"]["migrate_to_chat_id"].as_i64() {
            return Verdict::Moved(chat.to_string());
        }
        match answer.status {
            // 200 without "ok" is a captive portal or a proxy, not Telegram.
            200..=299 => Verdict::Later { after: None, why },
            429 => {
                let asked = body["parameters"]["retry_after"].as_f64().and_then(clamped);
                Verdict::Later {
                    after: asked.or_else(|| super::retry_after(answer.retry_after.as_deref())),
                    why,
                }
            }
            400 if text.contains("chat not found") || text.contains("user is deactivated") => Verdict::Off(why),
            _ => judge_http(answer, why),
        }
    }

    fn address(&self) -> String {
        format!("{} {}", self.url, self.chat)
    }
}

fn payload(message: &Message, chat: &str) -> Value {
    let text = format!(
        "{} {}\n\n{}\n\n{} · {}",
        sign(message),
        message.title,
        message.body(),
        message.host,
        message.instance
    );
    let text = if Unit::Utf16.measure(&text) > TEXT {
        format!("{} {}\n\n{}", sign(message), message.title, message.body())
    } else {
        text
    };
    json!({
        "chat_id": chat,
        "text": cut(&disarmed(&text), TEXT, Unit::Utf16),
        "link_preview_options": {"is_disabled": true},
        "disable_notification": message.severity == Severity::Info,
    })
}

/// `@name` would notify that person even without a parse mode; a word joiner behind the sign prevents it.
fn disarmed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        // Within a word (an address, a package with its version) it is no mention.
        if c == '@' && !before.is_alphanumeric() && chars.peek().is_some_and(|next| next.is_ascii_alphanumeric()) {
            out.push('\u{2060}');
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{hostile, sample};
    use oc_core::redact::Redactor;

    fn telegram() -> Telegram {
        Telegram {
            url: "https://t/botT/sendMessage".into(),
            chat: "-1".into(),
        }
    }

    #[test]
    fn the_limit_is_utf16_and_mentions_are_disarmed() {
        for text in hostile() {
            let mut message = sample();
            message.text = text;
            let sealed = message.seal(&Redactor::patterns());
            let value = payload(sealed.message(), "-1");
            let sent = value["text"].as_str().unwrap();
            assert!((1..=TEXT).contains(&Unit::Utf16.measure(sent)));
            assert!(!sent.contains("@everyone"));
            assert!(value.get("parse_mode").is_none());
        }
        assert_eq!(
            disarmed("npm i openclaw@latest me@x.org"),
            "npm i openclaw@latest me@x.org"
        );
    }

    #[test]
    fn answers_of_the_api() {
        let judge = |status, body: &str| {
            telegram().judge(&Answer {
                status,
                body: body.into(),
                retry_after: None,
            })
        };
        assert_eq!(
            judge(200, r#"{"ok":true,"result":{"message_id":5}}"#),
            Verdict::Delivered(Some("5".into()))
        );
        assert!(matches!(judge(200, "<html>sign in</html>"), Verdict::Later { .. }));
        assert!(
            matches!(judge(429, r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 7","parameters":{"retry_after":7}}"#),
            Verdict::Later { after: Some(t), .. } if t.as_secs() == 7)
        );
        assert_eq!(
            judge(400, r#"{"ok":false,"parameters":{"migrate_to_chat_id":-100}}"#),
            Verdict::Moved("-100".into())
        );
        assert!(matches!(
            judge(400, r#"{"ok":false,"description":"Bad Request: chat not found"}"#),
            Verdict::Off(_)
        ));
        assert!(matches!(
            judge(
                403,
                r#"{"ok":false,"description":"Forbidden: bot was blocked by the user"}"#
            ),
            Verdict::Off(_)
        ));
        assert!(matches!(
            judge(400, r#"{"ok":false,"description":"Bad Request: message is too long"}"#),
            Verdict::Refused(_)
        ));
    }

    #[test]
    fn messages_of_an_incident_answer_its_first_one() {
        let message = sample();
        let letter = Letter {
            message: &message,
            thread: Some("5"),
            plain: false,
            moved: Some("-100"),
        };
        let [Call::Http(request)] = &telegram().calls(&letter)[..] else {
            panic!("one request")
        };
        assert_eq!(request.body["reply_parameters"]["message_id"], 5);
        assert_eq!(request.body["chat_id"], "-100");
    }
}
