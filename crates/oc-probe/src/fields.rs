//! `-o FIELD`: single values of the JSON report, for scripts without a JSON parser.

use oc_core::fault::{Fault, Result};
use serde_json::Value;
use std::fmt::Write as _;

/// The values of these fields, a line each. Null is an empty line; objects and lists are printed as JSON.
///
/// # Errors
/// 64 when there is no such field.
pub fn pick(report: &Value, fields: &[String]) -> Result<String> {
    let mut text = String::new();
    for field in fields {
        match find(report, field)? {
            Value::Null => text.push('\n'),
            Value::String(value) => {
                let _written = writeln!(text, "{value}");
            }
            value => {
                let _written = writeln!(text, "{value}");
            }
        }
    }
    Ok(text)
}

/// `a.b.c`; a part of a list is named by its number or by the `name` of the item. What lies below a null is null.
fn find<'v>(report: &'v Value, field: &str) -> Result<&'v Value> {
    let mut here = report;
    for part in field.split('.') {
        let next = match here {
            Value::Null => return Ok(here),
            Value::Array(list) => part.parse::<usize>().map_or_else(
                |_| {
                    list.iter()
                        .find(|item| item.get("name").is_some_and(|name| name == part))
                },
                |at| list.get(at),
            ),
            other => other.get(part),
        };
        here = next.ok_or_else(|| {
            let known: Vec<&str> = match here {
                Value::Object(map) => map.keys().map(String::as_str).collect(),
                Value::Array(list) => list.iter().filter_map(|item| item.get("name")?.as_str()).collect(),
                _ => Vec::new(),
            };
            let fault = Fault::usage(format_args!("there is no field {field:?} in the report"));
            if known.is_empty() {
                fault
            } else {
                fault.hint(format_args!("at {part:?} there are: {}", known.join(", ")))
            }
        })?;
    }
    Ok(here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pick_one(field: &str) -> Result<String> {
        let report = json!({"class": null, "exit": 0, "identity": {"pid": 7},
            "checks": [{"name": "liveness", "actual": "200"}]});
        pick(&report, &[field.to_owned()])
    }

    #[test]
    fn fields_by_path() {
        for (field, value) in [
            ("exit", "0\n"),
            ("identity.pid", "7\n"),
            ("checks.liveness.actual", "200\n"),
            ("checks.0.actual", "200\n"),
            ("class", "\n"),
            ("class.any", "\n"),
            ("identity", "{\"pid\":7}\n"),
        ] {
            assert_eq!(pick_one(field).unwrap(), value, "{field}");
        }
    }

    #[test]
    fn a_field_that_is_not_there_is_a_usage_error_that_says_what_is() {
        for field in ["nope", "identity.nope", "checks.memory", "checks.9", "exit.code", ""] {
            assert_eq!(pick_one(field).unwrap_err().exit, oc_core::Exit::Usage, "{field}");
        }
        assert!(pick_one("nope").unwrap_err().hint.unwrap().contains("identity"));
    }

    proptest! {
        #[test]
        fn no_path_panics(field in ".{0,40}") {
            let _value = pick_one(&field);
        }
    }
}
