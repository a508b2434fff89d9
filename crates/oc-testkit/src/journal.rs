//! The journal of the tools, read as it grows: by what judges them, hence not by their own code.

use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

/// Now, as events say it: in milliseconds of the wall clock.
#[must_use]
pub fn wall_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// When, in milliseconds of the wall clock.
    pub wall_ms: i64,
    /// What kind.
    pub kind: String,
    /// Which tool wrote it.
    pub tool: String,
    /// Which pass, if any.
    pub run: Option<String>,
    /// Which incident, if any.
    pub incident: Option<String>,
    /// The sentence for a person.
    pub text: String,
    /// The facts.
    pub data: Value,
}

impl Event {
    /// A fact that is a word.
    #[must_use]
    pub fn word(&self, key: &str) -> &str {
        self.data[key].as_str().unwrap_or("-")
    }

    fn parse(line: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(line).ok()?;
        let word = |key: &str| value[key].as_str().map(str::to_owned);
        Some(Self {
            wall_ms: value["wall_ms"].as_i64()?,
            kind: word("kind")?,
            tool: word("tool")?,
            run: word("run"),
            incident: word("incident"),
            text: word("text")?,
            data: value["data"].clone(),
        })
    }
}

/// Follows the file.
#[derive(Debug, Clone)]
pub struct Journal {
    file: PathBuf,
    offset: u64,
    /// Lines that are no events.
    pub torn: usize,
}

impl Journal {
    /// From its beginning; it need not be there yet.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        Self {
            file,
            offset: 0,
            torn: 0,
        }
    }

    /// What was written since the last call.
    pub fn fresh(&mut self) -> Vec<Event> {
        let mut text = String::new();
        let read = File::open(&self.file).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_to_string(&mut text)
        });
        // Not there yet, or a writer is in the middle of a line: both are over at the next look.
        let Some(whole) = read.ok().and_then(|_| text.rfind('\n')) else {
            return Vec::new();
        };
        self.offset += whole as u64 + 1;
        let lines: Vec<Option<Event>> = text[..whole].lines().map(Event::parse).collect();
        self.torn += lines.iter().filter(|line| line.is_none()).count();
        lines.into_iter().flatten().collect()
    }
}
