//! Which values of a configuration nobody may see, and how a line is shown without them.

use crate::document::Document;
use serde_json::Value;

/// Parts of key names whose values are secrets.
const NAMES: [&str; 13] = [
    "token",
    "password",
    "passwd",
    "secret",
    "apikey",
    "api_key",
    "credential",
    "webhook",
    "cookie",
    "authorization",
    "privatekey",
    "private_key",
    "bearer",
];
/// Runs of such characters at least this long are shown as a mask wherever they stand.
const OPAQUE: usize = 24;

/// Whether a key's value is a secret.
#[must_use]
pub fn is_secret_name(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    NAMES.iter().any(|name| key.contains(name)) || key == "key" || key.ends_with("_key") || key.ends_with("-key")
}

/// Every secret text in a configuration: values under telling names, everything under `env`.
#[must_use]
pub fn of(value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(value, false, &mut found);
    longest_first(&mut found);
    found
}

/// Every text of a configuration that nobody may see: [`of`], and what looks like a key wherever it stands.
#[must_use]
pub fn and_opaque(value: &Value) -> Vec<String> {
    fn opaque(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.values().for_each(|v| opaque(v, found)),
            Value::Array(items) => items.iter().for_each(|v| opaque(v, found)),
            Value::String(text) => {
                let mut masked: Vec<char> = text.chars().collect();
                mask_opaque(&mut masked);
                if !text.chars().eq(masked) {
                    found.push(text.clone());
                }
            }
            _ => {}
        }
    }
    let mut found = of(value);
    opaque(value, &mut found);
    longest_first(&mut found);
    found
}

/// In the order in which they must be replaced: a part of one must not be replaced before the whole.
pub fn longest_first(secrets: &mut Vec<String>) {
    secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    secrets.dedup();
}

fn collect(value: &Value, secret: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                // `auth: {mode: "token"}` names a kind, not a value.
                let plain = key == "mode" || key == "enabled";
                collect(value, !plain && (secret || is_secret_name(key) || key == "env"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, secret, found)),
        // A reference to a variable is not the value.
        Value::String(text) if secret && text.len() >= 3 && !text.starts_with("${") => found.push(text.clone()),
        Value::Number(n) if secret => found.push(n.to_string()),
        _ => {}
    }
}

/// `text` with every whole occurrence of `secret` replaced: the token `tok` is not part of the word `token`.
#[must_use]
pub fn replace_whole(text: &str, secret: &str, by: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, after) = (&rest[..at], &rest[at + secret.len()..]);
        out.push_str(before);
        let inside = before
            .chars()
            .next_back()
            .or_else(|| out.chars().next_back())
            .is_some_and(char::is_alphanumeric)
            || after.starts_with(char::is_alphanumeric);
        out.push_str(if inside { secret } else { by });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A line of configuration text with every secret replaced by as many asterisks. Works on damaged text too: it goes by
/// the words on the line, not by structure.
#[must_use]
pub fn mask_keeping_width(line: &str) -> String {
    let mut out: Vec<char> = line.chars().collect();
    let mut from = 0;
    while let Some(colon) = secret_colon(&out[from..]).map(|at| from + at) {
        let value = quoted_value(&out, colon + 1);
        let (begin, end) = value
            .clone()
            .map_or((colon + 1, out.len()), |range| (range.start, range.end));
        out[begin..end]
            .iter_mut()
            .filter(|c| value.is_some() || !matches!(c, ' ' | ',' | '"' | '\'' | '{' | '}' | '[' | ']' | ':'))
            .for_each(|c| *c = '*');
        from = end;
    }
    mask_opaque(&mut out);
    out.into_iter().collect()
}

/// A value in quotes, behind which stands what may stand behind a value: what is between the quotes. `None` when that is not
/// how it looks; then nothing tells where it ends, and everything behind it on the line is masked.
fn quoted_value(line: &[char], from: usize) -> Option<std::ops::Range<usize>> {
    let open = from + line[from..].iter().position(|c| !c.is_whitespace())?;
    let quote = *line.get(open).filter(|c| matches!(c, '"' | '\''))?;
    let mut at = open + 1;
    while *line.get(at)? != quote {
        at += if line[at] == '\\' { 2 } else { 1 };
    }
    let next = line[at + 1..].iter().find(|c| !c.is_whitespace());
    next.is_none_or(|c| matches!(c, ',' | '}' | ']'))
        .then_some(open + 1..at)
}

