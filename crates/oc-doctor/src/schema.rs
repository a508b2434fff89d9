//! What the installed version accepts: its own JSON Schema, taken once per version and cached; without it a small core
//! schema that is built in.

use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::proc::Cmd;
use oc_core::world::World;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;
use std::time::Duration;

/// The largest schema that is kept; 2026.9.6 prints 2.4 MB.
const CAP: usize = 32 << 20;
/// Problems reported, at most: a wrong file must not fill an alert.
const MAX_PROBLEMS: usize = 50;

/// One thing that the schema does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// A key that it does not know.
    Unknown {
        /// Dotted path of the key.
        path: String,
    },
    /// A value that it does not accept.
    Wrong {
        /// Dotted path of the value.
        path: String,
        /// Why; never the value itself, which may be a secret.
        why: String,
    },
}

/// A JSON Schema and where it came from.
#[derive(Debug)]
pub struct Schema {
    schema: Option<Value>,
    /// The version whose own schema it is; `None` for the built-in core schema.
    pub version: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Cached {
    version: String,
    schema: Value,
}

impl Schema {
    /// The one that the settings name, else the cached schema of the installed version, else the built-in one; none for other
    /// services.
    #[must_use]
    pub fn of(world: &World) -> Self {
        if let Some(path) = &world.config.service.config_schema {
            return Self {
                schema: named(path).map_err(oc_core::out::talk).ok(),
                version: None,
            };
        }
        if world.config.service.kind != oc_core::config::Kind::Openclaw {
            return Self {
                schema: None,
                version: None,
            };
        }
        let installed = crate::package::installed(world).map(|p| p.version);
        let usable = |c: &Cached| Some(&c.version) == installed.as_ref() && !c.schema.is_null();
        if let Some(cached) = read_cache(world).filter(usable) {
            return Self {
                schema: Some(cached.schema),
                version: Some(cached.version),
            };
        }
        Self {
            schema: serde_json::from_str(include_str!("core-schema.json")).ok(),
            version: None,
        }
    }

    /// Asks the installed version for its schema and keeps it, unless that was done before (also in vain). Costs 2 s and a
    /// node process, hence never on `check`.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be kept.
    pub fn fetch(world: &World) -> Result<()> {
        let Some(package) = crate::package::installed(world) else {
            return Ok(());
        };
        if read_cache(world).is_some_and(|c| c.version == package.version) {
            return Ok(());
        }
        let schema = ask(world).map_or(Value::Null, without_prose);
        let bytes = serde_json::to_vec(&Cached {
            version: package.version,
            schema,
        })
        .map_err(Fault::internal)?;
        fsx::replace_quick(&world.paths.service_schema(), &bytes)
    }

    /// What it does not accept in a configuration whose includes are merged.
    #[must_use]
    pub fn problems(&self, config: &Value) -> Vec<Problem> {
        let Some(schema) = &self.schema else { return Vec::new() };
        // Compiling all of it takes longer than everything else together; most of it is about keys that are not there.
        let validator =
            match jsonschema::validator_for(&pruned(schema, config)).or_else(|_| jsonschema::validator_for(schema)) {
                Ok(validator) => validator,
                Err(e) => {
                    oc_core::out::talk(format_args!("the service's schema cannot be used: {e}"));
                    return Vec::new();
                }
            };
        let mut found = Vec::new();
        for error in validator.iter_errors(config).take(MAX_PROBLEMS) {
            translate(&error, config, &mut found);
        }
        found.dedup();
        found
    }
}

/// A schema of ours that cannot be used is said, and keeps nothing from being repaired.
fn named(path: &Path) -> Result<Value> {
    let bytes = fsx::read_capped(path, CAP as u64)?.unwrap_or_default();
    serde_json::from_slice(&bytes).map_err(|e| {
        Fault::config(format_args!(
            "service.config_schema: {} is no JSON Schema: {e}",
            path.display()
        ))
    })
}

fn ask(world: &World) -> Option<Value> {
    let mut cmd = Cmd::new(world.config.service.doctor_command.first()?);
    crate::own_doctor::environment(&mut cmd, world);
    let output = cmd
        .args(["config", "schema"])
        .timeout(Duration::from_secs(30))
        .cap(CAP)
        .run()
        .ok()?;
    let printed: Value = serde_json::from_slice(&output.stdout)
        .ok()
        .filter(|_| output.ended.success())?;
    printed.is_object().then_some(printed)
}

fn read_cache(world: &World) -> Option<Cached> {
    let bytes = fsx::read_capped(&world.paths.service_schema(), CAP as u64).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// Titles and descriptions are three quarters of it.
fn without_prose(schema: Value) -> Value {
    match schema {
        Value::Object(map) => map
            .into_iter()
            .filter(|(key, value)| !(matches!(key.as_str(), "title" | "description") && value.is_string()))
            .map(|(key, value)| (key, without_prose(value)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_prose).collect(),
        other => other,
    }
}

/// The schema without the properties that the configuration does not have.
fn pruned(schema: &Value, config: &Value) -> Value {
    let (Value::Object(map), Value::Object(config)) = (schema, config) else {
        return schema.clone();
    };
    let mut kept = Map::new();
    for (key, value) in map {
        let value = match (key.as_str(), value) {
            ("properties", Value::Object(properties)) => properties
                .iter()
                .filter_map(|(name, schema)| Some((name.clone(), pruned(schema, config.get(name)?))))
                .collect(),
            _ => value.clone(),
        };
        kept.insert(key.clone(), value);
    }
    Value::Object(kept)
}

fn translate(error: &jsonschema::ValidationError<'_>, config: &Value, found: &mut Vec<Problem>) {
    use jsonschema::error::ValidationErrorKind as Kind;
    let path: Vec<String> = error
        .instance_path()
        .to_string()
        .split('/')
        .skip(1)
        .map(|key| key.replace("~1", "/").replace("~0", "~"))
        .collect();
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            found.extend(unexpected.iter().map(|key| Problem::Unknown {
                path: dotted(&path, key),
            }));
        }
        // The branch that got furthest into the value is the one that was meant.
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let deepest = context
                .iter()
                .filter_map(|branch| branch.iter().max_by_key(|e| depth(e)))
                .max_by_key(|e| depth(e))
                .filter(|e| depth(e) > path.len() || matches!(e.kind(), Kind::AdditionalProperties { .. }));
            match deepest {
                Some(inner) => translate(inner, config, found),
                None => found.push(Problem::Wrong {
                    path: path.join("."),
                    why: choices(context, config, &path),
                }),
            }
        }
        kind => found.push(Problem::Wrong {
            path: path.join("."),
            why: why(kind),
        }),
    }
}

