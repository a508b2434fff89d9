//! config.json against `schemas/config.schema.json`: every mistake with its place, what was expected, what was found, and
//! what to do.

use crate::fault::Fault;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use std::path::Path;

/// The schema of config.json, for people's editors and for us.
pub const SCHEMA: &str = include_str!("../../../../schemas/config.schema.json");

/// Checks the content of `file`.
///
/// # Errors
/// 78 with the first mistake (and how many more there are); 70 when our own schema is broken.
pub(super) fn check(file: &Path, content: &Value) -> Result<(), Fault> {
    let schema: Value = serde_json::from_str(SCHEMA).map_err(|e| Fault::internal(format_args!("schema: {e}")))?;
    let validator = jsonschema::validator_for(&schema).map_err(|e| Fault::internal(format_args!("schema: {e}")))?;
    let mut mistakes = validator.iter_errors(content);
    let Some(first) = mistakes.next() else {
        return Ok(());
    };
    let more = match mistakes.count() {
        0 => String::new(),
        n => format!(" (and {n} more)"),
    };
    let (what, hint) = describe(&schema, &first);
    Err(Fault::config(format_args!("{}: {what}{more}", file.display())).hint(hint))
}

fn describe(schema: &Value, error: &ValidationError<'_>) -> (String, String) {
    let pointer = error.instance_path().as_str().to_owned();
    let at = dotted(&pointer);
    let node = node_at(schema, &pointer);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let key = unexpected.first().map_or("", String::as_str);
            let known: Vec<&str> = node
                .and_then(|node| node.get("properties")?.as_object())
                .map(|map| {
                    map.keys()
                        .map(String::as_str)
                        .filter(|name| *name != "$schema")
                        .collect()
                })
                .unwrap_or_default();
            let whole = if at.is_empty() {
                key.to_owned()
            } else {
                format!("{at}.{key}")
            };
            let hint = match nearest(key, &known) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None if known.len() <= 12 => format!("known here: {}", known.join(", ")),
                None => "remove it; schemas/config.schema.json lists what is known".to_owned(),
            };
            (format!("unknown key {:?}", shorten(&whole)), hint)
        }
        ValidationErrorKind::Required { property } => (
            format!("{}: {property} is missing", place(&at)),
            format!("add {property}"),
        ),
        _ => {
            let expected = node.map_or_else(|| error.masked().to_string(), expected);
            let found = if super::names::SECRET_KEYS.contains(&at.as_str()) {
                kind_of(error.instance()).to_owned()
            } else {
                shorten(&error.instance().to_string())
            };
            (
                format!("{}: expected {expected}, found {found}", place(&at)),
                format!("correct {}, or remove it to use the default", place(&at)),
            )
        }
    }
}

fn place(at: &str) -> &str {
    if at.is_empty() { "the whole file" } else { at }
}

/// `/probe/deep/0/url` as people write it: `probe.deep.0.url`.
fn dotted(pointer: &str) -> String {
    let parts: Vec<String> = pointer
        .split('/')
        .skip(1)
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect();
    parts.join(".")
}

/// The part of the schema that speaks about a place in the file.
fn node_at<'a>(schema: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut node = schema;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        let node_in = |node: &'a Value| {
            node.get("properties")
                .and_then(|map| map.get(&part))
                .or_else(|| node.get("items"))
                .or_else(|| node.get("additionalProperties"))
        };
        node = follow(schema, node_in(node)?)?;
    }
    Some(node)
}

fn follow<'a>(schema: &'a Value, node: &'a Value) -> Option<&'a Value> {
    match node.get("$ref").and_then(Value::as_str) {
        Some(reference) => schema.pointer(reference.strip_prefix('#')?),
        None => Some(node),
    }
}

/// What a schema node wants, in words.
fn expected(node: &Value) -> String {
    if let Some(title) = node.get("title").and_then(Value::as_str) {
        return title.to_owned();
    }
    if let Some(options) = node.get("enum").and_then(Value::as_array) {
        let words: Vec<String> = options.iter().map(Value::to_string).collect();
        return format!("one of {}", words.join(", "));
    }
    let types: Vec<&str> = match node.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    };
    let words: Vec<&str> = types
        .iter()
        .map(|word| match *word {
            "object" => "a section in braces",
            "array" => "a list in brackets",
            "integer" => "a whole number",
            "number" => "a number",
            "string" => "a text in quotes",
            "boolean" => "true or false",
            other => other,
        })
        .collect();
    let mut text = words.join(" or ");
    match (node.get("minimum"), node.get("maximum")) {
        (Some(min), Some(max)) => text.push_str(&format!(" from {min} to {max}")),
        (Some(min), None) => text.push_str(&format!(" of at least {min}")),
        _ => {}
    }
    text
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "another text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a section",
    }
}

fn shorten(text: &str) -> String {
    let clean = crate::redact::clean_line(text);
    match clean.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", &clean[..at]),
        None => clean.into_owned(),
    }
}

/// The known key that a mistyped one was meant to be.
fn nearest<'a>(key: &str, known: &[&'a str]) -> Option<&'a str> {
    if key.len() > 64 {
        return None;
    }
    let plain = |text: &str| text.to_ascii_lowercase().replace('-', "_");
    let (distance, near) = known
        .iter()
        .map(|name| (distance(&plain(key), name), *name))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + near.len() / 4).then_some(near)
}

