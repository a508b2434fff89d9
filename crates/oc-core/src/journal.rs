//! journal.jsonl: what happened, one JSON object per line, append-only. The record that status, digest, metrics and
//! alerts are made from; nothing decides by it.

use crate::clock::{Stamp, rfc3339};
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::world::Secrets;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What kind of thing happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Level 0: the service's process ended.
    Exited,
    /// Level 0: the service's process was started.
    Started,
    /// Level 0: the service answered for the first time after a start.
    Ready,
    /// A condition appeared and an incident was opened.
    IncidentOpened,
    /// An attempt, written before it is made.
    Attempt,
    /// How an attempt ended.
    Outcome,
    /// The incident is over: the service is healthy again.
    IncidentClosed,
    /// The ladder is at its end: a person is needed.
    HumanNeeded,
    /// A decision that changed (holds are written when their reason changes, not every pass).
    Decision,
    /// Memory, latency and health, every five minutes.
    Sample,
    /// A person's will: stop, start, maintenance on or off, reset.
    Intent,
    /// A pass died before its end; this one goes on.
    PassAbandoned,
    /// A pass was ended because its time was up.
    PassDeadline,
    /// Something a person should know that is no incident.
    Warning,
    /// A configuration or surrounding was changed, or the change was undone.
    Repair,
    /// An AI session began or ended.
    Agent,
    /// A message was delivered, spooled or suppressed.
    Notice,
    /// The guardian put something back, or found that a person took it away.
    Guardian,
    /// Written by a newer version.
    #[serde(other)]
    Other,
}

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, on every clock.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// RFC 3339, for people with `grep`.
    pub at: String,
    /// What kind.
    pub kind: Kind,
    /// Which tool wrote it.
    pub tool: String,
    /// Which instance.
    pub instance: String,
    /// Which pass, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Which incident, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// One sentence for a person.
    pub text: String,
    /// The facts, by kind.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl Event {
    /// An event that happens now.
    #[must_use]
    pub fn now(kind: Kind, tool: &str, instance: &str, text: impl Into<String>) -> Self {
        let stamp = Stamp::now();
        Self {
            at: rfc3339(stamp.wall_ms),
            stamp,
            kind,
            tool: tool.to_owned(),
            instance: instance.to_owned(),
            run: std::env::var("OC_RUN_ID").ok(),
            incident: None,
            text: text.into(),
            data: Map::new(),
        }
    }

    /// Names the incident.
    #[must_use]
    pub fn incident(mut self, id: Option<&str>) -> Self {
        self.incident = id.map(str::to_owned);
        self
    }

    /// Adds a fact. Null is left out.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Null) | Err(_) => {}
            Ok(value) => {
                self.data.insert(key.to_owned(), value);
            }
        }
        self
    }
}

/// The journal of one instance.
#[derive(Debug, Clone)]
pub struct Journal {
    path: PathBuf,
    log: Option<crate::log::Log>,
    secrets: Option<Arc<Secrets>>,
    limit: u64,
    keep: u32,
}