fn depth(error: &jsonschema::ValidationError<'_>) -> usize {
    error.instance_path().to_string().matches('/').count()
}

fn dotted(path: &[String], key: &str) -> String {
    path.iter()
        .map(String::as_str)
        .chain([key])
        .collect::<Vec<_>>()
        .join(".")
}

fn choices(context: &[Vec<jsonschema::ValidationError<'_>>], config: &Value, path: &[String]) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    let allowed: Vec<String> = context
        .iter()
        .flatten()
        .filter_map(|e| match e.kind() {
            Kind::Constant { expected_value } => Some(expected_value.to_string()),
            _ => None,
        })
        .collect();
    let is = crate::document::at(config, path).map_or("nothing", type_name);
    if allowed.is_empty() {
        format!("{is} fits none of the allowed forms")
    } else {
        format!("expected one of {}", allowed.join(", "))
    }
}

fn why(kind: &jsonschema::error::ValidationErrorKind) -> String {
    use jsonschema::error::ValidationErrorKind as Kind;
    match kind {
        Kind::Type { .. } => "it has the wrong type".to_owned(),
        Kind::Enum { options } => format!("expected one of {options}"),
        Kind::Constant { expected_value } => format!("expected {expected_value}"),
        Kind::Minimum { limit } => format!("expected at least {limit}"),
        Kind::Maximum { limit } => format!("expected at most {limit}"),
        Kind::Required { property } => format!("{property} is missing in it"),
        other => format!("rule {} is violated", other.keyword()),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn core() -> Schema {
        Schema {
            schema: serde_json::from_str(include_str!("core-schema.json")).ok(),
            version: None,
        }
    }

    #[test]
    fn unknown_keys_and_wrong_values_are_named_by_path_and_never_by_value() {
        let config = json!({"bogus": 1, "gateway": {"mode": "local", "port": "hush", "bind": true, "x": 1}});
        let mut paths: Vec<String> = core()
            .problems(&config)
            .into_iter()
            .map(|p| match p {
                Problem::Unknown { path } => format!("?{path}"),
                Problem::Wrong { path, why } => {
                    assert!(!why.contains("hush"), "{why}");
                    path
                }
            })
            .collect();
        paths.sort();
        assert_eq!(paths, ["?bogus", "?gateway.x", "gateway.bind", "gateway.port"]);
        assert!(
            core()
                .problems(&json!({"gateway": {"mode": "local", "port": 1, "bind": "lan"}}))
                .is_empty()
        );
    }

    #[test]
    fn of_several_forms_the_one_that_got_furthest_is_explained() {
        let schema = json!({"properties": {"a": {"anyOf": [{"type": "string"},
            {"type": "object", "properties": {"b": {"type": "number"}}, "additionalProperties": false}]}}});
        let schema = Schema {
            schema: Some(schema),
            version: None,
        };
        let wrong = schema.problems(&json!({"a": {"b": "x"}}));
        assert!(
            matches!(&wrong[..], [Problem::Wrong { path, .. }] if path == "a.b"),
            "{wrong:?}"
        );
        assert_eq!(
            schema.problems(&json!({"a": {"c": 1}})),
            [Problem::Unknown { path: "a.c".into() }]
        );
    }
}
