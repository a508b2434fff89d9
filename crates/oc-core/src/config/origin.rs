//! Where each value came from, and `--print-config`.

use super::{Config, Loaded, secret};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// The source of a value, weakest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case", tag = "from")]
pub enum Origin {
    /// Built in.
    Default,
    /// The service's own configuration (`gateway.port` of openclaw.json).
    Service {
        /// The file.
        file: PathBuf,
    },
    /// Our config.json.
    File {
        /// The file.
        file: PathBuf,
    },
    /// A `.env` file.
    Dotenv {
        /// The file.
        file: PathBuf,
        /// The name in it.
        name: String,
    },
    /// The environment.
    Environment {
        /// The variable.
        name: String,
    },
    /// The command line.
    Flag {
        /// The flag.
        name: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Service { file } | Self::File { file } => {
                write!(f, "{}", file.file_name().unwrap_or_default().display())
            }
            Self::Dotenv { name, .. } => write!(f, ".env: {name}"),
            Self::Environment { name } => write!(f, "environment: {name}"),
            Self::Flag { name } => write!(f, "flag: {name}"),
        }
    }
}

/// The sources of all values that are not the default, by dotted key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<String, Origin>);

impl Origins {
    /// Where the value of a dotted key, such as `probe.timeout`, came from.
    #[must_use]
    pub fn of(&self, key: &str) -> &Origin {
        let mut at = key;
        loop {
            if let Some(origin) = self.0.get(at) {
                return origin;
            }
            match at.rsplit_once('.') {
                Some((parent, _)) => at = parent,
                None => return &Origin::Default,
            }
        }
    }

    pub(super) fn set(&mut self, key: &str, origin: Origin) {
        self.0.insert(key.to_owned(), origin);
    }

    /// Records `origin` for every value inside `value`.
    pub(super) fn set_all(&mut self, value: &Value, origin: &Origin) {
        for (key, _) in leaves(value) {
            self.set(&key, origin.clone());
        }
    }
}

/// Dotted keys and values; a list is one value, and so is an empty section.
fn leaves(value: &Value) -> Vec<(String, &Value)> {
    fn walk<'a>(prefix: &str, value: &'a Value, into: &mut Vec<(String, &'a Value)>) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                for (name, value) in map {
                    let key = if prefix.is_empty() {
                        name.clone()
                    } else {
                        format!("{prefix}.{name}")
                    };
                    walk(&key, value, into);
                }
            }
            _ => into.push((prefix.to_owned(), value)),
        }
    }
    let mut found = Vec::new();
    walk("", value, &mut found);
    found
}

/// `instances.NAME.KEY` holds what differs as plain JSON, not as the type that hides itself.
fn is_secret_of_instance(key: &str) -> bool {
    key.strip_prefix("instances.")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(_, key)| super::names::SECRET_KEYS.contains(&key))
}

impl Loaded {
    /// Every value with its origin, one a line, for a person. Secrets are shown as `(set, from ...)`.
    #[must_use]
    pub fn print_table(&self) -> String {
        let mut text = String::new();
        for (key, value, origin) in self.rows() {
            let line = if value == secret::SHOWN {
                format!("{key} = (set, from {origin})\n")
            } else {
                format!("{key} = {value}  ({origin})\n")
            };
            text.push_str(&line);
        }
        for note in &self.notes {
            text.push_str(&format!("# {note}\n"));
        }
        text
    }

    /// The same as the body of a `--json` answer: `{"config": {KEY: {"value", "origin"}}, "notes": [...]}`.
    #[must_use]
    pub fn print_json(&self) -> Value {
        let keys: Map<String, Value> = self
            .rows()
            .into_iter()
            .map(|(key, value, origin)| {
                let value = if value == secret::SHOWN {
                    format!("(set, from {origin})").into()
                } else {
                    value
                };
                (key, json!({"value": value, "origin": origin}))
            })
            .collect();
        json!({"config": keys, "notes": self.notes})
    }

    fn rows(&self) -> Vec<(String, Value, &Origin)> {
        let redactor = crate::redact::Redactor::patterns();
        let whole = serde_json::to_value::<&Config>(&self.config).unwrap_or_default();
        leaves(&whole)
            .into_iter()
            .map(|(key, value)| {
                let value = if is_secret_of_instance(&key) && value.is_string() {
                    secret::SHOWN.into()
                } else {
                    // Not every secret stands where one belongs: a password in a URL, a key among arguments.
                    redactor.value(value)
                };
                let origin = self.origins.of(&key);
                (key, value, origin)
            })
            .collect()
    }
}
