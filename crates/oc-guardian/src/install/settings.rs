//! One setting of our own config.json changed, every other byte as the person wrote it.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstRootNode};
use oc_core::config::{Config, Request};
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::paths::DEFAULT_INSTANCE;
use serde::Serialize;
use std::path::Path;

const CAP: u64 = 1 << 20;

/// A setting to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Setting {
    /// Section and field.
    pub(super) key: (&'static str, &'static str),
    /// Its value.
    pub(super) value: SettingValue,
}

/// The kinds of values that install writes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum SettingValue {
    /// `true`, `false`
    Flag(bool),
    /// A text.
    Text(String),
    /// Texts.
    Texts(Vec<String>),
}

impl SettingValue {
    fn input(&self) -> CstInputValue {
        match self {
            Self::Flag(flag) => CstInputValue::Bool(*flag),
            Self::Text(text) => CstInputValue::String(text.clone()),
            Self::Texts(texts) => CstInputValue::Array(texts.iter().cloned().map(CstInputValue::String).collect()),
        }
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = match &self.value {
            SettingValue::Flag(flag) => flag.to_string(),
            SettingValue::Text(text) => text.clone(),
            SettingValue::Texts(texts) => texts.join(", "),
        };
        write!(f, "{}.{} = {value}", self.key.0, self.key.1)
    }
}

/// Writes the settings into the config.json that speaks for the instance, 0600. If the result is then refused, the old bytes
/// are put back.
///
/// # Errors
/// 78 when the file is no JSON object or the result is refused, 74 or 77.
pub(super) fn write(request: &Request, settings: &[Setting]) -> Result<()> {
    let loaded = Config::load(request)?;
    let file = &loaded.file;
    let before = fsx::read_capped(file, CAP)?;
    let name = loaded.paths.instance();
    let text = String::from_utf8(before.clone().unwrap_or_default()).map_err(|_| no_object(file))?;
    let after = edit(&text, name, settings).ok_or_else(|| no_object(file))?;
    if let Some(dir) = file.parent() {
        fsx::private_dir(dir)?;
    }
    fsx::replace(file, after.as_bytes())?;
    Config::load(request).map(drop).inspect_err(|_| {
        let undone = match &before {
            Some(before) => fsx::replace(file, before),
            None => std::fs::remove_file(file).map_err(|e| Fault::io("remove", file, e)),
        };
        if let Err(fault) = undone {
            oc_core::out::talk(fault);
        }
    })
}

/// In a file for several instances the setting belongs below the instance's name.
fn edit(text: &str, instance: &str, settings: &[Setting]) -> Option<String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).ok()?;
    let mut top = root.object_value()?;
    if instance != DEFAULT_INSTANCE
        && let Some(declared) = top.object_value("instances").and_then(|all| all.object_value(instance))
    {
        top = declared;
    }
    for setting in settings {
        let section = top.object_value_or_create(setting.key.0)?;
        match section.get(setting.key.1) {
            Some(property) => property.set_value(setting.value.input()),
            None => drop(section.append(setting.key.1, setting.value.input())),
        }
    }
    Some(root.to_string())
}

fn no_object(file: &Path) -> Fault {
    Fault::config(format_args!("{}: expected a JSON object", file.display()))
        .hint("correct it, or move it away to begin with the defaults")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent() -> [Setting; 1] {
        [Setting {
            key: ("agent", "enabled"),
            value: SettingValue::Flag(true),
        }]
    }

    #[test]
    fn only_the_setting_changes() {
        let text = "{\n    \"probe\" : { \"tries\":5 },\n    \"agent\": {\n        \"enabled\": false\n    }\n}\n\n";
        assert_eq!(
            edit(text, "default", &consent()).unwrap(),
            text.replace("false", "true")
        );
        let new = edit("", "default", &consent()).unwrap();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&new).unwrap(),
            serde_json::json!({"agent": {"enabled": true}})
        );
        assert_eq!(edit("[1]", "default", &consent()), None);
    }

    #[test]
    fn of_several_instances_only_the_one_consents() {
        let text = r#"{"instances": {"work": {}, "home": {}}}"#;
        let new: serde_json::Value = serde_json::from_str(&edit(text, "work", &consent()).unwrap()).unwrap();
        assert_eq!(
            new,
            serde_json::json!({"instances": {"work": {"agent": {"enabled": true}}, "home": {}}})
        );
    }
}
