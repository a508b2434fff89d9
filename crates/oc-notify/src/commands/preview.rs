//! `--dry-run`: the exact requests, without addresses that are secrets.

use crate::channels::{Call, Letter};
use crate::desk::Desk;
use crate::message::Sealed;
use serde_json::{Value, json};

/// What would be sent, per channel.
pub(super) fn payloads(desk: &Desk, message: &Sealed, channels: &[&str]) -> Vec<Value> {
    let mut shown = Vec::new();
    for name in channels {
        let Some(channel) = desk.channel(name) else { continue };
        let letter = Letter {
            message: message.message(),
            thread: None,
            plain: false,
            moved: None,
        };
        for call in channel.calls(&letter) {
            shown.push(match call {
                Call::Http(request) => json!({
                    "channel": name,
                    "method": request.method,
                    "url": host_only(request.url.expose()),
                    "headers": request.headers.iter().map(|(n, _)| *n).collect::<Vec<_>>(),
                    "payload": request.body,
                }),
                Call::Program { argv, stdin } => json!({
                    "channel": name,
                    "argv": argv.iter().map(|a| desk.redactor.redact(a)).collect::<Vec<_>>(),
                    "payload": serde_json::from_slice::<Value>(&stdin).unwrap_or(Value::Null),
                }),
            });
        }
    }
    shown
}

fn host_only(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return "(set)".into();
    };
    let host = rest.split('/').next().unwrap_or("");
    format!("{scheme}://{}/(set)", host.rsplit('@').next().unwrap_or(""))
}
