//! The answer of `run`.

use crate::agents::Agent;
use crate::attempt::Attempt;
use crate::session::Record;
use oc_core::Exit;
use oc_core::config::Driver;
use oc_core::fault::Result;
use oc_core::redact::clean_line;
use oc_core::run::Answer;
use oc_core::world::World;
use serde::Serialize;
use serde_json::{Value, json};
use std::path::PathBuf;

/// What `run` answers.
#[derive(Debug, Default, Serialize)]
pub struct Body {
    /// `planned`, `healthy`, `human_steps`, `no_plan`; without a session why.
    pub outcome: String,
    /// In whose words.
    pub detail: Option<String>,
    /// The last agent that was asked.
    pub agent: Option<String>,
    /// How it was run.
    pub driver: Driver,
    /// The session's name.
    pub session: Option<String>,
    /// All agents together.
    pub took_ms: u64,
    /// All agents together.
    pub turns: u32,
    /// All agents together.
    pub cost_usd: f64,
    /// Calls that were denied.
    pub denied: Vec<String>,
    /// For `oc-doctor apply`, when it would.
    pub plan: Option<PathBuf>,
    /// The plan's verbs.
    pub steps: Vec<Value>,
    /// What only a person can do.
    pub human_steps: Vec<String>,
    /// The conversation.
    pub transcript: Option<PathBuf>,
    /// For people.
    pub report: Option<PathBuf>,
    /// Each agent that was asked.
    pub attempts: Vec<Value>,
}

impl Body {
    /// Adds an attempt.
    pub(super) fn note(&mut self, agent: &Agent, record: &Record, attempt: &Attempt, transcript: PathBuf) {
        let account = &attempt.account;
        self.agent = Some(agent.name.clone());
        self.session = Some(record.id.clone());
        self.turns = self.turns.saturating_add(account.turns);
        self.cost_usd += account.usd();
        self.denied.extend(account.denied.iter().cloned());
        self.transcript = Some(transcript);
        self.attempts.push(json!({
            "agent": agent.name, "driver": record.driver, "session": record.id, "outcome": attempt.ended.end,
            "detail": attempt.ended.detail, "took_ms": u64::try_from(attempt.took.as_millis()).unwrap_or(u64::MAX),
            "turns": account.turns, "cost_usd": account.usd(),
        }));
    }

    /// Foreign words are in it.
    pub(super) fn redact(&mut self, world: &World) {
        let clean = |text: &mut String| *text = world.redactor().redact(&clean_line(text)).into_owned();
        self.denied
            .iter_mut()
            .chain(&mut self.human_steps)
            .chain(&mut self.detail)
            .for_each(clean);
        for value in self.steps.iter_mut().chain(&mut self.attempts) {
            *value = world.redactor().value(value);
        }
    }

    /// As an answer.
    pub(super) fn answer(&self, exit: Exit, verdict: &'static str) -> Result<Answer> {
        let mut text = self.outcome.clone();
        if let Some(detail) = &self.detail {
            text.push_str(&format!(": {detail}"));
        }
        text.push('\n');
        for step in &self.human_steps {
            text.push_str(&format!("  {step}\n"));
        }
        for (name, path) in [
            ("plan", &self.plan),
            ("report", &self.report),
            ("transcript", &self.transcript),
        ] {
            if let Some(path) = path {
                text.push_str(&format!("{name}: {}\n", path.display()));
            }
        }
        Ok(Answer::new("oc.claude-pty/1", exit, verdict, self)?.text(text))
    }
}
