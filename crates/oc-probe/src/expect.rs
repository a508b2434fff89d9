//! Whether an answer is the expected one.

use oc_core::clock::{Stamp, parse_rfc3339};
use oc_core::config::{Expect, MaxAge};
use serde_json::Value;

/// What is not as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// The status, HTTP's or a process's.
    Status,
    /// The body; in words.
    Body(String),
}

/// Holds an HTTP answer against what is expected.
///
/// # Errors
/// What is not as expected.
pub fn met(expect: &Expect, status: u16, body: &[u8], now: &Stamp) -> Result<(), Miss> {
    let fits = match expect.status {
        Some(wanted) => status == wanted,
        None => (200..300).contains(&status),
    };
    if !fits {
        return Err(Miss::Status);
    }
    body_met(expect, body, now).map_err(Miss::Body)
}

/// Holds a body against what is expected of it.
///
/// # Errors
/// What is not as expected, in words.
pub fn body_met(expect: &Expect, body: &[u8], now: &Stamp) -> Result<(), String> {
    if let Some(text) = &expect.text
        && !String::from_utf8_lossy(body).contains(text.as_str())
    {
        return Err(format!("does not contain {text:?}"));
    }
    if expect.json.is_none() && expect.max_age.is_none() {
        return Ok(());
    }
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Err("is not JSON".to_owned());
    };
    if let Some(wanted) = &expect.json
        && !contains(&json, wanted)
    {
        return Err(format!("does not contain {wanted}"));
    }
    expect.max_age.as_ref().map_or(Ok(()), |max| fresh(&json, max, now))
}

/// True when every key of `wanted` is in `json` with that value, at any depth.
#[must_use]
pub fn contains(json: &Value, wanted: &Value) -> bool {
    match (json, wanted) {
        (Value::Object(json), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, value)| json.get(key).is_some_and(|found| contains(found, value))),
        _ => json == wanted,
    }
}

fn fresh(json: &Value, max: &MaxAge, now: &Stamp) -> Result<(), String> {
    let found = json
        .pointer(&max.pointer)
        .ok_or_else(|| format!("has no {}", max.pointer))?;
    let at_ms = time_ms(found).ok_or_else(|| format!("has no time at {}, but {found}", max.pointer))?;
    let age_s = now.wall_ms.saturating_sub(at_ms) / 1000;
    let limit_s = i64::try_from(max.within.get().as_secs()).unwrap_or(i64::MAX);
    if age_s > limit_s {
        return Err(format!("{} is {age_s} s old", max.pointer));
    }
    Ok(())
}

/// RFC 3339, or seconds or milliseconds since 1970: a number beyond the year 5000 in seconds can only be the latter.
fn time_ms(value: &Value) -> Option<i64> {
    const YEAR_5000_S: i64 = 95_617_584_000;
    match value {
        Value::String(text) => parse_rfc3339(text).ok(),
        Value::Number(number) => {
            let n = number.as_i64().or_else(|| number.as_f64().map(|f| f as i64))?;
            Some(if n.abs() < YEAR_5000_S {
                n.saturating_mul(1000)
            } else {
                n
            })
        }
        _ => None,
    }
}

/// Foreign bytes for one line of a report: no control characters, not long.
#[must_use]
pub fn excerpt(body: &[u8]) -> String {
    const KEPT: usize = 120;
    let head = body.get(..body.len().min(4 * KEPT)).unwrap_or(body);
    let text = String::from_utf8_lossy(head);
    let mut line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(KEPT)
        .collect();
    if text.chars().count() > KEPT || head.len() < body.len() {
        line.push('…');
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_core::config::Span;
    use proptest::prelude::*;
    use serde_json::json;

    fn at(wall_ms: i64) -> Stamp {
        Stamp {
            wall_ms,
            boot_ms: 0,
            awake_ms: 0,
            boot: "b".into(),
        }
    }

    #[test]
    fn a_200_of_the_control_ui_is_not_the_expected_answer() {
        let expect = oc_core::config::Probe::default().liveness;
        let met = |status, body: &[u8]| met(&expect, status, body, &at(0));
        assert_eq!(met(200, br#"{"ok":true,"status":"live","more":1}"#), Ok(()));
        assert_eq!(met(503, br#"{"ok":true,"status":"live"}"#), Err(Miss::Status));
        for body in [
            &b"<!doctype html>"[..],
            b"",
            b"[]",
            br#"{"ok":"true","status":"live"}"#,
            br#"{"ok":true}"#,
        ] {
            assert!(matches!(met(200, body), Err(Miss::Body(_))), "{body:?}");
        }
    }

    #[test]
    fn the_age_of_a_time_in_the_body() {
        let expect = Expect {
            max_age: Some(MaxAge {
                pointer: "/last".into(),
                within: Span::secs(60),
            }),
            ..Expect::default()
        };
        let now = at(1_767_225_700_000);
        for (last, good) in [
            (json!("2026-01-01T00:00:45Z"), true),
            (json!("2026-01-01T00:00:30Z"), false),
            (json!(1_767_225_650), true),
            (json!(1_767_225_650_000_i64), true),
            (json!(1_767_225_600), false),
            (json!("yesterday"), false),
            (json!(null), false),
        ] {
            let body = json!({ "last": last }).to_string();
            assert_eq!(body_met(&expect, body.as_bytes(), &now).is_ok(), good, "{body}");
        }
        assert!(body_met(&expect, b"{}", &now).is_err());
    }

    proptest! {
        #[test]
        fn every_json_contains_itself_and_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let expect = oc_core::config::Probe::default().liveness;
            prop_assert!(met(&expect, 200, &bytes, &at(0)).is_err());
            let line = excerpt(&bytes);
            prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            if let Ok(value) = serde_json::from_slice::<Value>(&bytes) {
                prop_assert!(contains(&value, &value));
            }
        }
    }
}
