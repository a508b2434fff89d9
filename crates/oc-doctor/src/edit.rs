//! The smallest change of a text: one key set or dropped, every other byte as it was, comments included.

use crate::document;
use jsonc_parser::cst::{CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode};
use serde_json::Value;

/// Sets the value at a path; objects on the way are made when they are missing. `None` when the path leads through
/// something that is no object, or the text is not JSON5.
#[must_use]
pub fn set(text: &str, path: &[String], value: &Value) -> Option<String> {
    let root = CstRootNode::parse(text, &document::strict()).ok()?;
    let (last, parents) = path.split_last()?;
    let mut node = root.value()?;
    for (depth, key) in parents.iter().enumerate() {
        node = match child(&node, key) {
            Some(next) => next,
            None => {
                // Everything below here is missing: one nested value takes its place.
                let nested = path[depth + 1..].iter().rev().fold(value.clone(), |inner, key| {
                    Value::Object([(key.clone(), inner)].into_iter().collect())
                });
                append(&node.as_object()?, key, &nested);
                return changed(text, &root);
            }
        };
    }
    match (&node, property(&node, last)) {
        (_, Some(existing)) => existing.set_value(input(value)),
        (node, None) => {
            let object = node.as_object();
            match (object, child(node, last)) {
                (Some(object), _) => append(&object, last, value),
                (None, Some(element)) => {
                    replace(element, value)?;
                }
                (None, None) => return None,
            }
        }
    }
    changed(text, &root)
}

/// Drops the key (or array element) at a path, its comma and its line. `None` when there is none.
#[must_use]
pub fn remove(text: &str, path: &[String]) -> Option<String> {
    let root = CstRootNode::parse(text, &document::strict()).ok()?;
    let (last, parents) = path.split_last()?;
    let mut node = root.value()?;
    for key in parents {
        node = child(&node, key)?;
    }
    match property(&node, last) {
        Some(property) => property.remove(),
        None => child(&node, last)?.remove(),
    }
    changed(text, &root)
}

fn changed(text: &str, root: &CstRootNode) -> Option<String> {
    let new = root.to_string();
    (new != text).then_some(new)
}

/// With a key written twice the last one counts, as in JavaScript.
fn property(node: &CstNode, key: &str) -> Option<CstObjectProp> {
    node.as_object()?
        .properties()
        .into_iter()
        .rev()
        .find(|p| p.decoded_name().is_some_and(|name| name == key))
}

fn child(node: &CstNode, key: &str) -> Option<CstNode> {
    match node.as_array() {
        Some(array) => array.elements().into_iter().nth(key.parse().ok()?),
        None => property(node, key)?.value(),
    }
}

fn append(object: &CstObject, key: &str, value: &Value) {
    object.append(key, input(value));
}

fn replace(element: CstNode, value: &Value) -> Option<()> {
    let array = element.parent()?.as_array()?;
    let index = element.element_index()?;
    element.remove();
    array.insert(index, input(value));
    Some(())
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(b) => CstInputValue::Bool(*b),
        Value::Number(n) => CstInputValue::Number(n.to_string()),
        Value::String(s) => CstInputValue::String(s.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => CstInputValue::Object(map.iter().map(|(k, v)| (k.clone(), input(v))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Document, keys};
    use oc_core::config::ConfigType;
    use serde_json::json;

    const COMMENTED: &str = "// head\n{\n  // why loopback\n  gateway: {\n    port: 18800, // ours\n    'bind': 'loopback',\n  },\n  \"$include\": \"./more.json5\",\n  list: [1, 2,],\n}\n// tail\n";

    #[test]
    fn a_missing_key_is_added_and_nothing_else_moves() {
        let new = set(COMMENTED, &keys("gateway.mode"), &json!("local")).unwrap();
        let added: Vec<&str> = new.lines().filter(|l| !COMMENTED.lines().any(|o| o == *l)).collect();
        assert_eq!(added, ["    \"mode\": \"local\","]);
        assert_eq!(new.lines().count(), COMMENTED.lines().count() + 1);
        assert_eq!(
            remove(&new, &keys("gateway.mode")).unwrap(),
            COMMENTED,
            "and it can be taken out again"
        );
    }

    #[test]
    fn a_wrong_value_is_replaced_in_place() {
        let new = set(COMMENTED, &keys("gateway.port"), &json!(1)).unwrap();
        assert_eq!(new, COMMENTED.replace("18800", "1"));
        let new = set(COMMENTED, &keys("list.1"), &json!(5)).unwrap();
        assert_eq!(
            Document::parse(new.as_bytes(), ConfigType::Json5).unwrap().value["list"],
            json!([1, 5])
        );
    }

    #[test]
    fn a_key_goes_with_its_line_only() {
        let new = remove(COMMENTED, &keys("gateway.bind")).unwrap();
        assert_eq!(new, COMMENTED.replace("    'bind': 'loopback',\n", ""));
        assert_eq!(remove(COMMENTED, &keys("gateway.nothing")), None);
    }

    #[test]
    fn missing_parents_are_made_and_scalars_in_the_way_are_not_overwritten() {
        let new = set("{}", &keys("gateway.auth.mode"), &json!("token")).unwrap();
        let value = Document::parse(new.as_bytes(), ConfigType::Json5).unwrap().value;
        assert_eq!(value, json!({"gateway": {"auth": {"mode": "token"}}}));
        assert_eq!(set("{gateway: 1}", &keys("gateway.mode"), &json!("local")), None);
    }

    #[test]
    fn the_last_of_two_equal_keys_is_the_one_that_counts() {
        let new = set("{a: 1, a: 'x'}", &keys("a"), &json!(2)).unwrap();
        assert_eq!(new, "{a: 1, a: 2}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_edited_the_rest_means_the_same(
            text in r#"\{( ?(//x\n)?['"]?[abc]['"]?: ?([0-9]{1,2}|'y'|\[1, ?2,?\]|\{d: 1,?\}),\n?){0,4}\}"#,
            key in "[abcd]",
        ) {
            let path = vec![key.clone()];
            let Ok(before) = Document::parse(text.as_bytes(), ConfigType::Json5) else { return Ok(()) };
            for (new, expected) in [
                (set(&text, &path, &json!(true)), Some(json!(true))),
                (remove(&text, &path), None),
            ] {
                let Some(new) = new else { continue };
                let after = Document::parse(new.as_bytes(), ConfigType::Json5).unwrap().value;
                let mut wanted = before.value.clone();
                match expected {
                    Some(v) => { wanted[&key] = v; }
                    // A key written twice reappears with its first value.
                    None if text.matches(&key.to_string()).count() > 1 => continue,
                    None => { wanted.as_object_mut().unwrap().remove(&key); }
                }
                proptest::prop_assert_eq!(after, wanted, "{} -> {}", text, new);
            }
        }
    }
}
