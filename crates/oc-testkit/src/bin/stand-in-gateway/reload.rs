//! Live edits of the config: what is broken is ignored, what is valid is promoted to `.last-good`, deadly or not.

use crate::config;
use crate::log::Log;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What a live edit asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// Nothing, or nothing that needs a restart.
    None,
    /// `gateway.mode` changed: the gateway restarts.
    Restart,
}

#[derive(Debug)]
pub(crate) struct Watch {
    path: PathBuf,
    text: Vec<u8>,
    mode: Option<String>,
    looked: Instant,
}

/// Time between two looks at the file.
const EVERY: Duration = Duration::from_millis(100);

impl Watch {
    pub(crate) fn new(path: &Path, mode: Option<String>) -> Self {
        Self {
            path: path.to_owned(),
            text: std::fs::read(path).unwrap_or_default(),
            mode,
            looked: Instant::now(),
        }
    }

    pub(crate) fn look(&mut self, log: &Log) -> Edit {
        if self.looked.elapsed() < EVERY {
            return Edit::None;
        }
        self.looked = Instant::now();
        let Ok(text) = std::fs::read(&self.path) else {
            return Edit::None;
        };
        if text == self.text {
            return Edit::None;
        }
        self.text = text;
        let parsed = json5::from_str::<Value>(&String::from_utf8_lossy(&self.text));
        let Some(config) = parsed.ok().filter(|config| config::schema_finding(config).is_none()) else {
            log.warn("reload", "config reload skipped (invalid config)");
            return Edit::None;
        };
        // Schema-valid is all it takes, so an edit that kills the gateway at its next start becomes the good copy.
        let mut good = self.path.clone().into_os_string();
        good.push(".last-good");
        _ = std::fs::write(good, &self.text);
        let mode = config
            .pointer("/gateway/mode")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if mode == self.mode {
            log.info("reload", "config change applied");
            return Edit::None;
        }
        if mode.is_none() {
            log.warn(
                "gateway",
                &format!(
                    "Config observe anomaly: {} (gateway-mode-missing-vs-last-good)",
                    self.path.display()
                ),
            );
        }
        self.mode = mode;
        log.warn("reload", "config change requires gateway restart (gateway.mode)");
        Edit::Restart
    }
}
