//! Keeps secrets and terminal tricks out of everything that leaves the process: logs, alerts, prompts, reports.
//!
//! Two nets: the exact values that are known (config.json, `.env`, environment, the service's configuration), in every
//! encoding they travel in, and the shapes of secrets nobody told us about. Hand-written scanners: one pass each, and
//! nothing to compile at start-up.

mod clean;
mod encodings;
mod shapes;

pub use clean::{clean, clean_line};
pub(crate) use shapes::{is_secret_name, named_values};

use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashMap;

/// Shorter values are words, not secrets: replacing them everywhere would ruin the text and hide nothing.
const MIN_LEN: usize = 6;

/// Replaces secrets by `[redacted:NAME]`.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Every encoding of every value, by its first four bytes; the longest first.
    needles: HashMap<[u8; 4], Vec<Needle>>,
    names: Vec<String>,
}

#[derive(Clone)]
struct Needle {
    text: String,
    name: usize,
}

impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Needle({})", self.name)
    }
}

impl Redactor {
    /// Knows shapes only.
    #[must_use]
    pub fn patterns() -> Self {
        Self::default()
    }

    /// Knows shapes and the given values, each with the name that stands for it. Values of fewer than six bytes are
    /// passed over.
    pub fn new<N: AsRef<str>, V: AsRef<str>>(secrets: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut redactor = Self::default();
        for (name, value) in secrets {
            redactor.add(name.as_ref(), value.as_ref());
        }
        redactor
    }

    /// Adds one value.
    pub fn add(&mut self, name: &str, value: &str) {
        let value = value.trim();
        // What is part of our own placeholders can be no secret, and replacing it would never end.
        if value.len() < MIN_LEN || "[redacted:".contains(value) || self.names.iter().any(|known| known == value) {
            return;
        }
        let name: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-') {
                    c
                } else {
                    '_'
                }
            })
            .take(64)
            .collect();
        let index = match self.names.iter().position(|known| *known == name) {
            Some(index) => index,
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        };
        for text in encodings::all(value) {
            let Some(head) = head(text.as_bytes()) else { continue };
            let bucket = self.needles.entry(head).or_default();
            if bucket.iter().all(|needle| needle.text != text) {
                bucket.push(Needle { text, name: index });
                bucket.sort_by_key(|needle| std::cmp::Reverse(needle.text.len()));
            }
        }
    }

    /// The text without secrets. Redacting twice changes nothing more.
    #[must_use]
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = self.replace_known(text);
        // What one shape leaves may be another one's beginning. Text made for it would need more rounds than any real one.
        for _ in 0..8 {
            match shapes::replace(&text, |text| self.placeholder_len(text)) {
                Some(redacted) => text = Cow::Owned(redacted),
                None => break,
            }
        }
        text
    }

    /// A JSON value without secrets: every text redacted, and whatever stands under a key such as `token`.
    #[must_use]
    pub fn value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.redact(text).into_owned()),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| {
                    let value = match value {
                        Value::String(text) if is_secret_name(key) && !text.is_empty() => {
                            if self.placeholder_len(text) == Some(text.len()) {
                                value.clone()
                            } else {
                                "[redacted:value]".into()
                            }
                        }
                        _ => self.value(value),
                    };
                    (self.redact(key).into_owned(), value)
                })
                .collect(),
            other => other.clone(),
        }
    }

    fn replace_known<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.needles.is_empty() {
            return Cow::Borrowed(text);
        }
        let bytes = text.as_bytes();
        let mut out = String::new();
        let (mut copied, mut at) = (0, 0);
        while let Some(head) = bytes.get(at..).and_then(head) {
            if head[0] == b'['
                && text.is_char_boundary(at)
                && let Some(len) = self.placeholder_len(&text[at..])
            {
                at += len;
                continue;
            }
            let hit = self.needles.get(&head).and_then(|bucket| {
                bucket
                    .iter()
                    .find(|needle| bytes[at..].starts_with(needle.text.as_bytes()))
            });
            match hit {
                Some(needle) => {
                    out.push_str(&text[copied..at]);
                    out.push_str("[redacted:");
                    out.push_str(&self.names[needle.name]);
                    out.push(']');
                    at += needle.text.len();
                    copied = at;
                }
                None => at += 1,
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }

    /// The length of the placeholder that the text begins with: one of ours, not a secret dressed up as one.
    fn placeholder_len(&self, text: &str) -> Option<usize> {
        let name = text.strip_prefix("[redacted:")?;
        let end = name.bytes().take(80).position(|b| b == b']')?;
        let name = &name[..end];
        let is_ours = shapes::NAMES.contains(&name) || self.names.iter().any(|known| known == name);
        is_ours.then_some("[redacted:]".len() + name.len())
    }
}

