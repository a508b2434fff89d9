//! `send`: a message of one's own.

use super::{answer, dry, posting, preview};
use crate::desk::Desk;
use crate::message::{Event, Severity};
use crate::outbox::{Held, flush};
use crate::rules;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::run::{Answer, Common};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::time::Duration;

/// Of standard input this much is read; what is shown is far less.
const STDIN_CAP: u64 = 16 << 20;
/// The same message with the same key is told once in this time.
const ONCE: Duration = Duration::from_secs(300);

/// See the module.
///
/// # Errors
/// 64, 74, 77, 78.
pub(crate) fn send(
    common: &Common,
    severity: Severity,
    title: String,
    text: &str,
    key: Option<String>,
) -> Result<Answer> {
    let desk = Desk::open(common)?;
    let text = if text == "-" { stdin()? } else { text.to_owned() };
    let mut hasher = DefaultHasher::new();
    (severity.name(), &title, &text).hash(&mut hasher);
    let content = hasher.finish();
    let mut message = desk.blank(Event::Note, severity, key.as_deref().unwrap_or("note"));
    (message.title, message.text) = (title, text);
    message.id = format!("{}/{content:016x}-{}", message.key, desk.now.wall_ms);
    let once = format!("{}/{content:016x}", message.key);
    if desk.route(severity).is_empty() {
        return Err(nowhere());
    }
    if common.dry_run {
        let key = message.key.clone();
        let sealed = desk.seal(message);
        return dry(
            &desk,
            &key,
            preview::payloads(&desk, &sealed, &desk.route(severity)),
            None,
        );
    }
    let mut held = Held::take(&desk)?;
    if key.is_some() && rules::repeated(&mut held.memory, &once, ONCE, &desk.now) {
        return answer(
            &desk,
            &[],
            Vec::new(),
            Some("the same message was sent less than 5 minutes ago"),
        );
    }
    let Some(posting) = posting(&desk, &mut held.memory, message) else {
        held.save()?;
        return answer(
            &desk,
            &[],
            Vec::new(),
            Some("too many messages within ten minutes; counted, and told with the next one"),
        );
    };
    let id = posting.message.message().id.clone();
    held.post(&[posting])?;
    answer(&desk, &[id], flush(&desk)?, None)
}

/// No channel at all.
pub(super) fn nowhere() -> Fault {
    Fault::config("no notification channel is configured for this").hint(
        "set DISCORD_WEBHOOK_URL (or another channel's address) in ~/.openclaw/.env, or section notify of config.json",
    )
}

fn stdin() -> Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(STDIN_CAP)
        .read_to_end(&mut bytes)
        .map_err(|e| Fault::new(Exit::Io, format_args!("cannot read standard input: {e}")))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
