//! `$include`: OpenClaw merges other files of the configuration's directory into an object. They are part of what is
//! checked, snapshotted and restored.

use crate::disk::OnDisk;
use crate::document::Document;
use oc_core::config::ConfigType;
use serde_json::{Map, Value};
use std::path::Path;

/// The key that names the files.
pub const KEY: &str = "$include";
/// Files followed from within files, at most.
const MAX_DEPTH: usize = 10;
/// Files in all, at most.
const MAX_FILES: usize = 100;

/// What following the includes found.
#[derive(Debug, Default)]
pub struct Resolved {
    /// The merged value.
    pub value: Value,
    /// The files, in order of first use.
    pub files: Vec<OnDisk>,
    /// What could not be followed: the file, and why.
    pub faults: Vec<(String, String)>,
}

/// Follows every `$include` of a configuration that lies at `path`.
#[must_use]
pub fn resolve(value: &Value, path: &Path, kind: ConfigType) -> Resolved {
    let mut found = Resolved::default();
    let dir = path.parent().unwrap_or(Path::new("/"));
    found.value = merge_in(value, dir, kind, 0, &mut found);
    found
}

fn merge_in(value: &Value, dir: &Path, kind: ConfigType, depth: usize, found: &mut Resolved) -> Value {
    match value {
        Value::Object(map) => {
            let mut merged = Value::Object(Map::new());
            for name in names(map.get(KEY)) {
                let path = dir.join(name);
                let part = read(&path, kind, depth, found);
                deep_merge(&mut merged, part);
            }
            let own = map.iter().filter(|(key, _)| *key != KEY);
            let own = own.map(|(key, value)| (key.clone(), merge_in(value, dir, kind, depth, found)));
            deep_merge(&mut merged, Value::Object(own.collect()));
            merged
        }
        Value::Array(items) => items
            .iter()
            .map(|item| merge_in(item, dir, kind, depth, found))
            .collect(),
        other => other.clone(),
    }
}

fn names(include: Option<&Value>) -> Vec<&str> {
    match include {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn read(path: &Path, kind: ConfigType, depth: usize, found: &mut Resolved) -> Value {
    let mut fault = |why: String| found.faults.push((path.display().to_string(), why));
    if depth >= MAX_DEPTH || found.files.len() >= MAX_FILES {
        fault("too many includes within includes".to_owned());
        return Value::Null;
    }
    let file = OnDisk::read(path);
    let parsed = match file.bytes().map(|bytes| Document::parse(bytes, kind)) {
        Some(Ok(document)) => document.value,
        Some(Err(e)) => {
            fault(format!("{} at line {}, column {}", e.what, e.line, e.column));
            Value::Null
        }
        None => {
            fault("it is missing or cannot be read".to_owned());
            Value::Null
        }
    };
    let dir = path.parent().unwrap_or(Path::new("/")).to_owned();
    if !found.files.iter().any(|f| f.path == file.path) {
        found.files.push(file);
    }
    merge_in(&parsed, &dir, kind, depth + 1, found)
}

/// Objects key by key; arrays one after the other, as OpenClaw does; anything else: the later one.
fn deep_merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(slot) => deep_merge(slot, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(into), Value::Array(from)) => into.extend(from),
        (_, Value::Null) => {}
        (into, from) => *into = from,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn included_files_are_merged_and_the_including_one_wins() {
        let dir = tempfile::tempdir().unwrap();
        oc_core::fsx::replace(&dir.path().join("gw.json5"), b"{ mode: 'local', port: 1, }").unwrap();
        let main = dir.path().join("openclaw.json");
        let found = resolve(
            &json!({"gateway": {"$include": "./gw.json5", "port": 2}}),
            &main,
            ConfigType::Json5,
        );
        assert_eq!(found.value, json!({"gateway": {"mode": "local", "port": 2}}));
        assert_eq!((found.files.len(), found.faults.len()), (1, 0));
    }

    #[test]
    fn a_circle_and_a_missing_file_end_in_a_sentence() {
        let dir = tempfile::tempdir().unwrap();
        oc_core::fsx::replace(&dir.path().join("a.json"), br#"{"$include": ["a.json", "none.json"]}"#).unwrap();
        let main = dir.path().join("openclaw.json");
        let found = resolve(&json!({"$include": "a.json"}), &main, ConfigType::Json5);
        assert!(found.faults.iter().any(|(file, _)| file.ends_with("none.json")));
        assert!(found.faults.iter().any(|(_, why)| why.contains("too many")));
    }
}
