//! ntfy, in its JSON form: the header form cannot carry anything but Latin-1.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, checked, judge_http, reason};
use crate::message::{Event, Message, Severity};
use oc_core::config::{Notify, Secret};
use serde_json::{Value, json};

/// Bytes; what is longer becomes an attachment.
const MESSAGE: usize = 4096;
/// Bytes; servers from 2.28 on refuse more than 1 KB.
const TITLE: usize = 250;

struct Ntfy {
    base: String,
    topic: String,
    token: Option<Secret>,
}

pub(super) fn from(settings: &Notify) -> Built {
    let url = settings.ntfy.url.as_ref()?;
    let token = settings.ntfy.token.clone();
    Some(checked(url.expose()).and_then(|url| {
        let url = url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let (base, topic) = url
            .rsplit_once('/')
            .filter(|(base, _)| !base.ends_with('/'))
            .ok_or("its address names no topic; write it like https://ntfy.sh/my-topic")?;
        let (base, topic) = (format!("{base}/"), topic.to_owned());
        Ok(Box::new(Ntfy { base, topic, token }) as Box<dyn Channel>)
    }))
}

impl Channel for Ntfy {
    fn name(&self) -> &'static str {
        "ntfy"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let mut request = Request::post(self.base.as_str(), payload(letter.message, &self.topic));
        if let Some(token) = &self.token {
            request
                .headers
                .push(("Authorization", Secret::new(format!("Bearer {}", token.expose()))));
        }
        vec![Call::Http(request)]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let why = reason(answer, body["error"].as_str().unwrap_or(""));
        match (answer.status, body["code"].as_u64()) {
            // 40009: the topic's name is not allowed.
            (400, Some(40009)) => Verdict::Off(why),
            _ => judge_http(answer, why),
        }
    }

    fn address(&self) -> String {
        format!("{}{}", self.base, self.topic)
    }
}

fn payload(message: &Message, topic: &str) -> Value {
    let (priority, tag) = match (message.event, message.severity) {
        (Event::Healed, _) => (3, "white_check_mark"),
        (_, Severity::Critical) => (5, "rotating_light"),
        (_, Severity::Warning) => (3, "warning"),
        (_, Severity::Info) => (2, "information_source"),
    };
    let body = format!("{}\n\n{} · {}", message.body(), message.host, message.instance);
    json!({
        "topic": topic,
        "title": cut(&message.title, TITLE, Unit::Bytes),
        "message": cut(&body, MESSAGE, Unit::Bytes),
        "priority": priority,
        "tags": [tag],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::{hostile, sample};
    use oc_core::config::Notify;
    use oc_core::redact::Redactor;

    #[test]
    fn the_limit_is_in_bytes() {
        for text in hostile() {
            let mut message = sample();
            message.title = text.clone();
            message.text = text;
            let sealed = message.seal(&Redactor::patterns());
            let value = payload(sealed.message(), "t");
            assert!(value["message"].as_str().unwrap().len() <= MESSAGE);
            assert!((1..=TITLE).contains(&value["title"].as_str().unwrap().len()));
        }
    }

    #[test]
    fn the_address_is_server_and_topic() {
        let with = |url: &str| {
            let mut settings = Notify::default();
            settings.ntfy.url = Some(Secret::new(url));
            from(&settings).unwrap().map(|c| c.address())
        };
        assert_eq!(with("https://ntfy.sh/top/").unwrap(), "https://ntfy.sh/top");
        assert_eq!(with("https://host/sub/top").unwrap(), "https://host/sub/top");
        assert!(with("https://ntfy.sh").is_err());
        assert!(with("https://ntfy.sh/").is_err());
    }

    #[test]
    fn answers_of_the_api() {
        let ntfy = Ntfy {
            base: String::new(),
            topic: String::new(),
            token: None,
        };
        let judge = |status, body: &str| {
            ntfy.judge(&Answer {
                status,
                body: body.into(),
                retry_after: None,
            })
        };
        assert!(
            matches!(judge(429, r#"{"code":42901,"http":429,"error":"limit reached: too many requests, please be nice"}"#),
            Verdict::Later { why, .. } if why.contains("be nice"))
        );
        assert!(matches!(
            judge(401, r#"{"code":40101,"error":"unauthorized"}"#),
            Verdict::Off(_)
        ));
        assert!(matches!(
            judge(403, r#"{"code":40301,"error":"forbidden"}"#),
            Verdict::Off(_)
        ));
        assert!(matches!(
            judge(400, r#"{"code":40009,"error":"invalid topic"}"#),
            Verdict::Off(_)
        ));
        assert!(matches!(judge(200, r#"{"id":"x"}"#), Verdict::Delivered(None)));
    }
}