impl Journal {
    /// At most 64 MiB in the current file and three older ones: about a million events.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            log: None,
            secrets: None,
            limit: 64 << 20,
            keep: 3,
        }
    }

    /// The journal of an instance: its sentences also go to the log, and no secret goes anywhere.
    #[must_use]
    pub fn of(paths: &crate::paths::Paths, secrets: Arc<Secrets>) -> Self {
        Self {
            log: Some(crate::log::Log::new(&paths.log())),
            secrets: Some(secrets),
            ..Self::new(&paths.journal())
        }
    }

    /// Another size bound, for tests.
    #[must_use]
    pub fn with_limit(mut self, bytes: u64, keep: u32) -> Self {
        (self.limit, self.keep) = (bytes, keep);
        self
    }

    /// Adds one event with one write, so that two writers never mix their lines. A torn last line (power cut, kill -9 in
    /// the middle of a write) is closed first and stays a line of its own.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be written.
    pub fn append(&self, event: &Event) -> Result<()> {
        let event = &self.redacted(event);
        if let Some(Err(fault)) = self.log.as_ref().map(|log| log.event(event)) {
            // The journal is the record; without the log it is still complete.
            crate::out::talk(fault);
        }
        let mut line = serde_json::to_vec(event).map_err(Fault::internal)?;
        line.push(b'\n');
        let mut file = fsx::open_append(&self.path)?;
        let len = file.metadata().map_err(|e| Fault::io("stat", &self.path, e))?.len();
        if len > 0 && last_byte(&mut file) != Some(b'\n') {
            line.insert(0, b'\n');
        }
        if len.saturating_add(line.len() as u64) > self.limit {
            self.rotate();
            file = fsx::open_append(&self.path)?;
        }
        file.write_all(&line).map_err(|e| Fault::io("append to", &self.path, e))
    }

    /// Foreign text gets into events: a command line, a log line, an answer's body.
    fn redacted<'e>(&self, event: &'e Event) -> Cow<'e, Event> {
        let Some(redactor) = self.secrets.as_ref().map(|s| s.redactor()) else {
            return Cow::Borrowed(event);
        };
        let mut event = event.clone();
        event.text = redactor.redact(&event.text).into_owned();
        for value in event.data.values_mut() {
            *value = redactor.value(value);
        }
        Cow::Owned(event)
    }

    /// As [`Journal::append`], for callers that must go on when the record cannot be kept: the failure is told on stderr.
    pub fn note(&self, event: &Event) {
        if let Err(fault) = self.append(event) {
            crate::out::talk(format_args!("the journal lost an event: {fault}"));
        }
    }

    /// journal.jsonl -> .1 -> .2 -> ...; the oldest goes. Losing the race against another rotation is harmless: the
    /// rename then moves a small file, and nothing is dropped but the oldest.
    fn rotate(&self) {
        let Ok(_guard) = crate::lock::short(&self.path.with_extension("lock"), std::time::Duration::from_secs(2))
        else {
            return;
        };
        if std::fs::metadata(&self.path).is_ok_and(|m| m.len() < self.limit / 2) {
            return;
        }
        for n in (1..self.keep).rev() {
            drop(std::fs::rename(self.old(n), self.old(n + 1)));
        }
        drop(std::fs::rename(&self.path, self.old(1)));
    }

    fn old(&self, n: u32) -> PathBuf {
        self.path.with_extension(format!("jsonl.{n}"))
    }

    /// Every event, oldest first. Lines that are no events (torn by a crash) are skipped and counted.
    ///
    /// # Errors
    /// 74 or 77 when a file cannot be read.
    pub fn read(&self, mut each: impl FnMut(Event)) -> Result<usize> {
        let mut skipped = 0;
        for n in (1..=self.keep).rev() {
            skipped += read_file(&self.old(n), &mut each)?;
        }
        Ok(skipped + read_file(&self.path, &mut each)?)
    }

    /// Every event after `from` (all of them when that is `None`, or when what it points at was rotated away), oldest first,
    /// as far as `wanted` (by kind and wall clock) lets it pass: what is not wanted is hardly parsed, so that a year is read
    /// in a second. Returns where to go on; a line that is still being written is left for then.
    ///
    /// # Errors
    /// 74 or 77 when a file cannot be read.
    pub fn follow(
        &self,
        from: Option<Position>,
        wanted: impl Fn(Kind, i64) -> bool,
        mut each: impl FnMut(Event),
    ) -> Result<Position> {
        let mut files: Vec<PathBuf> = (1..=self.keep).rev().map(|n| self.old(n)).collect();
        files.push(self.path.clone());
        let known = from.and_then(|from| files.iter().position(|f| inode(f) == Some(from.inode)));
        let mut position = Position::default();
        for (n, path) in files.iter().enumerate().skip(known.unwrap_or(0)) {
            let offset = if known == Some(n) {
                from.map_or(0, |from| from.offset)
            } else {
                0
            };
            position = read_from(path, offset, &wanted, &mut each)?.unwrap_or(position);
        }
        Ok(position)
    }

    /// The newest events, at most `count` and at most the last 4 MiB, oldest first. Cheap on a journal of any size.
    ///
    /// # Errors
    /// 74 or 77 when the file cannot be read.
    pub fn recent(&self, count: usize) -> Result<Vec<Event>> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let bytes = fsx::tail(&self.path, 4 << 20)?;
        let mut events: Vec<Event> = bytes
            .split(|b| *b == b'\n')
            .rev()
            .filter_map(|line| serde_json::from_slice(line).ok())
            .take(count)
            .collect();
        events.reverse();
        Ok(events)
    }
}

/// A place in the journal, for [`Journal::follow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Position {
    inode: u64,
    offset: u64,
}

/// What is parsed of a line to see whether it is wanted.
#[derive(Deserialize)]
struct Head {
    wall_ms: i64,
    kind: Kind,
}