/// Edits (insert, delete, replace, swap neighbours) from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before = vec![0; to.len() + 1];
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let mut best = (row[j] + usize::from(a != b)).min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(before[j - 1] + 1);
            }
            next.push(best);
        }
        before = row;
        row = next;
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use serde_json::json;

    fn fault(content: Value) -> (String, String) {
        let fault = check(Path::new("config.json"), &content).unwrap_err();
        assert_eq!(fault.exit, crate::Exit::Config);
        (fault.what, fault.hint.unwrap())
    }

    #[test]
    fn a_mistake_is_named_with_place_expectation_and_fix() {
        for (content, what, hint) in [
            (
                json!({"probe": {"timout": "5s"}}),
                "unknown key \"probe.timout\"",
                "did you mean \"timeout\"?",
            ),
            (json!({"prob": {}}), "unknown key \"prob\"", "did you mean \"probe\"?"),
            (
                json!({"probe": {"tries": 0}}),
                "probe.tries: expected a whole number from 1 to 100, found 0",
                "correct probe.tries",
            ),
            (
                json!({"probe": {"timeout": "soon"}}),
                "probe.timeout: expected a length of time like \"30s\", or whole seconds, found \"soon\"",
                "correct probe.timeout",
            ),
            (
                json!({"service": {"manager": "upstart"}}),
                "service.manager: expected one of \"auto\", \"launchd\", \"systemd\", \"embedded\", found \"upstart\"",
                "",
            ),
            (
                json!({"probe": {"url": "http://127.0.0.1:70000"}}),
                "probe.url: expected",
                "",
            ),
            (
                json!({"probe": {"deep": [{"url": "http://x/"}]}}),
                "probe.deep.0: \"name\" is missing",
                "add \"name\"",
            ),
            (
                json!({"agent": {"enabled": "yes"}}),
                "agent.enabled: expected true or false",
                "",
            ),
            (
                json!({"instances": {"work": {"probe": {"tires": 3}}}}),
                "unknown key \"instances.work.probe.tires\"",
                "did you mean \"tries\"?",
            ),
            (json!([]), "the whole file: expected a section in braces, found []", ""),
        ] {
            let (said, advised) = fault(content);
            assert!(said.contains(what), "{said}");
            assert!(advised.contains(hint), "{advised}");
        }
    }

    #[test]
    fn invariant_6_a_secret_in_the_wrong_form_is_not_repeated() {
        let (what, hint) = fault(json!({"notify": {"telegram": {"bot_token": 987_654_321}}}));
        assert!(!what.contains("987654321") && !hint.contains("987654321"), "{what}");
    }

    /// Every key of the schema's sections that has a default, with it.
    fn defaults(schema: &Value, node: &Value) -> Value {
        if let Some(default) = node.get("default") {
            return default.clone();
        }
        let node = follow(schema, node).unwrap();
        match node.get("properties").and_then(Value::as_object) {
            Some(properties) => properties
                .iter()
                .filter(|(name, _)| *name != "$schema")
                .map(|(name, node)| (name.clone(), defaults(schema, node)))
                .collect(),
            None => Value::Null,
        }
    }

    #[test]
    fn schema_and_types_know_the_same_keys_and_defaults() {
        let ours = serde_json::to_value(Config::default()).unwrap();
        check(Path::new("config.json"), &ours).expect("a new field needs its line in schemas/config.schema.json");
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        assert_eq!(
            defaults(&schema, &schema),
            ours,
            "a new field needs its line in schemas/config.schema.json, with its default"
        );
    }

    #[test]
    fn every_documented_field_is_accepted() {
        let content = json!({
            "$schema": "schemas/config.schema.json",
            "language": "ko",
            "probe": {
                "url": "http://[::1]:8080",
                "token": "t",
                "liveness": {"status": 200, "text": "ok", "json": {"a": [1]}, "max_age": {"pointer": "/at", "within": 60}},
                "memory_limit": 1_000_000,
                "deep": [
                    {"name": "telegram", "url": "/x", "timeout": "1s", "expect": {"status": 204}, "action": "restart"},
                    {"name": "cmd", "command": ["true"]}
                ]
            },
            "agent": {"enabled": true, "commands": {"mine": ["my-agent", "{prompt}"]}},
            "notify": {"discord": {"webhook_url": "https://discord.com/api/webhooks/1/a"}, "exec": ["mail"]},
            "instances": {"work": {"profile": "w", "openclaw_dir": "/srv/w", "language": "en", "probe": {"tries": 1},
                "service": {"kind": "generic"}, "policy": {"interval": 5}, "doctor": {}, "agent": {}, "notify": {},
                "report": {"digest": "daily"}}}
        });
        check(Path::new("config.json"), &content).unwrap();
        let mut content = content;
        content.as_object_mut().unwrap().remove("$schema");
        serde_json::from_value::<Config>(content).unwrap();
    }

    #[test]
    fn a_typo_finds_its_key_and_nonsense_does_not() {
        let known = ["timeout", "tries", "interval"];
        assert_eq!(nearest("timeuot", &known), Some("timeout"));
        assert_eq!(nearest("Interval", &known), Some("interval"));
        assert_eq!(nearest("webhook", &known), None);
        assert_eq!(nearest("", &[]), None);
    }
}
