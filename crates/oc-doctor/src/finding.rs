//! What a check has to say, in the words of the contract (`oc.doctor/1`).

use crate::document::SyntaxError;
use serde::{Deserialize, Serialize};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// May become a fault, or is a hint only: never repaired by itself.
    Warning,
    /// Keeps the service from running.
    Error,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Stable name; `oc-doctor explain ID` says more.
    pub id: String,
    /// How much it matters.
    pub severity: Severity,
    /// The key, path, port or process it is about.
    pub subject: String,
    /// One sentence for a person.
    pub message: String,
    /// The remedy that `fix` would use; null when there is none.
    pub remedy: Option<String>,
    /// Whether this run applied it.
    pub applied: bool,
    /// How it is taken back, once applied.
    pub undo: Option<String>,
    /// Line in the configuration, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// The line and a caret, secrets masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<String>,
    /// What a person would run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

impl Finding {
    /// A finding without a remedy yet.
    pub fn new(id: &str, severity: Severity, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            severity,
            subject: subject.into(),
            message: message.into(),
            remedy: None,
            applied: false,
            undo: None,
            line: None,
            column: None,
            excerpt: None,
            command: None,
        }
    }

    /// Something that keeps the service from running.
    pub fn error(id: &str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Error, subject, message)
    }

    /// Something that may.
    pub fn warning(id: &str, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(id, Severity::Warning, subject, message)
    }

    /// Adds the place of a syntax error.
    #[must_use]
    pub fn place(mut self, error: &SyntaxError) -> Self {
        (self.line, self.column) = (Some(error.line), Some(error.column));
        self.excerpt = Some(error.excerpt.clone()).filter(|e| !e.is_empty());
        self
    }

    /// Adds the command a person would run.
    #[must_use]
    pub fn command(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }

    /// Whether it keeps the service from running.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error
    }

    /// Whether it is the same thing, seen again.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.id == other.id && self.subject == other.subject
    }
}

/// How bad a set of findings is: a repair must make it less. No configuration at all is worse than any fault within one.
#[must_use]
pub fn weight(findings: &[Finding]) -> usize {
    findings
        .iter()
        .filter(|f| f.blocks())
        .map(|f| {
            if crate::checks::NO_CONFIGURATION.contains(&f.id.as_str()) {
                1000
            } else {
                1
            }
        })
        .sum()
}
