//! The answer of the commands that do something, in one shape; a dry run prints the same.

use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::run::Answer;
use serde::Serialize;
use std::time::Duration;

/// How it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Carried out (on a dry run: would be).
    Done,
    /// There was nothing to do.
    Unchanged,
    /// A person's will or another fact forbids it.
    Refused,
    /// Tried, without success.
    Failed,
}

/// Body of `oc.guardian/1`.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// start, stop, restart, apply, ensure.
    pub command: &'static str,
    /// start, register, graceful, kill; null where it does not apply.
    pub method: Option<oc_core::report::Method>,
    /// How it went.
    pub outcome: Verdict,
    /// One sentence for a person.
    pub reason: String,
    /// The service's process before.
    pub before: Option<Identity>,
    /// The service's process after; on a dry run as before.
    pub after: Option<Identity>,
    /// How long it took.
    pub took_ms: u64,
    /// Nothing was touched.
    pub dry_run: bool,
}

impl Outcome {
    /// An outcome of `command`.
    #[must_use]
    pub fn new(command: &'static str, outcome: Verdict, reason: impl Into<String>) -> Self {
        Self {
            command,
            method: None,
            outcome,
            reason: reason.into(),
            before: None,
            after: None,
            took_ms: 0,
            dry_run: false,
        }
    }

    /// A plan: what would be done.
    #[must_use]
    pub fn planned(mut self) -> Self {
        self.dry_run = true;
        self
    }

    /// Names the processes before and after.
    #[must_use]
    pub fn processes(mut self, before: Option<Identity>, after: Option<Identity>) -> Self {
        (self.before, self.after) = (before, after);
        self
    }

    /// Says how long it took.
    #[must_use]
    pub fn took(mut self, time: Duration) -> Self {
        self.took_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// 0 done or nothing to do, 1 refused, 2 failed.
    ///
    /// # Errors
    /// 70 when it cannot be turned into JSON.
    pub fn answer(&self) -> Result<Answer> {
        let (exit, verdict) = match self.outcome {
            Verdict::Done => (Exit::Good, "done"),
            Verdict::Unchanged => (Exit::Good, "unchanged"),
            Verdict::Refused => (Exit::Answer(1), "refused"),
            Verdict::Failed => (Exit::Answer(2), "failed"),
        };
        self.answer_with(exit, verdict)
    }

    /// As [`Outcome::answer`] with another table of exit codes.
    ///
    /// # Errors
    /// As [`Outcome::answer`].
    pub fn answer_with(&self, exit: Exit, verdict: &'static str) -> Result<Answer> {
        let would = if self.dry_run { "dry run: " } else { "" };
        Ok(Answer::new("oc.guardian/1", exit, verdict, self)?.text(format!("{would}{}\n", self.reason)))
    }
}
