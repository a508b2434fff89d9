//! Delivers what waits: all channels at once, each in its own order, within one deadline.

use super::collapse;
use super::deliver::{Delivery, Done, Queue};
use super::spool::{Entry, Spool};
use super::{Held, Posting};
use crate::channels::{self, Channel};
use crate::compose;
use crate::desk::Desk;
use crate::memory::{Line, Memory, Thread};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::journal::Kind;
use oc_core::lock;
use serde_json::json;
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Sends everything that may be sent now.
///
/// # Errors
/// 74 or 77 when the outbox cannot be used. A channel that fails is no error.
pub(crate) fn flush(desk: &Desk) -> Result<Vec<Delivery>> {
    let lock = desk.paths.outbox().join("sending.lock");
    let _sending = match lock::short(&lock, desk.deadline.left()) {
        Ok(lock) => lock,
        // Somebody else delivers at this moment; what is new waits for the next pass.
        Err(fault) if fault.exit == Exit::Busy => return waiting(desk),
        Err(fault) => return Err(fault),
    };
    let mut deliveries = round(desk)?;
    // Fallbacks, and news about a channel that was switched off, go out in the same pass.
    if after(desk, &deliveries)? {
        let again = round(desk)?;
        deliveries.retain(|d| !again.iter().any(|a| a.id == d.id && a.channel == d.channel));
        deliveries.extend(again);
    }
    record(desk, &deliveries);
    Ok(deliveries)
}

fn waiting(desk: &Desk) -> Result<Vec<Delivery>> {
    let pending = Spool::of(&desk.paths).pending()?;
    Ok(pending
        .into_iter()
        .map(|e| Delivery {
            channel: e.channel,
            ok: false,
            status: None,
            attempts: e.attempts,
            spooled: true,
            error: Some("another oc-notify is delivering".into()),
            id: e.message.message().id.clone(),
        })
        .collect())
}

fn round(desk: &Desk) -> Result<Vec<Delivery>> {
    let spool = Spool::of(&desk.paths);
    let (queues, memory) = {
        let mut held = Held::take(desk)?;
        for (name, channel) in all(desk) {
            renewed(held.memory.lines.entry(name.to_owned()).or_default(), channel);
        }
        let mut queues: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for entry in spool.pending()? {
            queues.entry(entry.channel.clone()).or_default().push(entry);
        }
        for (name, entries) in &mut queues {
            shorten(desk, &spool, &mut held.memory, name, entries)?;
        }
        held.save()?;
        (queues, held.memory.clone())
    };
    let resort = channels::last_resort();
    let done: Vec<(String, Done)> = std::thread::scope(|scope| {
        let running: Vec<_> = queues
            .into_iter()
            .filter_map(|(name, entries)| {
                let channel = desk
                    .channel(&name)
                    .or_else(|| (name == resort.name()).then_some(&*resort))?;
                let queue = Queue {
                    channel,
                    spool: &spool,
                    entries,
                    line: memory.line(&name),
                    threads: threads(desk, &memory, &name),
                    deadline: desk.deadline,
                    redactor: &desk.redactor,
                };
                Some((name, scope.spawn(move || queue.run())))
            })
            .collect();
        // A panic in one channel must not lose the others' results; its messages are still spooled.
        running
            .into_iter()
            .filter_map(|(name, thread)| Some((name, thread.join().ok()?)))
            .collect()
    });
    let mut held = Held::take(desk)?;
    let mut deliveries = Vec::new();
    for (name, done) in done {
        for (key, id) in done.ids {
            let incident = key
                .split_once('/')
                .map_or(key.as_str(), |(_instance, incident)| incident);
            if let Some(thread) = held.memory.threads.get_mut(incident) {
                thread.ids.insert(name.clone(), id);
            }
        }
        held.memory.lines.insert(name, done.line);
        deliveries.extend(done.deliveries);
    }
    held.save()?;
    Ok(deliveries)
}

fn all(desk: &Desk) -> impl Iterator<Item = (&'static str, &dyn Channel)> {
    desk.channels.iter().map(|channel| (channel.name(), &**channel))
}

/// A person who puts in another address means it: the channel is on again at once.
fn renewed(line: &mut Line, channel: &dyn Channel) {
    let mut hasher = DefaultHasher::new();
    channel.address().hash(&mut hasher);
    let address = hasher.finish();
    if line.address != address {
        *line = Line {
            address,
            ..Line::default()
        };
    }
}

/// What the channel called the first message of each thread, by the messages' key.
fn threads(desk: &Desk, memory: &Memory, channel: &str) -> BTreeMap<String, String> {
    let instance = desk.paths.instance();
    let id = |thread: &Thread| thread.ids.get(channel).cloned();
    memory
        .threads
        .iter()
        .filter_map(|(incident, t)| Some((format!("{instance}/{incident}"), id(t)?)))
        .collect()
}

