//! Drops one key: unknown to the installed version, or with a value that nothing better is known for.

use super::{Ask, Proposal, Remedy};
use crate::document::keys;
use crate::edit;

pub(super) const REMEDY: Remedy = Remedy {
    name: "drop_key",
    heals: &["config.unknown_key", "config.wrong_value"],
    does: "drops the one key that the installed version does not accept; its default applies then",
    propose,
};

fn propose(ask: &Ask<'_>) -> Option<Proposal> {
    let key = &ask.finding.subject;
    if ask
        .scene
        .world
        .config
        .service
        .required_keys
        .iter()
        .any(|required| required == key)
    {
        return None;
    }
    let after = edit::remove(&ask.scene.document()?.text, &path_of(ask, key)?)?;
    Some(Proposal::Content {
        what: format!("{key} dropped"),
        bytes: after.into_bytes(),
        restored: None,
    })
}

/// Keys may hold dots themselves (model names do), so the dotted subject is matched against what is there.
fn path_of(ask: &Ask<'_>, dotted: &str) -> Option<Vec<String>> {
    fn walk(value: &serde_json::Value, rest: &str) -> Option<Vec<String>> {
        let children: Vec<(String, &serde_json::Value)> = match value {
            serde_json::Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), v)).collect(),
            serde_json::Value::Array(items) => items.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
            _ => return None,
        };
        children.into_iter().find_map(|(key, value)| {
            let left = rest.strip_prefix(key.as_str())?;
            if left.is_empty() {
                return Some(vec![key]);
            }
            let mut path = walk(value, left.strip_prefix('.')?)?;
            path.insert(0, key);
            Some(path)
        })
    }
    walk(&ask.scene.document()?.value, dotted).or_else(|| Some(keys(dotted)))
}