fn inode(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|m| m.ino())
}

fn read_from(
    path: &Path,
    offset: u64,
    wanted: &impl Fn(Kind, i64) -> bool,
    each: &mut impl FnMut(Event),
) -> Result<Option<Position>> {
    use std::os::unix::fs::MetadataExt as _;
    let fail = |e| Fault::io("read", path, e);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(fail(e)),
    };
    let meta = file.metadata().map_err(fail)?;
    // Shorter than it was: not the file that was read before, whatever its number.
    let mut at = if offset <= meta.len() { offset } else { 0 };
    file.seek(SeekFrom::Start(at)).map_err(fail)?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = reader.read_until(b'\n', &mut line).map_err(fail)?;
        if line.last() != Some(&b'\n') {
            return Ok(Some(Position {
                inode: meta.ino(),
                offset: at,
            }));
        }
        at += n as u64;
        let head = serde_json::from_slice::<Head>(&line);
        if head.is_ok_and(|head| wanted(head.kind, head.wall_ms))
            && let Ok(event) = serde_json::from_slice(&line)
        {
            each(event);
        }
    }
}

fn last_byte(file: &mut File) -> Option<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1)).ok()?;
    file.read_exact(&mut byte).ok()?;
    Some(byte[0])
}

fn read_file(path: &Path, each: &mut impl FnMut(Event)) -> Result<usize> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(Fault::io("read", path, e)),
    };
    let mut skipped = 0;
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let n = reader
            .read_until(b'\n', &mut line)
            .map_err(|e| Fault::io("read", path, e))?;
        if n == 0 {
            return Ok(skipped);
        }
        match serde_json::from_slice(&line) {
            Ok(event) => each(event),
            Err(_) if line.iter().all(u8::is_ascii_whitespace) => {}
            Err(_) => skipped += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(text: &str) -> Event {
        Event::now(Kind::Warning, "test", "default", text)
    }

    fn texts(journal: &Journal) -> (Vec<String>, usize) {
        let mut texts = Vec::new();
        let skipped = journal.read(|e| texts.push(e.text)).unwrap();
        (texts, skipped)
    }

    #[test]
    fn a_torn_last_line_costs_only_itself() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("journal.jsonl"));
        journal.append(&event("one")).unwrap();
        let mut file = fsx::open_append(&dir.path().join("journal.jsonl")).unwrap();
        file.write_all(b"{\"at\":\"20").unwrap();
        journal.append(&event("two")).unwrap();
        assert_eq!(texts(&journal), (vec!["one".into(), "two".into()], 1));
    }

    #[test]
    fn rotation_keeps_the_newest_and_bounds_the_size() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("journal.jsonl")).with_limit(2_000, 2);
        for n in 0..100 {
            journal.append(&event(&format!("{n}"))).unwrap();
        }
        let (texts, _) = texts(&journal);
        assert_eq!(texts.last().unwrap(), "99");
        assert!(
            texts
                .windows(2)
                .all(|w| w[0].parse::<u32>().unwrap() + 1 == w[1].parse::<u32>().unwrap())
        );
        let size: u64 = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().metadata().unwrap().len())
            .sum();
        assert!(size <= 3 * 2_000, "{size}");
    }

    #[test]
    fn following_sees_every_event_once_across_rotations() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("journal.jsonl")).with_limit(3_000, 3);
        let (mut seen, mut position) = (Vec::new(), None);
        for n in 0..60 {
            journal.append(&event(&n.to_string())).unwrap();
            if n % 7 == 0 {
                position = Some(journal.follow(position, |_, _| true, |e| seen.push(e.text)).unwrap());
            }
        }
        journal.follow(position, |_, _| true, |e| seen.push(e.text)).unwrap();
        assert_eq!(seen, (0..60).map(|n| n.to_string()).collect::<Vec<_>>());
        let mut none = 0;
        journal
            .follow(None, |kind, _| kind != Kind::Warning, |_| none += 1)
            .unwrap();
        assert_eq!(none, 0, "what is not wanted is left out");
    }

    #[test]
    fn twenty_writers_never_mix_their_lines() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(&dir.path().join("journal.jsonl"));
        std::thread::scope(|scope| {
            for n in 0..20 {
                let journal = &journal;
                scope.spawn(move || (0..50).for_each(|_| journal.append(&event(&n.to_string())).unwrap()));
            }
        });
        let (texts, skipped) = texts(&journal);
        assert_eq!((texts.len(), skipped), (1000, 0));
    }
}
