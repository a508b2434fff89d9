//! Section `instances`: further services, each with what differs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;

/// Part of a section; its fields are checked by the schema, and by the section's type when the instance is loaded.
type Part = Map<String, Value>;

/// One further instance. `policy`, `doctor`, `agent`, `notify`, `report` and `language` begin from the top-level
/// sections; `service` and `probe` begin from the defaults, since another instance is another process on another port.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Instance {
    /// OpenClaw profile; `null` means the instance's own name.
    pub profile: Option<String>,
    /// OpenClaw directory; `null` means `~/.openclaw-PROFILE`.
    pub openclaw_dir: Option<PathBuf>,
    /// What differs in `language`.
    pub language: Option<super::Language>,
    /// What differs in `service`.
    pub service: Part,
    /// What differs in `probe`.
    pub probe: Part,
    /// What differs in `policy`.
    pub policy: Part,
    /// What differs in `doctor`.
    pub doctor: Part,
    /// What differs in `agent`.
    pub agent: Part,
    /// What differs in `notify`.
    pub notify: Part,
    /// What differs in `report`.
    pub report: Part,
}

impl Instance {
    /// The secrets among what differs, by dotted key.
    pub(super) fn secrets(&self) -> impl Iterator<Item = (&'static str, &str)> {
        super::names::SECRET_KEYS.iter().filter_map(|key| {
            let (section, rest) = key.split_once('.')?;
            let part = match section {
                "probe" => &self.probe,
                "agent" => &self.agent,
                _ => &self.notify,
            };
            let (first, rest) = rest
                .split_once('.')
                .map_or((rest, None), |(first, rest)| (first, Some(rest)));
            let value = part.get(first)?;
            let value = rest.map_or(Some(value), |rest| value.get(rest))?;
            Some((*key, value.as_str()?))
        })
    }
}
