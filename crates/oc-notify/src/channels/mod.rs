//! The channels. Each file knows one API: how a message looks there, its limits in the API's own unit, and what its
//! answers mean. All of it is pure; [`wire`] is the one place that talks to the outside.

mod alertmanager;
mod desktop;
mod discord;
mod exec;
pub mod limits;
mod ntfy;
mod slack;
mod telegram;
mod webhook;
pub mod wire;

use crate::message::{Message, Severity};
use oc_core::config::{Notify, Secret};
use serde_json::Value;
use std::time::Duration;

/// A request, or a program to start.
#[derive(Debug, Clone)]
pub enum Call {
    /// An HTTP request.
    Http(Request),
    /// A program that gets the message on its standard input.
    Program {
        /// Program and arguments; never a secret among them.
        argv: Vec<String>,
        /// Its standard input.
        stdin: Vec<u8>,
    },
}

/// An HTTP request with a JSON body.
#[derive(Debug, Clone)]
pub struct Request {
    /// POST or PATCH.
    pub method: &'static str,
    /// Where to; may carry a token.
    pub url: Secret,
    /// Beside the content type.
    pub headers: Vec<(&'static str, Secret)>,
    /// The body.
    pub body: Value,
    /// A failure of this request is no failure of the delivery (editing an older message).
    pub best_effort: bool,
}

impl Request {
    fn post(url: impl Into<String>, body: Value) -> Self {
        Self {
            method: "POST",
            url: Secret::new(url),
            headers: Vec::new(),
            body,
            best_effort: false,
        }
    }
}

/// What came back.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// HTTP status, or the exit code of a program.
    pub status: u16,
    /// The body, as text.
    pub body: String,
    /// The Retry-After header.
    pub retry_after: Option<String>,
}

/// What the answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Taken. Where the API names the message, that name.
    Delivered(Option<String>),
    /// Not now; perhaps after this time.
    Later {
        /// What the API asked for.
        after: Option<Duration>,
        /// Why, in words.
        why: String,
    },
    /// Not this message, in this form.
    Refused(String),
    /// Never at this address: token revoked, webhook deleted.
    Off(String),
    /// The message to be edited is gone; a new one is to be posted.
    ThreadGone,
    /// The chat lives elsewhere now.
    Moved(String),
}

/// One delivery.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// What to tell.
    pub message: &'a Message,
    /// What the API called the first message of this thread.
    pub thread: Option<&'a str>,
    /// After a refusal: text only, nothing that could be refused again.
    pub plain: bool,
    /// Where the chat moved to.
    pub moved: Option<&'a str>,
}

/// A way to people.
pub trait Channel: Sync + Send {
    /// Its name in config.json, in reports and in the outbox.
    fn name(&self) -> &'static str;
    /// The requests of one delivery; the first decides. Pure.
    fn calls(&self, letter: &Letter<'_>) -> Vec<Call>;
    /// What an answer means. Pure.
    fn judge(&self, answer: &Answer) -> Verdict;
    /// The address, to notice that a person has changed it.
    fn address(&self) -> String;
    /// False for what stays on this machine.
    fn remote(&self) -> bool {
        true
    }
    /// True for what is read by programs, which want the last state of each key rather than a summary.
    fn for_programs(&self) -> bool {
        false
    }
    /// True when it must be told again and again as long as an incident lasts.
    fn expires(&self) -> bool {
        false
    }
}

/// The names of all channels, in the order in which they are tried.
pub const NAMES: [&str; 8] = [
    "discord",
    "slack",
    "telegram",
    "ntfy",
    "webhook",
    "alertmanager",
    "exec",
    "desktop",
];

/// A channel that is configured, or why it cannot be used.
type Built = Option<Result<Box<dyn Channel>, String>>;

/// Everything that is configured, by name, in the order of `notify.channels` (else of [`NAMES`]), and complaints about
/// what cannot be used.
#[must_use]
pub fn configured(settings: &Notify) -> (Vec<Box<dyn Channel>>, Vec<String>) {
    let named = |list: &[String]| list.iter().map(|name| name.to_ascii_lowercase()).collect::<Vec<_>>();
    let mut names = named(&settings.channels);
    if names.is_empty() {
        names = NAMES.iter().map(|name| (*name).to_owned()).collect();
    }
    for name in named(&settings.fallback) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let (mut channels, mut complaints) = (Vec::new(), Vec::new());
    for name in &names {
        match build(name, settings) {
            Some(Ok(channel)) => channels.push(channel),
            Some(Err(why)) => complaints.push(format!("channel {name}: {why}")),
            None if settings.channels.is_empty() && !settings.fallback.contains(name) => {}
            None if NAMES.contains(&name.as_str()) => {
                complaints.push(format!("channel {name} is named in notify.channels but has no address"));
            }
            None => complaints.push(format!("there is no channel {name}; there are: {}", NAMES.join(", "))),
        }
    }
    (channels, complaints)
}

/// One channel; `None` when it is not configured.
#[must_use]
pub fn build(name: &str, settings: &Notify) -> Built {
    match name {
        "discord" => discord::from(settings),
        "slack" => slack::from(settings),
        "telegram" => telegram::from(settings),
        "ntfy" => ntfy::from(settings),
        "webhook" => webhook::from(settings),
        "alertmanager" => alertmanager::from(settings),
        "exec" => exec::from(settings),
        "desktop" => desktop::from(settings),
        _ => None,
    }
}

/// The notification on this machine's own screen, whether or not it is configured: the last resort.
#[must_use]
pub fn last_resort() -> Box<dyn Channel> {
    Box::new(desktop::Desktop)
}

/// `https`, or `http` to this very machine; anything else would send a token in the clear.
fn checked(url: &str) -> Result<String, String> {
    let url = url.trim();
    let (scheme, rest) = url
        .split_once("://")
        .ok_or("its address is no URL; it begins with https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let loopback =
        matches!(name, "localhost" | "::1") || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback());
    match scheme.to_ascii_lowercase().as_str() {
        _ if name.is_empty() => Err("its address names no host".into()),
        "https" => Ok(url.to_owned()),
        "http" if loopback => Ok(url.to_owned()),
        "http" => Err("its address is http; use https (http is accepted for this machine only)".into()),
        other => Err(format!("its address begins with {other}://; use https://")),
    }
}

/// What HTTP statuses mean where an API says nothing more precise.
fn judge_http(answer: &Answer, why: String) -> Verdict {
    match answer.status {
        200..=299 => Verdict::Delivered(None),
        408 | 425 | 429 | 500..=599 => Verdict::Later {
            after: retry_after(answer.retry_after.as_deref()),
            why,
        },
        401 | 403 | 404 | 410 => Verdict::Off(why),
        300..=399 => Verdict::Off(format!("{why}: it answers with a redirect, which is not followed")),
        _ => Verdict::Refused(why),
    }
}

/// "HTTP 404: text of the API", at most one short line. The API's text is foreign: it is cleaned when it is sealed or
/// shown, and never holds the URL that we asked.
fn reason(answer: &Answer, text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = limits::cut(&oc_core::redact::clean(&line), 160, limits::Unit::Chars);
    if line.is_empty() {
        format!("HTTP {}", answer.status)
    } else {
        format!("HTTP {}: {line}", answer.status)
    }
}

/// Seconds (also with a fraction), or an HTTP date. Bounded: a broken header must not silence a channel for a year.
fn retry_after(header: Option<&str>) -> Option<Duration> {
    let text = header?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return clamped(seconds);
    }
    let date = jiff::fmt::rfc2822::parse(text).ok()?;
    let now = oc_core::clock::Stamp::now().wall_ms;
    clamped((date.timestamp().as_millisecond() - now) as f64 / 1000.0)
}

