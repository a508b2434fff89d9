//! Section `report`: what is kept and shown.

use serde::{Deserialize, Serialize};

/// How often a digest is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Digest {
    /// Never.
    #[default]
    Off,
    /// Every day.
    Daily,
    /// Every week.
    Weekly,
}

/// Section `report`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// Address and port for `oc-report metrics --listen` when none is given.
    pub listen: String,
    /// Whether metrics.prom is written at every pass.
    pub metrics: bool,
    /// Digest through the notification channels.
    pub digest: Digest,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9477".to_owned(),
            metrics: true,
            digest: Digest::Off,
        }
    }
}
