//! A secret in the configuration: usable, never shown.

use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// What stands for a secret wherever the configuration is shown.
pub(super) const SHOWN: &str = "(set)";

/// A token, key or webhook URL. `Debug`, `Display` and serialisation give `(set)`, so that a secret cannot slip into a
/// log, a report or `--print-config`; [`Secret::expose`] is the one way to its value.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: for a request header or body, never for an argument list or a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SHOWN)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(SHOWN)
    }
}
