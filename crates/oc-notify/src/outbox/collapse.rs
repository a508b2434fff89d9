//! What waited too long becomes one summary: after a week without network a person wants the state of things, not a
//! thousand lines. Pure.

use super::spool::Entry;
use crate::message::{Event, Severity};
use oc_core::clock::Stamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// As many are told one by one, however old.
const FEW: usize = 4;
/// As many are never told one by one, however fresh.
const MANY: usize = 20;
/// Older than this is no news.
const STALE: Duration = Duration::from_secs(3600);
/// Lines of a summary.
const LINES: usize = 12;

/// What to put in place of several entries.
#[derive(Debug, PartialEq)]
pub(super) struct Summary {
    /// Entries to be replaced.
    pub(super) replaces: Vec<u64>,
    /// How many messages they stood for.
    pub(super) count: u32,
    /// The oldest and the newest, RFC 3339.
    pub(super) from: String,
    /// See `from`.
    pub(super) to: String,
    /// The last message of each thing, newest last: time and title.
    pub(super) lines: Vec<(String, String)>,
    /// Of what is not over.
    pub(super) severity: Severity,
}

/// A summary for people; `None` when the entries are few and fresh enough. What is said last about an incident that is
/// not over stays as it is.
pub(super) fn for_people(entries: &[Entry], now: &Stamp) -> Option<Summary> {
    let waiting: Vec<&Entry> = entries.iter().filter(|e| e.not_before.is_none()).collect();
    let stale = waiting.first().is_some_and(|e| stale(e, now));
    if waiting.len() <= FEW || (waiting.len() <= MANY && !stale) {
        return None;
    }
    let mut last: BTreeMap<&str, &Entry> = BTreeMap::new();
    for entry in &waiting {
        last.insert(&entry.message.message().key, entry);
    }
    let open = |e: &Entry| e.message.message().event.of_incident() && e.message.message().event != Event::Healed;
    let stays = |e: &Entry| {
        open(e)
            && last
                .get(e.message.message().key.as_str())
                .is_some_and(|l| l.seq == e.seq)
    };
    let replaced: Vec<&&Entry> = waiting.iter().filter(|e| !stays(e)).collect();
    // Very many open threads at once are possible only by hand; a summary of one entry would repeat itself for ever.
    if replaced.len() < 2 {
        return None;
    }
    let mut ended: Vec<&&Entry> = last.values().collect();
    ended.sort_by_key(|e| e.seq);
    let skipped = ended.len().saturating_sub(LINES);
    let line = |e: &&&Entry| (e.message.message().at.clone(), e.message.message().title.clone());
    let severity = ended
        .iter()
        .map(|e| e.message.message())
        .filter(|m| m.event != Event::Healed)
        .map(|m| m.severity)
        .max()
        .unwrap_or(Severity::Info);
    Some(Summary {
        replaces: replaced.iter().map(|e| e.seq).collect(),
        count: replaced.iter().map(|e| e.stands_for).fold(0, u32::saturating_add),
        from: replaced
            .first()
            .map(|e| e.message.message().at.clone())
            .unwrap_or_default(),
        to: replaced
            .last()
            .map(|e| e.message.message().at.clone())
            .unwrap_or_default(),
        lines: ended.iter().skip(skipped).map(line).collect(),
        severity,
    })
}

fn stale(entry: &Entry, now: &Stamp) -> bool {
    now.since(&entry.spooled) >= STALE
}

/// For programs: of each key only the last state is kept, and never more than a few hundred; what is few and fresh stays,
/// for the last state does not say what was changed before.
pub(super) fn for_programs(entries: &[Entry], now: &Stamp) -> Vec<u64> {
    if entries.len() <= FEW && !entries.first().is_some_and(|e| stale(e, now)) {
        return Vec::new();
    }
    let mut last: BTreeMap<&str, u64> = BTreeMap::new();
    for entry in entries {
        last.insert(&entry.message.message().key, entry.seq);
    }
    let mut kept: Vec<u64> = last.into_values().collect();
    kept.sort_unstable();
    let excess = kept.len().saturating_sub(200);
    kept.drain(..excess);
    entries
        .iter()
        .map(|e| e.seq)
        .filter(|seq| kept.binary_search(seq).is_err())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::message::tests::sample;
    use oc_core::redact::Redactor;

    fn entry(seq: u64, key: &str, event: Event, now: &Stamp) -> Entry {
        let message = Message {
            key: key.into(),
            event,
            title: format!("{key} {event:?}"),
            ..sample()
        };
        Entry {
            seq,
            channel: "slack".into(),
            message: message.seal(&Redactor::patterns()),
            spooled: now.clone(),
            not_before: None,
            attempts: 0,
            plain: false,
            error: None,
            escorted: false,
            stands_for: 1,
            replaces: Vec::new(),
        }
    }

    #[test]
    fn a_week_offline_is_one_summary_and_the_open_incident_itself() {
        let start = Stamp::now();
        let week = start.plus(Duration::from_secs(7 * 24 * 3600));
        let mut entries = Vec::new();
        for n in 0..500u64 {
            entries.push(entry(2 * n, &format!("i/{n}"), Event::Opened, &start));
            entries.push(entry(2 * n + 1, &format!("i/{n}"), Event::Healed, &start));
        }
        entries.push(entry(2000, "i/last", Event::Opened, &week));
        entries.push(entry(2001, "i/last", Event::NeedsYou, &week));
        let summary = for_people(&entries, &week).unwrap();
        assert_eq!((summary.count, summary.severity), (1001, Severity::Critical));
        assert!(!summary.replaces.contains(&2001), "what is open is told in full");
        assert_eq!(summary.lines.len(), LINES);
        assert_eq!(for_programs(&entries, &week).len(), 1002 - 200);
    }

    #[test]
    fn few_or_fresh_messages_are_told_one_by_one() {
        let now = Stamp::now();
        let entries: Vec<Entry> = (0..5)
            .map(|n| entry(n, &format!("i/{n}"), Event::Healed, &now))
            .collect();
        assert_eq!(for_people(&entries, &now.plus(Duration::from_secs(60))), None);
        assert_eq!(for_people(&entries[..4], &now.plus(STALE)), None);
        let repaired_and_healed = [
            entry(1, "i/1", Event::Changed, &now),
            entry(2, "i/1", Event::Healed, &now),
        ];
        assert!(for_programs(&repaired_and_healed, &now).is_empty());
        assert!(for_people(&entries, &now.plus(STALE)).is_some());
    }
}
