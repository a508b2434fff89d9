//! A configuration as text and as values: JSON5 or strict JSON, with the place of a syntax error.

use crate::secrets;
use jsonc_parser::ParseOptions;
use oc_core::config::ConfigType;
use serde_json::Value;

/// Deeper nesting is refused: no configuration needs it, and a parser's stack must not be the limit.
const MAX_DEPTH: usize = 200;

/// What a parsed configuration is.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The text, byte for byte.
    pub text: String,
    /// What it means.
    pub value: Value,
}

/// Why a text is no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// Without the place.
    pub what: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The line with a caret under the place, secrets masked; empty when there is nothing to show.
    pub excerpt: String,
}

impl Document {
    /// Understands a text. The root must be an object: anything else is no configuration.
    ///
    /// # Errors
    /// The first place that cannot be understood.
    pub fn parse(bytes: &[u8], kind: ConfigType) -> Result<Self, SyntaxError> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(e) => {
                let sound = String::from_utf8_lossy(&bytes[..e.valid_up_to()]);
                return Err(SyntaxError::at(&sound, sound.len(), "this is not text (no UTF-8)"));
            }
        };
        if let Some(offset) = too_deep(text) {
            return Err(SyntaxError::at(text, offset, "nested too deeply"));
        }
        let value: Value = match kind {
            ConfigType::Json => serde_json::from_str(text).map_err(|e| {
                SyntaxError::at(
                    text,
                    offset_of(text, e.line(), e.column()),
                    &strip_place(&e.to_string()),
                )
            })?,
            ConfigType::Json5 | ConfigType::None => json5::from_str(text).map_err(|e| json5_error(text, &e))?,
        };
        if !value.is_object() {
            return Err(SyntaxError::at(text, 0, "the outermost value is not an object { ... }"));
        }
        Ok(Self {
            text: text.to_owned(),
            value,
        })
    }

    /// The value at a dotted path.
    #[must_use]
    pub fn get(&self, path: &[String]) -> Option<&Value> {
        at(&self.value, path)
    }
}

/// The value at a path of keys and array positions.
#[must_use]
pub fn at<'a>(value: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

/// `gateway.mode` as its keys.
#[must_use]
pub fn keys(dotted: &str) -> Vec<String> {
    dotted.split('.').map(str::to_owned).collect()
}

impl SyntaxError {
    fn at(text: &str, offset: usize, what: &str) -> Self {
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let start = text[..offset].rfind('\n').map_or(0, |n| n + 1);
        let line = text[..start].matches('\n').count() + 1;
        let column = text[start..offset].chars().count() + 1;
        Self {
            what: what.to_owned(),
            line,
            column,
            excerpt: excerpt(&text[start..], column),
        }
    }
}

/// The line and a caret. A secret on the line is masked by as many characters, so that the caret stays true.
fn excerpt(rest: &str, column: usize) -> String {
    const WIDTH: usize = 100;
    let line: String = rest.lines().next().unwrap_or("").chars().take(4000).collect();
    let masked: Vec<char> = secrets::mask_keeping_width(&line)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if masked.iter().all(|c| c.is_whitespace()) {
        return String::new();
    }
    let from = column.saturating_sub(WIDTH * 2 / 3).min(masked.len());
    let shown: String = masked.iter().skip(from).take(WIDTH).collect();
    let caret = column.saturating_sub(1).saturating_sub(from).min(WIDTH);
    format!("{}\n{}^", shown.trim_end(), " ".repeat(caret))
}

fn json5_error(text: &str, error: &json5::Error) -> SyntaxError {
    let offset = error
        .position()
        .map_or(text.len(), |p| offset_of(text, p.line + 1, p.column + 1));
    // The other parser's words and place are better ("expected comma"), where it also objects.
    if let Err(e) = jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &strict()) {
        let mut error = SyntaxError::at(text, e.range().start, &e.kind().to_string().to_lowercase());
        if error.what.contains("unterminated") {
            error.what = format!("{}; the file ends too early", error.what);
        }
        return error;
    }
    SyntaxError::at(text, offset, &strip_place(&error.to_string().to_lowercase()))
}

/// JSON5 as it is specified: everything but missing commas.
#[must_use]
pub fn strict() -> ParseOptions {
    ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    }
}

/// Byte offset of a place counted from 1 in lines and columns (characters or bytes: both are near enough for a caret).
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let start: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    start
        + text[start.min(text.len())..]
            .chars()
            .take(column.saturating_sub(1))
            .map(char::len_utf8)
            .sum::<usize>()
}

fn strip_place(message: &str) -> String {
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

/// Where brackets nest deeper than [`MAX_DEPTH`]. Brackets in strings count too, which only makes it stricter.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().position(|b| {
        match b {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_DEPTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> SyntaxError {
        Document::parse(text.as_bytes(), ConfigType::Json5).unwrap_err()
    }

    #[test]
    fn openclaws_json5_is_understood() {
        let text = "// c\n{ gateway: { mode: 'local', port: 0x10, }, /* x */ a: [1,], }";
        let document = Document::parse(text.as_bytes(), ConfigType::Json5).unwrap();
        assert_eq!(document.get(&keys("gateway.mode")).unwrap(), "local");
        assert!(Document::parse(text.as_bytes(), ConfigType::Json).is_err());
    }

    #[test]
    fn a_missing_comma_is_named_with_line_column_and_caret() {
        let e = error("{\n  a: 1\n  b: 2\n}");
        assert_eq!((e.line, e.column), (2, 7));
        assert!(e.what.contains("comma"), "{}", e.what);
        assert_eq!(e.excerpt, "  a: 1\n      ^");
    }

    #[test]
    fn a_secret_beside_the_error_is_masked() {
        let e = error("{ token: 'sk-ant-hush-hush-hush' b: 1 }");
        assert!(!e.excerpt.contains("hush"), "{}", e.excerpt);
    }

    #[test]
    fn damage_of_every_kind_is_an_answer_not_a_crash() {
        for bytes in [
            &b""[..],
            b"\0\xff\xfe",
            b"[]",
            b"{",
            b"{\"a\":",
            b"{}}garbage",
            b"\xef\xbb\xbf{",
        ] {
            assert!(Document::parse(bytes, ConfigType::Json5).is_err(), "{bytes:?}");
        }
        assert!(Document::parse("[".repeat(100_000).as_bytes(), ConfigType::Json5).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _document = Document::parse(&bytes, ConfigType::Json5);
            let _document = Document::parse(&bytes, ConfigType::Json);
        }

        #[test]
        fn no_json_like_text_makes_it_panic(text in r#"[\[\]{}:,'"a-z0-9\\/*\n .+x-]{0,120}"#) {
            let _document = Document::parse(text.as_bytes(), ConfigType::Json5);
        }
    }
}
