//! The disk is full or read-only: nothing can be spooled and nothing remembered, and that is what people must hear. Sent
//! from memory, without a second try. When it may be said again is kept as the modification time of a file that is there
//! already, which needs no space; where that cannot be set either (read-only), of one in the temporary directory.

use super::Posting;
use super::deliver::Delivery;
use crate::channels::{Call, Letter, Verdict, wire};
use crate::desk::Desk;
use crate::message::Severity;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::iter::once_with;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

/// Without a memory the same message would go out at every pass.
const PAUSE: Duration = Duration::from_secs(4 * 3600);

/// Sends what needs a person, at most once in a while. Anything but a failed write is passed on.
///
/// # Errors
/// The given fault when it is about something else, or when the pause can be remembered nowhere.
pub(crate) fn direct(desk: &Desk, postings: &[Posting], fault: Fault) -> Result<Vec<Delivery>> {
    let urgent: Vec<&Posting> = postings
        .iter()
        .filter(|p| p.message.message().severity == Severity::Critical)
        .collect();
    if !matches!(fault.exit, Exit::Io | Exit::Permission) || urgent.is_empty() {
        return Err(fault);
    }
    oc_core::out::talk(format_args!("{fault}; told without the outbox"));
    let now = UNIX_EPOCH + Duration::from_millis(u64::try_from(desk.now.wall_ms).unwrap_or(0));
    let ours = || File::open(desk.paths.outbox().join("lock")).ok();
    let elsewhere = || fsx::open_rw(&elsewhere(desk)).ok();
    for file in once_with(ours).chain(once_with(elsewhere)).flatten() {
        let not_before = file.metadata().and_then(|m| m.modified()).unwrap_or(UNIX_EPOCH);
        // Further ahead than we ever set it: the clock was stepped.
        if now < not_before && not_before <= now + PAUSE {
            return Ok(Vec::new());
        }
        if file.set_modified(now + PAUSE).is_ok() {
            return Ok(urgent.iter().flat_map(|posting| send(desk, posting)).collect());
        }
    }
    Err(fault)
}

/// One for each instance and user.
fn elsewhere(desk: &Desk) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    desk.paths.watchdog().hash(&mut hasher);
    let uid = rustix::process::getuid().as_raw();
    std::env::temp_dir().join(format!("oc-notify-{uid}-{:016x}", hasher.finish()))
}

fn send(desk: &Desk, posting: &Posting) -> Vec<Delivery> {
    let message = posting.message.message();
    let letter = Letter {
        message,
        thread: None,
        plain: false,
        moved: None,
    };
    let try_one = |name: &&'static str| {
        let channel = desk.channel(name)?;
        // Each gets its share of the time: one black hole must not use up all of it.
        let limit = desk.deadline.left() / u32::try_from(posting.channels.len().max(1)).unwrap_or(1);
        let result = channel
            .calls(&letter)
            .first()
            .map(|call: &Call| wire::send(call, limit))?;
        let (ok, status, error) = match result {
            Ok(answer) => match channel.judge(&answer) {
                Verdict::Delivered(_) => (true, Some(answer.status), None),
                other => (false, Some(answer.status), Some(format!("{other:?}"))),
            },
            Err(why) => (false, None, Some(why)),
        };
        let error = error.map(|why| desk.redactor.redact(&why).into_owned());
        let id = message.id.clone();
        Some(Delivery {
            channel: (*name).to_owned(),
            ok,
            status,
            attempts: 1,
            spooled: false,
            error,
            id,
        })
    };
    posting.channels.iter().filter_map(try_one).collect()
}
