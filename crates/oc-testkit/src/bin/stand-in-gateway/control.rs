//! Reads the control file again and again, and keeps what follows from it: above all, whether the event loop is blocked.

use oc_testkit::Faults;
use oc_testkit::faults::CONTROL_ENV;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Control {
    file: PathBuf,
    base: Map<String, Value>,
    boot: u64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    text: Option<Vec<u8>>,
    faults: Faults,
    blocked: Option<Block>,
}

#[derive(Debug, Clone, Copy)]
enum Block {
    Until(Instant),
    ForEver,
}

impl Control {
    /// `boot` is the number of this boot on its state directory, from 1.
    pub(crate) fn new(state_dir: &Path, boot: u64) -> Result<Self, String> {
        let base = match std::env::var(CONTROL_ENV) {
            Ok(text) => serde_json::from_str(&text).map_err(|e| format!("{CONTROL_ENV}: {e}"))?,
            Err(_) => Map::new(),
        };
        let control = Self {
            file: Faults::file(state_dir),
            base,
            boot,
            seen: Mutex::new(Seen::default()),
        };
        let text = std::fs::read(&control.file).unwrap_or_default();
        let faults = control
            .parse(&text)
            .map_err(|e| format!("{}: {e}", control.file.display()))?;
        control.lock().apply(text, faults);
        Ok(control)
    }

    /// The faults of this moment.
    pub(crate) fn faults(&self) -> Faults {
        self.look().faults.clone()
    }

    /// Whether the event loop is blocked at this moment.
    pub(crate) fn blocked(&self) -> bool {
        match self.look().blocked {
            Some(Block::ForEver) => true,
            Some(Block::Until(end)) => Instant::now() < end,
            None => false,
        }
    }

    /// Waits while the event loop is blocked.
    pub(crate) fn pass(&self) {
        while self.blocked() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn parse(&self, text: &[u8]) -> Result<Faults, serde_json::Error> {
        let mut all = self.base.clone();
        if !text.is_empty() {
            all.extend(serde_json::from_slice::<Map<String, Value>>(text)?);
        }
        let faults: Faults = serde_json::from_value(Value::Object(all))?;
        let meant = faults.only_pid.is_none_or(|pid| pid == std::process::id())
            && faults.only_boots.is_none_or(|boots| self.boot <= boots);
        Ok(if meant { faults } else { Faults::default() })
    }

    /// Reads the file under the lock: a thread that is late must not bring old faults back.
    fn look(&self) -> MutexGuard<'_, Seen> {
        let mut seen = self.lock();
        let text = std::fs::read(&self.file).unwrap_or_default();
        if seen.text.as_ref() != Some(&text)
            // A broken control file changes nothing; the harness writes whole ones.
            && let Ok(faults) = self.parse(&text)
        {
            seen.apply(text, faults);
        }
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn apply(&mut self, text: Vec<u8>, faults: Faults) {
        if faults.block_ms != self.faults.block_ms {
            self.blocked = faults.block_ms.map(|ms| match ms {
                0 => Block::ForEver,
                ms => Block::Until(Instant::now() + Duration::from_millis(ms)),
            });
        }
        self.text = Some(text);
        self.faults = faults;
    }
}
