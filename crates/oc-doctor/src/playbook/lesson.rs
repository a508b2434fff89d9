//! One lesson: edits by key, so that they fit a configuration that has changed elsewhere since.

use super::Fingerprint;
use crate::disk::Hash;
use crate::document::{Document, at};
use crate::edit;
use crate::own_doctor::changes;
use crate::plan;
use crate::scene::Scene;
use crate::secrets;
use oc_core::clock::Stamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Stands for a secret: the one that is found at a place of the configuration when the edit is repeated.
const SECRET_AT: &str = "__OC_SECRET_AT_";

/// One key that was changed. Values hold placeholders where a secret stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// Keys from the root on.
    pub path: Vec<String>,
    /// What stood there; null for nothing. It must stand there again, or the lesson does not fit.
    pub before: Option<Value>,
    /// What stands there afterwards; null for nothing.
    pub after: Option<Value>,
}

/// What a plan that healed taught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// Its name: a digest of failure and edits.
    pub id: String,
    /// When it was learned.
    pub learned: Stamp,
    /// When it healed last.
    pub last_healed: Stamp,
    /// How often it healed.
    pub healed: u32,
    /// It was repeated and did not help: it is offered no more, until a person accepts it again.
    pub retired: bool,
    /// A person agreed that it is repeated though it changes who may do what.
    pub accepted: bool,
    /// The failure.
    pub fingerprint: Fingerprint,
    /// In order.
    pub edits: Vec<Edit>,
    /// Changed settings that wait for a person.
    pub needs_person: Vec<String>,
    /// What the agent said about it: foreign words, made harmless.
    pub summary: Option<String>,
}

impl Lesson {
    /// What the change from one configuration to another teaches, should it heal.
    ///
    /// # Errors
    /// Why it cannot be repeated, as a sentence.
    pub fn of(
        before: &Scene<'_>,
        after: &Scene<'_>,
        fingerprint: Fingerprint,
        summary: Option<&str>,
    ) -> Result<Self, String> {
        let (Some(old), Some(new)) = (before.document(), after.document()) else {
            return Err("the damaged configuration cannot be understood, so there is no list of edits".to_owned());
        };
        let mut known = secrets::and_opaque(&old.value);
        known.extend(secrets::and_opaque(&new.value));
        secrets::longest_first(&mut known);
        let masked = |value: Option<&Value>| value.map(|v| mask(v, &known, &old.value)).transpose();
        let edits = changes(&old.value, &new.value)
            .into_iter()
            .map(|path| {
                Ok(Edit {
                    before: masked(at(&old.value, &path))?,
                    after: masked(at(&new.value, &path))?,
                    path,
                })
            })
            .collect::<Result<Vec<Edit>, String>>()?;
        if edits.is_empty() {
            return Err("no setting was changed".to_owned());
        }
        let digest = serde_json::to_vec(&(&fingerprint, &edits)).map_err(|e| e.to_string())?;
        let redactor = oc_core::redact::Redactor::new(known.iter().map(|secret| ("config", secret)));
        let summary = summary.map(|text| {
            let text: String = oc_core::redact::clean_line(text).chars().take(500).collect();
            redactor.redact(&text).into_owned()
        });
        Ok(Self {
            id: Hash::of(&digest).short().to_owned(),
            learned: Stamp::now(),
            last_healed: Stamp::now(),
            healed: 1,
            retired: false,
            accepted: false,
            fingerprint,
            edits,
            needs_person: plan::sensitive(&old.value, &new.value),
            summary,
        })
    }

    /// The configuration with the edits; `None` when one of them does not fit.
    #[must_use]
    pub fn applied_to(&self, scene: &Scene<'_>) -> Option<Vec<u8>> {
        let document = scene.document()?;
        let mut text = document.text.clone();
        for edit in &self.edits {
            let expected = match &edit.before {
                Some(value) => Some(unmask(value, &document.value)?),
                None => None,
            };
            if at(&document.value, &edit.path) != expected.as_ref() {
                return None;
            }
            text = match &edit.after {
                Some(value) => edit::set(&text, &edit.path, &unmask(value, &document.value)?)?,
                None => edit::remove(&text, &edit.path)?,
            };
        }
        Document::parse(text.as_bytes(), scene.world.config.service.config_type).ok()?;
        Some(text.into_bytes())
    }

