//! Prometheus Alertmanager, API v2. An alert is a state, not a text: it fires while the incident lasts (and is told
//! again before it expires) and resolves with the same labels.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Request, Verdict, checked, judge_http, reason};
use crate::message::{Event, Message};
use oc_core::clock::{parse_rfc3339, rfc3339};
use oc_core::config::Notify;
use serde_json::{Value, json};

/// An alert that is not told again ends after this time: three passes of the guardian.
const LASTS_MS: i64 = 10 * 60_000;
/// What is no incident does not resolve; it ends by itself.
const NOTE_LASTS_MS: i64 = 60 * 60_000;
const ANNOTATION: usize = 4000;

struct Alertmanager {
    url: String,
}

pub(super) fn from(settings: &Notify) -> Built {
    let url = settings.alertmanager.url.as_ref()?;
    Some(checked(url).map(|url| Box::new(Alertmanager { url }) as Box<dyn Channel>))
}

impl Channel for Alertmanager {
    fn name(&self) -> &'static str {
        "alertmanager"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let url = format!("{}/api/v2/alerts", self.url.trim_end_matches('/'));
        // One alert per request: one that is refused must not take the others with it.
        alerts(letter.message)
            .into_iter()
            .map(|alert| Call::Http(Request::post(url.as_str(), json!([alert]))))
            .collect()
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        let body: Value = serde_json::from_str(&answer.body).unwrap_or(Value::Null);
        let text = body["message"].as_str().or(body.as_str()).unwrap_or("");
        judge_http(answer, reason(answer, text))
    }

    fn for_programs(&self) -> bool {
        true
    }

    fn address(&self) -> String {
        self.url.clone()
    }

    fn expires(&self) -> bool {
        true
    }
}

/// `OpenClawUnhealthy` (warning) lasts as long as the incident; `OpenClawNeedsHuman` (critical) fires beside it once a
/// person is needed. The labels name no incident, so that the same alert fires and resolves.
fn alerts(message: &Message) -> Vec<Value> {
    let now = parse_rfc3339(&message.at).unwrap_or(0);
    let until = |ms: i64| rfc3339(now.saturating_add(ms));
    match message.event {
        Event::Healed => vec![
            alert(message, "OpenClawUnhealthy", "warning", &rfc3339(now)),
            alert(message, "OpenClawNeedsHuman", "critical", &rfc3339(now)),
        ],
        Event::NeedsYou | Event::Reminder => vec![
            alert(message, "OpenClawNeedsHuman", "critical", &until(LASTS_MS)),
            alert(message, "OpenClawUnhealthy", "warning", &until(LASTS_MS)),
        ],
        Event::Opened | Event::Escalated | Event::Changed => {
            vec![alert(message, "OpenClawUnhealthy", "warning", &until(LASTS_MS))]
        }
        _ => {
            let mut note = alert(
                message,
                "OpenClawNotice",
                message.severity.name(),
                &until(NOTE_LASTS_MS),
            );
            note["labels"]["key"] = cut(&message.key, 200, Unit::Chars).into();
            vec![note]
        }
    }
}

fn alert(message: &Message, name: &str, severity: &str, ends: &str) -> Value {
    json!({
        "labels": {
            "alertname": name,
            "severity": severity,
            "service": message.service,
            "instance": message.instance,
            "host": message.host,
        },
        "annotations": {
            "summary": message.title,
            "description": cut(&message.body(), ANNOTATION, Unit::Chars),
            "class": message.class.as_deref().unwrap_or(""),
            "incident": message.incident.as_deref().unwrap_or(""),
        },
        "endsAt": ends,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::sample;

    #[test]
    fn what_fires_resolves_with_the_same_labels() {
        let fired = alerts(&sample());
        let healed = alerts(&Message {
            event: Event::Healed,
            severity: crate::message::Severity::Info,
            ..sample()
        });
        for alert in &fired {
            assert!(healed.iter().any(|h| h["labels"] == alert["labels"]));
            assert!(alert["endsAt"].as_str() > Some(sample().at.as_str()));
        }
        assert!(healed.iter().all(|h| h["endsAt"] == sample().at));
    }

    #[test]
    fn answers_of_the_api() {
        let am = Alertmanager { url: String::new() };
        let judge = |status, body: &str| {
            am.judge(&Answer {
                status,
                body: body.into(),
                retry_after: None,
            })
        };
        assert_eq!(judge(200, ""), Verdict::Delivered(None));
        assert!(
            matches!(judge(400, r#""invalid label set: invalid name \"bad-name\"""#), Verdict::Refused(why) if why.contains("bad-name"))
        );
        assert!(
            matches!(judge(400, r#"{"code":400,"message":"parsing alerts body"}"#), Verdict::Refused(why) if why.contains("parsing"))
        );
    }
}