/// A wait of 1 s to 15 min.
fn clamped(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(if seconds.is_finite() {
        seconds.clamp(1.0, 900.0)
    } else {
        900.0
    })
    .ok()
}

/// A sign for the severity and the kind of news, for channels without colour.
fn sign(message: &Message) -> &'static str {
    use crate::message::Event;
    match (message.event, message.severity) {
        (Event::Healed, _) => "✅",
        (_, Severity::Critical) => "🚨",
        (_, Severity::Warning) => "⚠️",
        (_, Severity::Info) => "ℹ️",
    }
}

/// The message as JSON: the webhook's body and the standard input of `exec`.
fn as_json(message: &Message) -> Value {
    let mut value = serde_json::to_value(message).unwrap_or(Value::Null);
    if let Some(object) = value.as_object_mut() {
        object.insert("schema".into(), "oc.message/1".into());
        object.insert("body".into(), message.body().into());
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        for url in [
            "https://x.example/y",
            "http://127.0.0.1:1/x",
            "http://localhost/x",
            "http://[::1]:9/x",
            "http://127.9.9.9/",
        ] {
            assert!(checked(url).is_ok(), "{url}");
        }
        for url in [
            "http://x.example/",
            "http://127.0.0.1.evil.example/",
            "http://user@evil.example/",
            "ftp://x/",
            "x",
            "https://",
            "http://localhost@evil.example/",
        ] {
            assert!(checked(url).is_err(), "{url}");
        }
    }

    #[test]
    fn retry_after_is_bounded_whatever_it_says() {
        assert_eq!(retry_after(Some("2")), Some(Duration::from_secs(2)));
        assert_eq!(retry_after(Some("0.35")), Some(Duration::from_secs(1)));
        assert_eq!(retry_after(Some("1e99")), Some(Duration::from_secs(900)));
        assert_eq!(retry_after(Some("-5")), Some(Duration::from_secs(1)));
        assert_eq!(
            retry_after(Some("Wed, 21 Oct 2015 07:28:00 GMT")),
            Some(Duration::from_secs(1))
        );
        assert_eq!(
            retry_after(Some("Mon, 21 Oct 2915 07:28:00 GMT")),
            Some(Duration::from_secs(900))
        );
        assert_eq!(retry_after(Some("NaN")), Some(Duration::from_secs(900)));
        assert_eq!(retry_after(Some("soon")), None);
        assert_eq!(retry_after(None), None);
    }

    #[test]
    fn every_status_has_a_meaning() {
        let verdict = |status| {
            judge_http(
                &Answer {
                    status,
                    ..Answer::default()
                },
                "w".into(),
            )
        };
        assert_eq!(verdict(204), Verdict::Delivered(None));
        for status in [408, 425, 429, 500, 503, 599] {
            assert!(matches!(verdict(status), Verdict::Later { .. }), "{status}");
        }
        for status in [301, 302, 401, 403, 404, 410] {
            assert!(matches!(verdict(status), Verdict::Off(_)), "{status}");
        }
        for status in [400, 413, 415, 422, 999] {
            assert!(matches!(verdict(status), Verdict::Refused(_)), "{status}");
        }
    }
}