fn head(bytes: &[u8]) -> Option<[u8; 4]> {
    bytes.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_known_value_goes_whatever_stands_around_it() {
        let redactor = Redactor::new([("DISCORD_WEBHOOK_URL", "hunter2-hunter2"), ("short", "abc")]);
        let text = "xhunter2-hunter2y abc";
        assert_eq!(redactor.redact(text), "x[redacted:DISCORD_WEBHOOK_URL]y abc");
        assert!(matches!(redactor.redact("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_secret_dressed_up_as_a_placeholder_is_no_placeholder() {
        let redactor = Redactor::new([("key", "s3cretvalue")]);
        assert_eq!(redactor.redact("[redacted:s3cretvalue]"), "[redacted:[redacted:key]]");
        assert_eq!(
            redactor.redact("token=[redacted:other-s3cret-9]"),
            "token=[redacted:value]"
        );
    }

    #[test]
    fn json_is_redacted_by_key_and_by_content() {
        let redactor = Redactor::new([("key", "s3cretvalue")]);
        let value = serde_json::json!({"token": "x", "list": ["a s3cretvalue"], "maxTokens": 5, "s3cretvalue": null});
        let expected = serde_json::json!({
            "token": "[redacted:value]", "list": ["a [redacted:key]"], "maxTokens": 5, "[redacted:key]": null
        });
        assert_eq!(redactor.value(&value), expected);
        assert_eq!(redactor.value(&expected), expected);
    }

    fn secret() -> impl Strategy<Value = String> {
        "[A-Za-z0-9_/+=.:@!$&\"\\\\é -]{4,30}".prop_map(|tail| format!("Z9{tail}q8"))
    }

    proptest! {
        #[test]
        fn invariant_6_no_known_secret_survives_in_any_encoding(
            secret in secret(), before in ".{0,20}", after in ".{0,20}"
        ) {
            let redactor = Redactor::new([("K", &secret)]);
            for encoded in encodings::all(&secret) {
                let text = format!("{before}{encoded}{after}");
                let redacted = redactor.redact(&text);
                prop_assert!(!redacted.contains(&encoded), "{} -> {}", text, redacted);
            }
        }

        #[test]
        fn invariant_6_base64_of_a_longer_text_hides_none_of_it(
            secret in "[A-Za-z0-9]{16,30}", before in "[a-z:]{0,7}", after in "[a-z]{0,7}"
        ) {
            let redactor = Redactor::new([("K", &secret)]);
            let encoded = encodings::base64(format!("{before}{secret}{after}").as_bytes(), encodings::STANDARD);
            let redacted = redactor.redact(&encoded);
            prop_assert!(redacted.contains("[redacted:K]"), "{} -> {}", encoded, redacted);
        }

        #[test]
        fn redacting_twice_changes_nothing_more(
            text in "([A-Za-z0-9_:=\"'/@.,; \\[\\]{}\\\\\n-]{0,12}|token|password=|Bearer |://|eyJ|sk-|\\[redacted:|S3cretSecret|-----BEGIN PRIVATE KEY-----){0,12}"
        ) {
            let redactor = Redactor::new([("K", "S3cretSecret")]);
            let once = redactor.redact(&text).into_owned();
            prop_assert_eq!(redactor.redact(&once).into_owned(), once);
        }

        #[test]
        fn no_text_makes_it_panic(text: String, secret: String) {
            let redactor = Redactor::new([("K", &secret)]);
            drop((redactor.redact(&text), clean(&text), named_values(&text)));
        }
    }
}
