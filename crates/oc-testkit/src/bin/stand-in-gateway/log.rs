//! Log lines in OpenClaw's manner: `ISO [subsystem] text`, info on stdout, the rest on stderr; and, when `logging.file` says
//! so, JSON lines in a file. The real one's default file in /tmp is left out: it is shared by everybody on the machine.

use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;

#[derive(Debug, Default)]
pub(crate) struct Log {
    file: Mutex<Option<PathBuf>>,
}

impl Log {
    pub(crate) fn to_file(&self, file: Option<PathBuf>) {
        if let Ok(mut slot) = self.file.lock() {
            *slot = file;
        }
    }

    pub(crate) fn info(&self, subsystem: &str, text: &str) {
        self.write("INFO", subsystem, text);
    }

    pub(crate) fn warn(&self, subsystem: &str, text: &str) {
        self.write("WARN", subsystem, text);
    }

    /// Without time and subsystem, as the lines before the logger is up.
    pub(crate) fn bare(&self, text: &str) {
        _ = writeln!(std::io::stderr(), "{text}");
        self.to_json("ERROR", "gateway", text);
    }

    fn write(&self, level: &str, subsystem: &str, text: &str) {
        let line = format!("{:.3} [{subsystem}] {text}\n", jiff::Timestamp::now());
        // A reader that went away is not our trouble.
        if level == "INFO" {
            _ = std::io::stdout().write_all(line.as_bytes());
        } else {
            _ = std::io::stderr().write_all(line.as_bytes());
        }
        self.to_json(level, subsystem, text);
    }

    fn to_json(&self, level: &str, subsystem: &str, text: &str) {
        let Ok(file) = self.file.lock() else { return };
        let Some(path) = file.as_ref() else { return };
        let time = format!("{:.3}", jiff::Timestamp::now());
        let line = json!({
            "0": json!({"subsystem": subsystem}).to_string(),
            "1": text,
            "_meta": {"logLevelName": level, "date": time},
            "time": time,
            "message": text,
        });
        if let Ok(mut file) = std::fs::OpenOptions::new().append(true).create(true).open(path) {
            _ = file.write_all(format!("{line}\n").as_bytes());
        }
    }
}