    /// The edits in one line.
    #[must_use]
    pub fn says(&self) -> String {
        let each = self.edits.iter().map(|edit| {
            let name = oc_core::redact::clean_line(&edit.path.join(".")).into_owned();
            match (&edit.before, &edit.after) {
                (_, None) => format!("{name} dropped"),
                (None, Some(_)) => format!("{name} added"),
                (Some(_), Some(_)) => format!("{name} changed"),
            }
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

/// The value with every secret replaced by the place where it is found.
fn mask(value: &Value, known: &[String], document: &Value) -> Result<Value, String> {
    Ok(match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| Ok((k.clone(), mask(v, known, document)?)))
                .collect::<Result<_, String>>()?,
        ),
        Value::Array(items) => Value::Array(
            items
                .iter()
                .map(|v| mask(v, known, document))
                .collect::<Result<_, String>>()?,
        ),
        Value::String(text) if known.contains(text) => match place_of(text, document, "") {
            Some(place) => Value::String(format!("{SECRET_AT}{place}")),
            None => return Err("it brings a secret of its own, which is not kept".to_owned()),
        },
        scalar @ (Value::String(_) | Value::Number(_)) => {
            let text = scalar.as_str().map_or_else(|| scalar.to_string(), str::to_owned);
            if known
                .iter()
                .any(|secret| secrets::replace_whole(&text, secret, "") != text)
            {
                return Err("a secret is part of a value, which is not kept".to_owned());
            }
            scalar.clone()
        }
        other => other.clone(),
    })
}

/// The value with the secrets that are there now; `None` when one is not.
fn unmask(value: &Value, document: &Value) -> Option<Value> {
    Some(match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(k, v)| Some((k.clone(), unmask(v, document)?)))
                .collect::<Option<_>>()?,
        ),
        Value::Array(items) => Value::Array(items.iter().map(|v| unmask(v, document)).collect::<Option<_>>()?),
        Value::String(text) => match text.strip_prefix(SECRET_AT) {
            Some(place) => document.pointer(place).filter(|v| v.is_string())?.clone(),
            None => value.clone(),
        },
        other => other.clone(),
    })
}

/// JSON pointer of the first string that is this one.
fn place_of(text: &str, value: &Value, here: &str) -> Option<String> {
    let below = |key: &str, value: &Value| {
        let key = key.replace('~', "~0").replace('/', "~1");
        place_of(text, value, &format!("{here}/{key}"))
    };
    match value {
        Value::String(s) if s == text => Some(here.to_owned()),
        Value::Object(map) => map.iter().find_map(|(key, value)| below(key, value)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .find_map(|(n, value)| below(&n.to_string(), value)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests_support::{Fixture, GOOD};

    const BROKEN: &str = "{ // mine\n gateway: { mode: 'local', auth: { token: 'hush-hush' } }, model: 'old', }";

    fn lesson(from: &str, to: &str) -> Result<Lesson, String> {
        let fixture = Fixture::with(from);
        let scene = fixture.scene();
        Lesson::of(&scene, &scene.with_bytes(to.as_bytes()), Fingerprint::default(), None)
    }

    #[test]
    fn edits_fit_a_configuration_that_changed_elsewhere_and_no_other() {
        let lesson = lesson(BROKEN, &BROKEN.replace("'old'", "'new'")).unwrap();
        let apply = |text: &str| {
            let fixture = Fixture::with(text);
            lesson
                .applied_to(&fixture.scene())
                .map(|bytes| String::from_utf8(bytes).unwrap())
        };
        let grown = BROKEN.replace("// mine", "// theirs\n logging: {level: 'info'},");
        assert_eq!(
            apply(&grown).unwrap().replace('"', "'"),
            grown.replace("'old'", "'new'")
        );
        assert_eq!(apply(&BROKEN.replace("'old'", "'other'")), None);
        assert_eq!(apply(GOOD), None);
        assert_eq!(apply("{ broken"), None);
    }

    #[test]
    fn a_secret_is_kept_as_the_place_where_it_stands() {
        let moved = lesson(BROKEN, &BROKEN.replace("model:", "token: 'hush-hush', model:")).unwrap();
        assert!(!serde_json::to_string(&moved).unwrap().contains("hush"));
        let rotated = Fixture::with(&BROKEN.replace("hush-hush", "another"));
        let after = String::from_utf8(moved.applied_to(&rotated.scene()).unwrap()).unwrap();
        assert!(
            after.contains("\"token\": \"another\"") && !after.contains("hush"),
            "{after}"
        );
        let dropped = lesson(BROKEN, &BROKEN.replace("auth: { token: 'hush-hush' }", "")).unwrap();
        assert!(!serde_json::to_string(&dropped).unwrap().contains("hush"));
        let own = lesson(BROKEN, &BROKEN.replace("hush-hush", "brand-new-one"));
        assert!(own.unwrap_err().contains("secret"));
    }
}
