//! `test [CHANNEL]`: really sends, and says what came back.

use super::{answer, dry, preview, send::nowhere};
use crate::channels::NAMES;
use crate::compose;
use crate::desk::Desk;
use crate::outbox::{Held, Posting, flush};
use oc_core::fault::{Fault, Result};
use oc_core::run::{Answer, Common};

/// See the module.
///
/// # Errors
/// 64 for a channel that is not configured, 74, 77, 78.
pub(crate) fn test(common: &Common, only: Option<&str>) -> Result<Answer> {
    let desk = Desk::open(common)?;
    let names: Vec<&'static str> = match only {
        None => desk.channels.iter().map(|c| c.name()).collect(),
        Some(name) => match desk.channel(name) {
            Some(channel) => vec![channel.name()],
            None if NAMES.contains(&name) => {
                return Err(Fault::usage(format_args!("channel {name} is not configured"))
                    .hint("set its address in ~/.openclaw/.env or in section notify of config.json"));
            }
            None => {
                return Err(Fault::usage(format_args!("there is no channel {name}"))
                    .hint(format!("one of {}", NAMES.join(", "))));
            }
        },
    };
    if names.is_empty() {
        return Err(nowhere());
    }
    let messages: Vec<_> = names
        .iter()
        .map(|name| (*name, desk.seal(compose::test(&desk, name))))
        .collect();
    if common.dry_run {
        let payloads = messages
            .iter()
            .flat_map(|(name, m)| preview::payloads(&desk, m, &[name]))
            .collect();
        return dry(&desk, "test", payloads, None);
    }
    let mut held = Held::take(&desk)?;
    for name in &names {
        // A person who tests wants to know now, whatever was said before.
        if let Some(line) = held.memory.lines.get_mut(*name) {
            (line.off_until, line.retry_at) = (None, None);
        }
    }
    let postings: Vec<Posting> = messages
        .into_iter()
        .map(|(name, message)| Posting {
            message,
            channels: vec![name],
            not_before: None,
        })
        .collect();
    let ids: Vec<String> = postings.iter().map(|p| p.message.message().id.clone()).collect();
    held.post(&postings)?;
    answer(&desk, &ids, flush(&desk)?, None)
}