/// Keeps a queue short; see [`collapse`].
fn shorten(desk: &Desk, spool: &Spool, memory: &mut Memory, name: &str, entries: &mut Vec<Entry>) -> Result<()> {
    if desk.channel(name).is_some_and(Channel::for_programs) {
        let outdated = collapse::for_programs(entries, &desk.now);
        entries
            .iter()
            .filter(|e| outdated.contains(&e.seq))
            .for_each(|e| spool.remove(e));
        entries.retain(|e| !outdated.contains(&e.seq));
        return Ok(());
    }
    let Some(summary) = collapse::for_people(entries, &desk.now) else {
        return Ok(());
    };
    let message = desk.seal(compose::summary(
        desk,
        &summary.lines,
        summary.count,
        (&summary.from, &summary.to),
        summary.severity,
    ));
    let entry = Entry {
        seq: memory.next,
        channel: name.to_owned(),
        message,
        spooled: desk.now.clone(),
        not_before: None,
        attempts: 0,
        plain: false,
        error: None,
        escorted: false,
        stands_for: summary.count,
        replaces: summary.replaces.clone(),
    };
    memory.next += 1;
    // The summary first: killed in between, it still says which entries it replaces.
    spool.write(&entry)?;
    entries
        .iter()
        .filter(|e| summary.replaces.contains(&e.seq))
        .for_each(|e| spool.remove(e));
    entries.retain(|e| !summary.replaces.contains(&e.seq));
    entries.push(entry);
    Ok(())
}

/// What a failure calls for: the next fallback for what nobody took, and a word about channels that are off. True when
/// something new was spooled.
fn after(desk: &Desk, deliveries: &[Delivery]) -> Result<bool> {
    let spool = Spool::of(&desk.paths);
    let held = Held::take(desk)?;
    let mut postings = Vec::new();
    let failed = |d: &&Delivery| !d.ok && d.error.as_deref() != Some("not yet");
    for delivery in deliveries.iter().filter(failed) {
        let same = || deliveries.iter().filter(|d| d.id == delivery.id);
        if same().any(|d| d.ok) || postings.iter().any(|p: &Posting| p.message.message().id == delivery.id) {
            continue;
        }
        let Some(mut entry) = entry(&spool, delivery)?.filter(|e| !e.escorted) else {
            continue;
        };
        let tried: Vec<&str> = same().map(|d| d.channel.as_str()).collect();
        if let Some(next) = fallback(desk, &held.memory, &tried) {
            entry.escorted = true;
            spool.write(&entry)?;
            postings.push(Posting {
                message: entry.message,
                channels: vec![next],
                not_before: None,
            });
        }
    }
    for (name, _) in all(desk) {
        let line = held.memory.line(name);
        let just_now = deliveries
            .iter()
            .any(|d| d.channel == name && !d.ok && d.status.is_some());
        if line.off(&desk.now) && just_now {
            let others: Vec<&'static str> = desk.route(crate::message::Severity::Warning);
            let others = others
                .into_iter()
                .filter(|o| *o != name && !held.memory.line(o).off(&desk.now))
                .collect();
            let message = desk.seal(compose::channel_off(desk, name, &line.why));
            postings.push(Posting {
                message,
                channels: others,
                not_before: None,
            });
        }
    }
    let any = postings.iter().any(|p| !p.channels.is_empty());
    held.post(&postings)?;
    Ok(any)
}

fn entry(spool: &Spool, delivery: &Delivery) -> Result<Option<Entry>> {
    let pending = spool.pending()?;
    Ok(pending
        .into_iter()
        .find(|e| e.channel == delivery.channel && e.message.message().id == delivery.id))
}

/// The next channel of `notify.fallback` that was not tried; the screen of this machine when everything remote is off.
fn fallback(desk: &Desk, memory: &Memory, tried: &[&str]) -> Option<&'static str> {
    let usable = |name: &str| !tried.contains(&name) && !memory.line(name).off(&desk.now);
    let named = desk.config.notify.fallback.iter().find_map(|f| {
        all(desk)
            .map(|(name, _)| name)
            .find(|name| *name == f.as_str() && usable(name))
    });
    let all_off = all(desk)
        .filter(|(_, c)| c.remote())
        .all(|(name, _)| memory.line(name).off(&desk.now));
    named.or_else(|| (all_off && usable("desktop")).then_some("desktop"))
}

fn record(desk: &Desk, deliveries: &[Delivery]) {
    let mut by_id: BTreeMap<&str, Vec<&Delivery>> = BTreeMap::new();
    for delivery in deliveries.iter().filter(|d| d.ok || d.status.is_some()) {
        by_id.entry(&delivery.id).or_default().push(delivery);
    }
    for (id, of) in by_id {
        let say = |d: &&Delivery| match &d.error {
            None => format!("{} took it", d.channel),
            Some(why) => format!("{} did not ({why})", d.channel),
        };
        let text = format!("message {id}: {}", of.iter().map(say).collect::<Vec<_>>().join(", "));
        desk.note(Kind::Notice, &text, &[("id", json!(id)), ("deliveries", json!(of))]);
    }
}
