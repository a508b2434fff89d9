//! A length of time in a settings file: humantime text (`"30s"`, `"2h 15m"`) or whole seconds (`30`).

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time as people write it. Written back as humantime text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub Duration);

impl Span {
    /// So many milliseconds.
    #[must_use]
    pub const fn millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }

    /// So many seconds.
    #[must_use]
    pub const fn secs(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// So many minutes.
    #[must_use]
    pub const fn mins(n: u64) -> Self {
        Self::secs(n * 60)
    }

    /// So many hours.
    #[must_use]
    pub const fn hours(n: u64) -> Self {
        Self::mins(n * 60)
    }

    /// The duration.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }
}

impl From<Duration> for Span {
    fn from(d: Duration) -> Self {
        Self(d)
    }
}

impl From<Span> for Duration {
    fn from(s: Span) -> Self {
        s.0
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl FromStr for Span {
    type Err = String;

    /// Reads `30`, `30s`, `2h 15m`, `500ms`.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(secs) = text.parse() {
            return Ok(Self::secs(secs));
        }
        humantime::parse_duration(text)
            .map(Self)
            .map_err(|e| format!("{text:?} is not a length of time such as \"30s\" or \"2h\": {e}"))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Read;
        impl Visitor<'_> for Read {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time such as \"30s\", or whole seconds")
            }

            fn visit_u64<E: Error>(self, secs: u64) -> Result<Span, E> {
                Ok(Span::secs(secs))
            }

            fn visit_i64<E: Error>(self, secs: i64) -> Result<Span, E> {
                u64::try_from(secs)
                    .map(Span::secs)
                    .map_err(|_| E::custom("a length of time cannot be negative"))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
        }
        from.deserialize_any(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_may_write_text_or_seconds() {
        for (json, expected) in [
            ("30", Span::secs(30)),
            ("\"30\"", Span::secs(30)),
            ("\"30s\"", Span::secs(30)),
            ("\"500ms\"", Span::millis(500)),
            ("\"2h 15m\"", Span::mins(135)),
        ] {
            assert_eq!(serde_json::from_str::<Span>(json).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn what_is_no_time_is_named_and_never_a_panic() {
        for json in [
            "-1",
            "\"soon\"",
            "\"\"",
            "null",
            "[]",
            "1.5",
            "\"99999999999999999999y\"",
        ] {
            assert!(serde_json::from_str::<Span>(json).is_err(), "{json}");
        }
        let sentence = serde_json::from_str::<Span>("\"soon\"").unwrap_err().to_string();
        assert!(sentence.contains("\"soon\" is not a length of time"), "{sentence}");
    }

    proptest::proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(ms in 0_u64..10_000_000_000) {
            let span = Span::millis(ms);
            let text = serde_json::to_string(&span).unwrap();
            proptest::prop_assert_eq!(serde_json::from_str::<Span>(&text).unwrap(), span);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".*") {
            drop(text.parse::<Span>());
        }
    }
}
