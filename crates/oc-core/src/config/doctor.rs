//! Section `doctor`: repairs of configuration and surroundings.

use super::{Size, Span};
use serde::{Deserialize, Serialize};

/// Section `doctor`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Doctor {
    /// Whether the service's own doctor (`service.doctor_command`) may be used as the last remedy.
    pub own_doctor: bool,
    /// Time limit of the service's own doctor.
    pub own_doctor_timeout: Span,
    /// How long a configuration must have served before it counts as last-known-good.
    pub good_after: Span,
    /// Snapshots kept, at most; last-known-good is never dropped.
    pub generations_max: u32,
    /// Bytes of snapshots kept, at most.
    pub generations_size: Size,
    /// Ids of remedies that must not be applied.
    pub disabled_remedies: Vec<String>,
}

impl Default for Doctor {
    fn default() -> Self {
        Self {
            own_doctor: true,
            own_doctor_timeout: Span::mins(2),
            good_after: Span::mins(10),
            generations_max: 50,
            generations_size: Size::mb(50),
            disabled_remedies: Vec::new(),
        }
    }
}
