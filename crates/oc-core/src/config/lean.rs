//! config.json as one instance sees it. Every tool of every pass of every instance reads that file: with a thousand of them,
//! parsing what the others say would cost more than all the rest.

use super::names::SECRET_KEYS;
use serde::Deserialize as _;
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

type Parts<'a> = BTreeMap<Cow<'a, str>, &'a RawValue>;

/// Everything but the other instances; of those, who may have secrets, which must be known to be hidden. `None` when that
/// cannot be told apart: then all of it is to be parsed, which also finds the fault.
pub(super) fn parse(bytes: &[u8], name: &str) -> Option<Value> {
    let sections: Parts<'_> = serde_json::from_slice(bytes).ok()?;
    let mut lean = serde_json::Map::new();
    for (section, text) in sections {
        let value = match section.as_ref() {
            "instances" => instances(text, name)?,
            _ => parsed(text)?,
        };
        lean.insert(section.into_owned(), value);
    }
    Some(Value::Object(lean))
}

fn instances(text: &RawValue, name: &str) -> Option<Value> {
    let all: Parts<'_> = serde_json::from_str(text.get()).ok()?;
    let wanted = all
        .into_iter()
        .filter(|(other, text)| other == name || may_have_secrets(text.get()));
    wanted
        .map(|(name, text)| Some((name.into_owned(), parsed(text)?)))
        .collect()
}

fn may_have_secrets(text: &str) -> bool {
    // A key may be written with escapes.
    text.contains('\\')
        || SECRET_KEYS.iter().any(|key| {
            let mut parts = key.split('.');
            parts.all(|part| text.contains(part))
        })
}

fn parsed(text: &RawValue) -> Option<Value> {
    Value::deserialize(&mut serde_json::Deserializer::from_str(text.get())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_the_others_only_those_with_secrets_are_there() {
        let text = r#"{"language": "ko", "instances": {"a": {"language": "en"}, "b": {"probe": {"url": "http://b"}},
            "c": {"notify": {"slack": {"webhook_url": "http://c"}}}, "d": {"probe": {"tok\u0065n": "x"}}}}"#;
        let all: Value = serde_json::from_str(text).unwrap();
        let lean = parse(text.as_bytes(), "a").unwrap();
        assert_eq!(lean["language"], "ko");
        let kept = |name: &str| lean["instances"][name] == all["instances"][name];
        assert!(kept("a") && !kept("b") && kept("c") && kept("d"), "{lean}");
    }

    #[test]
    fn what_is_no_section_is_left_to_the_whole_parser() {
        for text in ["", "[]", "{\"instances\": 3}", "{\"instances\": {\"a\": 1e999}}"] {
            assert_eq!(parse(text.as_bytes(), "a"), None, "{text}");
        }
        assert_eq!(parse(b"{\"instances\": {}}", "a"), Some(json!({"instances": {}})));
    }
}
