//! One channel's queue: entry by entry, in order, until the channel says "later" or time is up.

use super::spool::{Entry, Spool};
use crate::channels::{Call, Channel, Letter, Verdict, wire};
use crate::memory::{Line, before};
use oc_core::clock::{Deadline, Stamp};
use oc_core::redact::Redactor;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Pause after the first, second ... failure in a row, where the API asks for none.
const BACKOFF: [u64; 6] = [30, 60, 120, 300, 600, 900];
/// A channel that will never work at this address is tried again after this.
const OFF: Duration = Duration::from_secs(24 * 3600);

/// What became of one message on one channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Delivery {
    pub(crate) channel: String,
    pub(crate) ok: bool,
    /// HTTP status or exit code of the last try.
    pub(crate) status: Option<u16>,
    pub(crate) attempts: u32,
    pub(crate) spooled: bool,
    pub(crate) error: Option<String>,
    /// The message's idempotence key.
    pub(crate) id: String,
}

/// What one queue did.
pub(super) struct Done {
    pub(super) line: Line,
    pub(super) deliveries: Vec<Delivery>,
    /// What the API called the first message of each thread.
    pub(super) ids: Vec<(String, String)>,
    /// It was switched off just now.
    pub(super) switched_off: bool,
}

pub(super) struct Queue<'a> {
    pub(super) channel: &'a dyn Channel,
    pub(super) spool: &'a Spool,
    pub(super) entries: Vec<Entry>,
    pub(super) line: Line,
    /// Threads' first messages on this channel, by key.
    pub(super) threads: BTreeMap<String, String>,
    pub(super) deadline: Deadline,
    pub(super) redactor: &'a Redactor,
}

/// How one entry ended.
enum End {
    Sent,
    Stays,
    Refused,
    /// Nothing more goes out on this channel now.
    Halt,
}

