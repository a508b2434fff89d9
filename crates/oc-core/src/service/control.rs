//! One word with the service manager's own program (`systemctl`, `launchctl`), and what came back.

use crate::exit::Exit;
use crate::fault::{Fault, Result};
use crate::proc::{Cmd, Ended};
use std::time::Duration;

/// The most of an answer that is read; a whole domain of launchd prints some 200 KiB.
const CAP: usize = 1 << 20;
/// A person reads the complaint in one line.
const WORDS: usize = 60;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Exit status; 128 + signal for one that was ended.
    pub code: i32,
    /// The answer.
    pub stdout: String,
    /// The complaint, on one line.
    pub complaint: String,
}

impl Reply {
    /// Whether it was done.
    #[must_use]
    pub fn good(&self) -> bool {
        self.code == 0
    }
}

/// Runs `cmd`, which is `line` to a person, and waits at most `limit`.
///
/// # Errors
/// 69 with `absent` when there is no such program, 124 when it does not answer, 74 otherwise.
pub(super) fn ask(mut cmd: Cmd, line: &str, limit: Duration, absent: [&str; 2]) -> Result<Reply> {
    cmd.timeout(limit).grace(Duration::from_millis(500)).cap(CAP);
    let output = cmd.run().map_err(|fault| match fault.exit {
        Exit::NotFound => Fault::new(Exit::Unavailable, absent[0]).hint(absent[1]),
        _ => fault,
    })?;
    let code = match output.ended {
        Ended::Code(code) => code,
        Ended::Signal(signal) => 128 + signal,
        Ended::Deadline => {
            let what = format!("`{line}` did not answer within {:.1} s", limit.as_secs_f64());
            return Err(Fault::new(Exit::Deadline, what));
        }
    };
    let stderr = output.stderr_text();
    let words: Vec<&str> = stderr.split_whitespace().take(WORDS).collect();
    Ok(Reply {
        code,
        stdout: output.stdout_text(),
        complaint: words.join(" "),
    })
}
