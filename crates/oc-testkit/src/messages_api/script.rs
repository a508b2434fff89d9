//! What the stand-in says: turns of text and tool calls, and the failures of the real API.

use super::answer;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The turns of one conversation, in order. As JSON:
///
/// ```json
/// {"values": {"work": "/incident/work"},
///  "turns": [{"text": "I look.", "calls": [{"name": "Read", "input": {"file_path": "{{work}}/openclaw.json"}}]},
///            {"fail": 529, "times": 2, "text": "Done."}]}
/// ```
///
/// In texts and inputs, `{{NAME}}` stands for a value of `values`, `{{after:MARK}}` for the word that follows the first MARK in
/// the conversation, `{{dir:MARK}}` for the directory of the path there: a script need not know a path that only the prompt
/// names.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// See above.
    pub turns: Vec<Turn>,
    /// See above.
    pub values: BTreeMap<String, String>,
}

/// One answer of the model.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Turn {
    /// What it says; may be empty.
    pub text: String,
    /// The tools it wants called; none ends the conversation.
    pub calls: Vec<Call>,
    /// How long it thinks.
    pub delay_ms: u64,
    /// What it is billed for in place of an estimate.
    pub output_tokens: Option<u64>,
    /// It fails in this way instead.
    pub fail: Option<Failure>,
    /// So often, and then answers; without a number, for ever.
    pub times: Option<u32>,
}

/// A call of a tool.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// `Read`, `Bash` ...
    pub name: String,
    /// Its arguments.
    pub input: Value,
}

/// A failure of the API. As JSON: a status, or one of the words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// 429 with the header that says that the limit of a subscription is reached.
    UsageLimit,
    /// 400 for want of credit.
    Credit,
    /// The stream breaks off in the middle.
    Cut,
    /// Takes the request and never answers.
    Silence,
    /// The API's own error for this status: 401, 403, 404, 429, 500, 529.
    #[serde(untagged)]
    Status(u16),
}

impl Script {
    /// From JSON.
    ///
    /// # Errors
    /// When it is none, or has fields that mean nothing here.
    pub fn parse(json: &str) -> serde_json::Result<Self> {
        serde_json::from_str(json)
    }

    /// These turns, without values.
    #[must_use]
    pub fn of(turns: impl IntoIterator<Item = Turn>) -> Self {
        Self {
            turns: turns.into_iter().collect(),
            values: BTreeMap::new(),
        }
    }

    /// What a good model would do about a configuration without `gateway.mode`, all of it on lines of its own; it learns the
    /// directory of the incident from the prompt alone.
    #[must_use]
    pub fn puts_mode_back() -> Self {
        let file = |name: &str| format!("/{{{{dir:Read /}}}}/{name}");
        let report = "# Cause\nThe key `gateway.mode` was gone.\n";
        Self::of([
            Turn::calls("Read", json!({"file_path": file("prompt.md")})),
            Turn::calls("Read", json!({"file_path": file("work/openclaw.json")})),
            Turn::calls(
                "Edit",
                json!({"file_path": file("work/openclaw.json"), "old_string": "\"port\":",
                    "new_string": "\"mode\": \"local\",\n    \"port\":"}),
            ),
            Turn::calls("Write", json!({"file_path": file("report.md"), "content": report})),
            Turn::says("gateway.mode was gone; it is in the working copy again."),
        ])
    }

    /// Nothing but this failure, for ever.
    #[must_use]
    pub fn failing(failure: Failure) -> Self {
        Self::of([Turn {
            fail: Some(failure),
            ..Turn::default()
        }])
    }

    pub(super) fn filled(&self, turn: &Turn, conversation: &Value) -> Turn {
        let mut turn = turn.clone();
        let heard = said(conversation);
        turn.text = self.fill(&turn.text, &heard);
        for call in &mut turn.calls {
            self.fill_all(&mut call.input, &heard);
        }
        turn
    }

    fn fill_all(&self, value: &mut Value, heard: &str) {
        match value {
            Value::String(text) => *text = self.fill(text, heard),
            Value::Array(items) => items.iter_mut().for_each(|item| self.fill_all(item, heard)),
            Value::Object(fields) => fields.values_mut().for_each(|field| self.fill_all(field, heard)),
            _ => {}
        }
    }

    fn fill(&self, text: &str, heard: &str) -> String {
        let mut parts = text.split("{{");
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            match part.split_once("}}") {
                Some((name, rest)) => filled.extend([&self.value(name, heard), rest]),
                None => filled.extend(["{{", part]),
            }
        }
        filled
    }

    fn value(&self, name: &str, heard: &str) -> String {
        let after = |mark: &str| {
            let rest = heard.split_once(mark).map_or("", |(_, rest)| rest.trim_start());
            let end = rest.find(|c: char| c.is_whitespace() || "\"'`,;".contains(c));
            rest[..end.unwrap_or(rest.len())].to_owned()
        };
        match name.split_once(':') {
            Some(("after", mark)) => after(mark),
            Some(("dir", mark)) => {
                let path = after(mark);
                Path::new(&path).parent().unwrap_or(Path::new("")).display().to_string()
            }
            _ => self.values.get(name).cloned().unwrap_or_default(),
        }
    }
}

/// Every text of the conversation.
fn said(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text}\n"),
        Value::Array(items) => items.iter().map(said).collect(),
        Value::Object(fields) => fields.values().map(said).collect(),
        _ => String::new(),
    }
}

impl Turn {
    /// Words, and the end of the conversation.
    #[must_use]
    pub fn says(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::default()
        }
    }

    /// The call of one tool.
    #[must_use]
    pub fn calls(name: &str, input: Value) -> Self {
        Self::default().and(name, input)
    }

    /// One more call in the same turn.
    #[must_use]
    pub fn and(mut self, name: &str, input: Value) -> Self {
        let name = name.to_owned();
        self.calls.push(Call { name, input });
        self
    }
}

impl Failure {
    /// What is answered; 0 for nothing.
    pub(super) fn status(&self) -> u16 {
        match self {
            Self::Status(status) => *status,
            Self::UsageLimit => 429,
            Self::Credit => 400,
            Self::Cut => 200,
            Self::Silence => 0,
        }
    }

    pub(super) fn answer(&self) -> Vec<u8> {
        let (kind, message) = match self {
            Self::Credit => (
                "invalid_request_error",
                "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
            ),
            Self::UsageLimit => ("rate_limit_error", "usage limit"),
            _ => match self.status() {
                401 => ("authentication_error", "invalid x-api-key"),
                403 => ("permission_error", "Request not allowed"),
                404 => ("not_found_error", "Not found"),
                429 => ("rate_limit_error", "This request would exceed your rate limit"),
                529 => ("overloaded_error", "Overloaded"),
                _ => ("api_error", "Internal server error"),
            },
        };
        let headers = match self {
            Self::UsageLimit => "anthropic-ratelimit-unified-status: rejected\r\n",
            _ => "",
        };
        let body = json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_stand_in"});
        answer::plain(self.status(), headers, &body)
    }
}
