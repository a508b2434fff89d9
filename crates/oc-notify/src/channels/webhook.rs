//! Any JSON webhook. With `hmac_secret` the body is signed as GitHub signs its own: `X-Signature-256: sha256=HEX`.

use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, as_json, checked, judge_http, reason};
use oc_core::config::{Notify, Secret};
use ring::hmac;

struct Webhook {
    url: String,
    key: Option<Secret>,
}

pub(super) fn from(settings: &Notify) -> Built {
    let url = settings.webhook.url.as_ref()?;
    let key = settings.webhook.hmac_secret.clone();
    Some(checked(url.expose()).map(|url| Box::new(Webhook { url, key }) as Box<dyn Channel>))
}

impl Channel for Webhook {
    fn name(&self) -> &'static str {
        "webhook"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let mut request = Request::post(self.url.as_str(), as_json(letter.message));
        request.headers.push((
            "Idempotency-Key",
            Secret::new(letter.message.id.replace(|c: char| !c.is_ascii_graphic(), "_")),
        ));
        if let Some(key) = &self.key {
            let signature = sign(key.expose(), request.body.to_string().as_bytes());
            request.headers.push(("X-Signature-256", Secret::new(signature)));
        }
        vec![Call::Http(request)]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        judge_http(answer, reason(answer, &answer.body))
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn address(&self) -> String {
        self.url.clone()
    }
}

fn sign(key: &str, body: &[u8]) -> String {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body);
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::sample;

    #[test]
    fn the_signature_is_over_the_body_that_is_sent() {
        assert_eq!(
            sign("It's a Secret to Everybody", b"Hello, World!"),
            "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            "the example of GitHub's documentation"
        );
        let webhook = Webhook {
            url: "https://x/".into(),
            key: Some(Secret::new("k")),
        };
        let message = sample();
        let letter = Letter {
            message: &message,
            thread: None,
            plain: false,
            moved: None,
        };
        let [Call::Http(request)] = &webhook.calls(&letter)[..] else {
            panic!("one request")
        };
        let sent = request.body.to_string();
        assert_eq!(request.headers[1].1.expose(), sign("k", sent.as_bytes()));
        assert_eq!(request.body["schema"], "oc.message/1");
        assert_eq!(request.body["severity"], "critical");
    }
}