/// The first colon after a key that names a secret.
fn secret_colon(line: &[char]) -> Option<usize> {
    let mut word = String::new();
    for (at, c) in line.iter().enumerate() {
        match c {
            ':' if is_secret_name(&word) => return Some(at),
            c if c.is_alphanumeric() || matches!(c, '_' | '-') => word.push(*c),
            '"' | '\'' | ' ' | '\t'
                if line[at..].iter().find(|c| !matches!(c, '"' | '\'' | ' ' | '\t')) == Some(&':') => {}
            _ => word.clear(),
        }
    }
    None
}

/// Every secret in a text that may be damaged: by structure where it can be understood, and by the words on each line.
/// The same text always gives the same list.
#[must_use]
pub fn in_text(text: &str) -> Vec<String> {
    let parsed = Document::parse(text.as_bytes(), oc_core::config::ConfigType::Json5);
    let mut found = parsed.map(|document| of(&document.value)).unwrap_or_default();
    for line in text.lines() {
        let masked: Vec<char> = mask_keeping_width(line).chars().collect();
        let mut word = String::new();
        for (c, m) in line.chars().zip(masked.iter().copied().chain(std::iter::repeat(' '))) {
            if m == '*' && c != '*' {
                word.push(c);
            } else if word.chars().count() >= 3 {
                found.push(std::mem::take(&mut word));
            } else {
                word.clear();
            }
        }
        if word.chars().count() >= 3 {
            found.push(word);
        }
    }
    // Only what stands in the text as it is can be replaced there.
    found.retain(|secret| text.contains(secret.as_str()) && !matches!(secret.as_str(), "true" | "false" | "null"));
    longest_first(&mut found);
    found
}

fn mask_opaque(out: &mut [char]) {
    let opaque = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '=');
    let mut from = 0;
    while from < out.len() {
        let run = out[from..].iter().take_while(|c| opaque(c)).count();
        let part = &out[from..from + run];
        if run >= OPAQUE && part.iter().any(char::is_ascii_digit) && part.iter().any(char::is_ascii_alphabetic) {
            out[from..from + run].fill('*');
        }
        from += run.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_line_with_everything_on_it_only_the_secrets_are_hidden() {
        let line = r#"{"gateway":{"mode":"local" "auth":{"mode":"token","token":"tok \" hush"}},"botToken": 'x1','name':"me"}"#;
        let shown = mask_keeping_width(line);
        assert_eq!(
            shown,
            r#"{"gateway":{"mode":"local" "auth":{"mode":"token","token":"***********"}},"botToken": '**','name':"me"}"#
        );
    }

    #[test]
    fn where_a_secret_ends_is_never_guessed() {
        for line in [
            r#""token":"hush,"name":"hush"}"#,
            r#""token":"a"hush","x":"hush"}"#,
            r#""token":hush,"x":"hush"}"#,
            r#""token":{"a":"hush"},"x":"hush"}"#,
            r#""token":"hush"#,
            r#""token":["hush","hush"]"#,
            r#""token":"x" hush"#,
        ] {
            assert!(!mask_keeping_width(line).contains("hush"), "{line}");
        }
    }

    #[test]
    fn secrets_are_found_by_name_and_below_env() {
        let found = of(
            &json!({"gateway": {"auth": {"mode": "token", "token": "tok-abc"}}, "env": {"vars": {"X": "hidden"}},
            "channels": {"telegram": {"botToken": "1:abc", "name": "me"}}, "ref": {"apiKey": "${KEY}"}}),
        );
        assert_eq!(found.len(), 3, "{found:?}");
        for secret in ["tok-abc", "hidden", "1:abc"] {
            assert!(found.iter().any(|f| f == secret), "{secret}");
        }
    }

    #[test]
    fn only_whole_occurrences_are_replaced() {
        assert_eq!(replace_whole("token: 'tok', tok", "tok", "***"), "token: '***', ***");
    }

    #[test]
    fn masked_lines_keep_their_width() {
        for line in [
            "  token: 'abc', x",
            "mode: 'token'",
            "  \"password\": \"p\u{e4}ss\"",
            "a: 0123456789abcdef0123456789abcdef",
            "token",
            "plain: 'text'",
        ] {
            assert_eq!(mask_keeping_width(line).chars().count(), line.chars().count());
        }
        assert_eq!(mask_keeping_width("mode: 'token'"), "mode: 'token'");
        assert_eq!(
            mask_keeping_width("\"auth\": { \"token\" : \"s3cret\" }"),
            "\"auth\": { \"token\" : \"******\" }"
        );
    }
}