impl Queue<'_> {
    pub(super) fn run(mut self) -> Done {
        let mut done = Done {
            line: Line::default(),
            deliveries: Vec::new(),
            ids: Vec::new(),
            switched_off: false,
        };
        let mut held: BTreeSet<String> = BTreeSet::new();
        let mut halted = false;
        for mut entry in std::mem::take(&mut self.entries) {
            let now = Stamp::now();
            let key = entry.message.message().key.clone();
            let closed = halted || self.deadline.passed() || self.line.off(&now) || self.line.waiting(&now);
            let early = entry.not_before.as_ref().is_some_and(|at| before(&now, at));
            if closed || early || held.contains(&key) {
                held.insert(key);
                let error = if early {
                    Some("not yet".into())
                } else {
                    entry.error.clone().or_else(|| self.why(&now))
                };
                done.deliveries.push(delivery(&entry, false, None, true, error));
                continue;
            }
            let (end, status) = self.one(&mut entry, &mut done);
            let (ok, spooled) = match end {
                End::Sent => (true, false),
                End::Refused => (false, false),
                End::Stays | End::Halt => (false, true),
            };
            halted |= matches!(end, End::Halt);
            if spooled {
                held.insert(key);
            }
            let error = if ok { None } else { entry.error.clone() };
            done.deliveries.push(delivery(&entry, ok, status, spooled, error));
        }
        done.line = self.line;
        done
    }

    fn why(&self, now: &Stamp) -> Option<String> {
        let state = if self.line.off(now) { "switched off" } else { "waiting" };
        (!self.line.why.is_empty()).then(|| format!("{state}: {}", self.line.why))
    }

    fn one(&mut self, entry: &mut Entry, done: &mut Done) -> (End, Option<u16>) {
        // Each of these can happen once and changes what is sent: plain form, new thread, moved chat.
        for _ in 0..4 {
            let (verdict, status) = self.attempt(entry);
            match verdict {
                Verdict::Delivered(id) => {
                    self.spool.remove(entry);
                    (self.line.failures, self.line.retry_at) = (0, None);
                    self.line.why.clear();
                    let message = entry.message.message();
                    if let Some(id) =
                        id.filter(|_| message.event.of_incident() && !self.threads.contains_key(&message.key))
                    {
                        self.threads.insert(message.key.clone(), id.clone());
                        done.ids.push((message.key.clone(), id));
                    }
                    return (End::Sent, status);
                }
                Verdict::Refused(why) if entry.plain => {
                    entry.error = Some(self.redactor.redact(&why).into_owned());
                    if let Err(fault) = self.spool.write(entry).and_then(|()| self.spool.refuse(entry)) {
                        oc_core::out::talk(fault);
                    }
                    return (End::Refused, status);
                }
                Verdict::Refused(why) => {
                    entry.plain = true;
                    entry.error = Some(self.redactor.redact(&why).into_owned());
                }
                Verdict::ThreadGone => {
                    self.threads.remove(&entry.message.message().key);
                }
                Verdict::Moved(chat) => self.line.moved = Some(chat),
                Verdict::Off(why) => {
                    self.fail(entry, &why, None);
                    self.line.off_until = Some(Stamp::now().plus(OFF));
                    done.switched_off = true;
                    return (End::Halt, status);
                }
                Verdict::Later { after, why } => {
                    self.fail(entry, &why, after);
                    return (End::Halt, status);
                }
            }
        }
        self.fail(entry, "it asks for another form again and again", None);
        (End::Stays, None)
    }

    fn fail(&mut self, entry: &mut Entry, why: &str, after: Option<Duration>) {
        let why = self.redactor.redact(why).into_owned();
        let step = usize::try_from(self.line.failures)
            .unwrap_or(usize::MAX)
            .min(BACKOFF.len() - 1);
        let pause = after.unwrap_or(Duration::from_secs(BACKOFF[step]));
        self.line.failures = self.line.failures.saturating_add(1);
        self.line.retry_at = Some(Stamp::now().plus(pause));
        self.line.why.clone_from(&why);
        entry.error = Some(why);
        if let Err(fault) = self.spool.write(entry) {
            oc_core::out::talk(fault);
        }
    }

    /// Makes the calls of one delivery. The first that does not succeed decides, unless it was best effort.
    fn attempt(&self, entry: &mut Entry) -> (Verdict, Option<u16>) {
        entry.attempts = entry.attempts.saturating_add(1);
        let message = entry.message.message();
        let letter = Letter {
            message,
            thread: self.threads.get(&message.key).map(String::as_str),
            plain: entry.plain,
            moved: self.line.moved.as_deref(),
        };
        let (mut verdict, mut status) = (None, None);
        for call in self.channel.calls(&letter) {
            let best_effort = matches!(&call, Call::Http(request) if request.best_effort);
            let left = self.deadline.left();
            if left.is_zero() {
                if best_effort {
                    break;
                }
                return (
                    Verdict::Later {
                        after: Some(Duration::from_secs(1)),
                        why: "no time left in this pass".into(),
                    },
                    None,
                );
            }
            match wire::send(&call, left) {
                _ if best_effort && verdict.is_some() => {}
                Ok(answer) => {
                    status = Some(answer.status);
                    match self.channel.judge(&answer) {
                        Verdict::Delivered(id) => {
                            verdict.get_or_insert(Verdict::Delivered(id));
                        }
                        other => return (other, status),
                    }
                }
                Err(why) => return (Verdict::Later { after: None, why }, None),
            }
        }
        (verdict.unwrap_or(Verdict::Delivered(None)), status)
    }
}

fn delivery(entry: &Entry, ok: bool, status: Option<u16>, spooled: bool, error: Option<String>) -> Delivery {
    Delivery {
        channel: entry.channel.clone(),
        ok,
        status,
        attempts: entry.attempts,
        spooled,
        error,
        id: entry.message.message().id.clone(),
    }
}
