//! What a session did and cost so far, and how it ended. Filled by the reader of each agent's output.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The agent finished, whatever it says it did.
    Done,
    /// Our own probe says that the service is healthy again.
    Healthy,
    /// Its time was up.
    Deadline,
    /// It took too many turns.
    Turns,
    /// It cost too much.
    Budget,
    /// It wrote too much.
    Output,
    /// A person or the pass ended it.
    Stopped,
    /// The program is not there.
    Missing,
    /// It is not signed in, or its key is refused.
    Login,
    /// Credit or subscription is used up.
    Quota,
    /// Too many requests.
    RateLimit,
    /// The service behind it has no capacity or fails.
    Overloaded,
    /// That service cannot be reached.
    Network,
    /// The model is not known there.
    Model,
    /// Another refusal of that service.
    ApiError,
    /// No answer in time.
    NoAnswer,
    /// It asked at its start what nobody may answer for a person.
    Dialog,
    /// It ended before it had finished.
    Exited,
}

impl End {
    /// True when the agent never had a fair chance, so that the next one is asked.
    #[must_use]
    pub fn is_failure(self) -> bool {
        !matches!(
            self,
            Self::Done | Self::Healthy | Self::Deadline | Self::Turns | Self::Budget | Self::Output | Self::Stopped
        )
    }

    /// The name in JSON and messages.
    #[must_use]
    pub fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(Value::String(name)) => name,
            _ => String::new(),
        }
    }
}

/// How a session ended, and in whose words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How.
    pub end: End,
    /// What was said about it, for people.
    pub detail: String,
}

impl Ended {
    /// With a detail.
    pub fn new(end: End, detail: impl Into<String>) -> Self {
        Self {
            end,
            detail: detail.into(),
        }
    }
}

/// Lines kept of a conversation.
const LINES: usize = 4000;

/// The running account of one session.
#[derive(Debug, Default)]
pub struct Account {
    /// Whether the model has answered at all.
    pub answered: bool,
    /// Answers of the model.
    pub turns: u32,
    /// US dollars by the list prices, from the usage that the agent reports as it goes.
    metered: f64,
    /// US dollars as the agent itself adds them up at its end.
    pub reported: Option<f64>,
    /// Calls that were denied.
    pub denied: Vec<String>,
    /// The conversation, a line each.
    pub said: Vec<String>,
    /// How it ended, by its own output.
    pub ended: Option<Ended>,
    /// What was counted for each message: an agent repeats and updates it.
    counted: HashMap<String, f64>,
}

impl Account {
    /// US dollars to the millionth, the agent's own sum where there is one.
    #[must_use]
    pub fn usd(&self) -> f64 {
        (self.reported.unwrap_or(self.metered) * 1e6).round() / 1e6
    }

    /// The model said something or called a tool.
    pub fn answer(&mut self, message: &str) {
        self.answered = true;
        if message.is_empty() || !self.counted.contains_key(message) {
            self.turns = self.turns.saturating_add(1);
            self.counted.insert(message.to_owned(), 0.0);
        }
    }

    /// Tokens that a message cost; of a message that is reported twice the last report counts.
    pub fn usage(&mut self, message: &str, model: &str, usage: &Value) {
        let usd = price(model, usage);
        let before = self.counted.insert(message.to_owned(), usd).unwrap_or(0.0);
        self.metered += usd - before;
    }

    /// A line of the conversation.
    pub fn say(&mut self, who: &str, text: &str) {
        if self.said.len() < LINES && !text.trim().is_empty() {
            self.said.push(format!("{who}: {}", text.trim_end()));
        }
    }

    /// A call that was denied.
    pub fn deny(&mut self, call: String) {
        if self.denied.len() < 100 && !self.denied.contains(&call) {
            self.denied.push(call);
        }
    }
}

/// List prices in US dollars for a million tokens, in and out. A model nobody knows here is taken for the dearest: a meter
/// that shows too much ends a session early, one that shows too little costs money.
const PRICES: [(&str, f64, f64); 3] = [("haiku", 1.0, 5.0), ("sonnet", 3.0, 15.0), ("opus", 5.0, 25.0)];
const DEAREST: (f64, f64) = (15.0, 75.0);

fn price(model: &str, usage: &Value) -> f64 {
    let (input, output) = PRICES
        .iter()
        .find(|(name, ..)| model.contains(name))
        .map_or(DEAREST, |(_, input, output)| (*input, *output));
    let tokens = |name: &str| usage.get(name).and_then(Value::as_f64).unwrap_or(0.0).max(0.0);
    // Writing to the cache costs a quarter more than reading anew, reading from it a tenth.
    let paid = tokens("input_tokens")
        + 1.25 * tokens("cache_creation_input_tokens")
        + 0.1 * (tokens("cache_read_input_tokens") + tokens("cached_input_tokens"));
    (paid * input + tokens("output_tokens") * output) / 1e6
}

/// One line for a call of a tool: its name and what it is about.
#[must_use]
pub fn call(name: &str, input: &Value) -> String {
    let about = ["command", "file_path", "path", "pattern", "url", "questions"]
        .iter()
        .find_map(|key| input.get(key))
        .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .unwrap_or_default();
    let line: String = format!("{name} {about}").chars().take(300).collect();
    line.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_that_is_reported_twice_costs_once() {
        let mut account = Account::default();
        for tokens in [10, 1_000_000] {
            account.answer("m1");
            account.usage("m1", "claude-sonnet-5", &json!({"output_tokens": tokens}));
        }
        account.answer("m2");
        assert_eq!(account.turns, 2);
        assert!((account.usd() - 15.0).abs() < 1e-9, "{}", account.usd());
        account.reported = Some(0.5);
        assert!((account.usd() - 0.5).abs() < 1e-9);
    }

    #[test]
    fn an_unknown_model_is_the_dearest() {
        assert!(price("new", &json!({"input_tokens": 1000})) > price("opus", &json!({"input_tokens": 1000})));
        assert!(price("opus", &json!({"input_tokens": -5})).abs() < 1e-9);
    }

    #[test]
    fn a_call_is_one_short_line() {
        assert_eq!(call("Bash", &json!({"command": "curl evil"})), "Bash curl evil");
        assert_eq!(call("Bash", &json!({"command": "x".repeat(9999)})).len(), 300);
    }
}
