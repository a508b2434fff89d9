//! The record of boots, and OpenClaw's own crash-loop breaker that follows from it.

use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Unclean boots within [`WINDOW_MS`] after which the next one suppresses its channels.
const UNCLEAN_MOST: usize = 3;
const WINDOW_MS: i64 = 300_000;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Book {
    /// All boots ever.
    total: u64,
    recent: Vec<Boot>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Boot {
    started_at_ms: i64,
    /// `None` while it runs, and for ever when it was killed.
    outcome: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    file: PathBuf,
    book: Book,
    /// Whether the breaker tripped at this boot.
    pub(crate) tripped: bool,
}

impl Ledger {
    /// Enters a boot.
    pub(crate) fn begin(state_dir: &Path) -> Self {
        let file = state_dir.join("stand-in-boots.json");
        let mut book: Book = std::fs::read(&file)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default();
        let now = jiff::Timestamp::now().as_millisecond();
        book.recent.retain(|boot| now - boot.started_at_ms <= WINDOW_MS);
        let unclean = book
            .recent
            .iter()
            .filter(|boot| !clean(boot.outcome.as_deref()))
            .count();
        book.total += 1;
        book.recent.push(Boot {
            started_at_ms: now,
            outcome: None,
        });
        let ledger = Self {
            file,
            book,
            tripped: unclean >= UNCLEAN_MOST,
        };
        ledger.save();
        ledger
    }

    /// The number of this boot, from 1.
    pub(crate) fn boot(&self) -> u64 {
        self.book.total
    }

    /// Enters how this boot ended.
    pub(crate) fn end(&mut self, outcome: &str) {
        if let Some(boot) = self.book.recent.last_mut() {
            boot.outcome = Some(outcome.to_owned());
        }
        self.save();
    }

    fn save(&self) {
        // A full disk must not keep the gateway down for the ledger's sake.
        if let Ok(text) = serde_json::to_vec(&self.book) {
            _ = std::fs::write(&self.file, text);
        }
    }
}

fn clean(outcome: Option<&str>) -> bool {
    matches!(outcome, Some("clean_stop" | "planned_restart"))
}
