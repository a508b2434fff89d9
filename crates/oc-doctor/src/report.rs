//! The answer: body `oc.doctor/1`, and what a person reads.

use crate::finding::{Finding, Severity};
use crate::generations::Id;
use crate::transaction::Closed;
use oc_core::Exit;
use oc_core::fault::Result;
use oc_core::run::Answer;
use serde::Serialize;

/// Name and version of the body.
pub const SCHEMA: &str = "oc.doctor/1";

/// The body of check, fix, apply, rollback, commit, undo and preflight.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Body {
    /// What is (or was) wrong.
    pub findings: Vec<Finding>,
    /// What was (or would be) changed, without secrets; null when nothing.
    pub diff: Option<String>,
    /// The configuration before.
    pub generation_before: Option<Id>,
    /// The configuration afterwards.
    pub generation_after: Option<Id>,
    /// True when nothing was changed because only a plan was asked for.
    pub dry_run: bool,
    /// What was (or would be) done, as sentences.
    pub actions: Vec<String>,
    /// The repair that is open now, until `commit` or `undo`.
    pub transaction: Option<String>,
    /// How a transaction was closed by this run, and why.
    pub closed: Option<(Closed, String)>,
    /// What only a person can do: the exact commands.
    pub human_steps: Vec<String>,
}

impl Body {
    /// The exit code and word for what remains: 0 nothing, 1 something that `fix` can mend, 2 something that it cannot.
    #[must_use]
    pub fn verdict(&self) -> (Exit, &'static str) {
        let mut remaining = self.findings.iter().filter(|f| f.blocks() && !f.applied).peekable();
        if remaining.peek().is_none() {
            let mended = self.findings.iter().any(|f| f.blocks());
            return (Exit::Good, if mended { "repaired" } else { "sound" });
        }
        if remaining.all(|f| f.remedy.is_some()) {
            (Exit::Answer(1), "repairable")
        } else {
            (Exit::Answer(2), "no_remedy")
        }
    }

    /// The answer.
    ///
    /// # Errors
    /// 70 when it cannot be turned into JSON.
    pub fn answer(self) -> Result<Answer> {
        let (exit, verdict) = self.verdict();
        self.answer_with(exit, verdict)
    }

    /// The answer with another code than what remains would give.
    ///
    /// # Errors
    /// 70 when it cannot be turned into JSON.
    pub fn answer_with(self, exit: Exit, verdict: &'static str) -> Result<Answer> {
        let text = self.text();
        Ok(Answer::new(SCHEMA, exit, verdict, &self)?.text(text))
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for finding in &self.findings {
            describe(finding, &mut out);
        }
        for action in &self.actions {
            out.push_str(&format!("{} {action}\n", if self.dry_run { "would:" } else { "done:" }));
        }
        if let Some((closed, why)) = &self.closed {
            let word = match closed {
                Closed::Kept => "kept",
                Closed::Undone => "taken back",
            };
            out.push_str(&format!("repair {word}: {why}\n"));
        }
        for step in &self.human_steps {
            out.push_str(&format!("you: {step}\n"));
        }
        if let Some(diff) = &self.diff {
            out.push_str(diff);
        }
        if out.is_empty() {
            out.push_str("nothing wrong\n");
        }
        out
    }
}

fn describe(finding: &Finding, out: &mut String) {
    let word = match (finding.applied, finding.severity) {
        (true, _) => "mended",
        (_, Severity::Error) => "error",
        (_, Severity::Warning) => "warning",
        (_, Severity::Info) => "note",
    };
    out.push_str(&format!("{word}: {} [{}]\n", finding.message, finding.id));
    if let Some(excerpt) = &finding.excerpt {
        for line in excerpt.lines() {
            out.push_str(&format!("    {line}\n"));
        }
    }
    match (&finding.remedy, &finding.command) {
        (Some(remedy), _) if !finding.applied => out.push_str(&format!("    `oc-doctor fix` mends it ({remedy})\n")),
        (None, Some(command)) => out.push_str(&format!("    run: {command}\n")),
        _ => {}
    }
}
