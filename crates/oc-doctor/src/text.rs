//! Damaged text: where in it a whole configuration still stands, whether it was cut short, which commas are missing.

use crate::document::{Document, at, keys};
use jsonc_parser::ParseOptions;
use jsonc_parser::ast::Value as Node;
use jsonc_parser::common::Ranged as _;
use oc_core::config::ConfigType;
use std::ops::Range;

/// Places where an intact configuration is looked for, at most.
const TRIES: usize = 64;

/// The bytes of an intact configuration within a text with something before or after it. It must make up most of the
/// text and have at least the first part of each required key: `{}` in a log line is no configuration.
#[must_use]
pub fn root_within(text: &str, kind: ConfigType, required: &[String]) -> Option<Range<usize>> {
    let opens = text
        .char_indices()
        .filter(|(_, c)| *c == '{')
        .map(|(at, _)| at)
        .take(TRIES);
    opens
        .filter_map(|open| Some(open..open + matching_close(&text[open..])?))
        .filter(|range| range.len() * 2 >= text.trim().len())
        .find(|range| {
            Document::parse(text[range.clone()].as_bytes(), kind).is_ok_and(|document| {
                required
                    .iter()
                    .all(|key| at(&document.value, &keys(key)[..1]).is_some())
            })
        })
        .map(|range| with_head_comment(text, range))
}

/// Comments directly above the root belong to it.
fn with_head_comment(text: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start;
    for line in text[..range.start].rsplit_inclusive_lines() {
        let bare = line.trim();
        if !(bare.is_empty() || bare.starts_with("//")) {
            break;
        }
        start -= line.len();
    }
    start..range.end
}

trait RsplitLines {
    fn rsplit_inclusive_lines(&self) -> Vec<&str>;
}

impl RsplitLines for str {
    fn rsplit_inclusive_lines(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.split_inclusive('\n').collect();
        lines.reverse();
        lines
    }
}

/// One step through JSON5 text that knows strings and comments from brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    Open(char),
    Close(char),
    Comma,
    Other,
}

/// Walks over `text`, calling `each` with every bracket, comma and other token's end; stops when it says so. Returns
/// whether the text ended inside a string or comment.
fn walk(text: &str, mut each: impl FnMut(Token, usize) -> bool) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (token, end) = match bytes[at] {
            quote @ (b'"' | b'\'') => {
                let mut end = at + 1;
                while end < bytes.len() && bytes[end] != quote {
                    end += if bytes[end] == b'\\' { 2 } else { 1 };
                }
                if end >= bytes.len() {
                    return true;
                }
                (Token::Other, end + 1)
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at = text[at..].find('\n').map_or(bytes.len(), |n| at + n);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => match text[at..].find("*/") {
                Some(n) => {
                    at += n + 2;
                    continue;
                }
                None => return true,
            },
            open @ (b'{' | b'[') => (Token::Open(char::from(open)), at + 1),
            close @ (b'}' | b']') => (Token::Close(char::from(close)), at + 1),
            b',' => (Token::Comma, at + 1),
            b if b.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            _ => (Token::Other, at + 1),
        };
        if !each(token, end) {
            return false;
        }
        at = end;
    }
    false
}

/// Where the bracket that `text` begins with is closed.
fn matching_close(text: &str) -> Option<usize> {
    let (mut depth, mut close) = (0_usize, None);
    walk(text, |token, end| {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            close = Some(end);
        }
        depth > 0
    });
    close
}

/// Whether a text ends while something is still open.
#[must_use]
pub fn cut_short(text: &str) -> bool {
    let (mut depth, mut sound) = (0_i64, true);
    let inside = walk(text, |token, _| {
        match token {
            Token::Open(_) => depth += 1,
            Token::Close(_) => depth -= 1,
            _ => {}
        }
        sound &= depth >= 0;
        true
    });
    text.trim_start().starts_with(['{', '/']) && sound && (inside || depth > 0)
}

/// A text that was cut short, closed after its last complete entry. `None` when nothing complete is left.
#[must_use]
pub fn closed(text: &str, kind: ConfigType) -> Option<String> {
    // Ends of entries, with what is open there, newest last.
    let (mut stack, mut ends) = (Vec::new(), Vec::new());
    walk(text, |token, end| {
        match token {
            Token::Open('{') => stack.push('}'),
            Token::Open(_) => stack.push(']'),
            Token::Close(_) => {
                stack.pop();
            }
            Token::Comma | Token::Other => {}
        }
        if token != Token::Other {
            let upto = if token == Token::Comma { end - 1 } else { end };
            ends.push((upto, stack.clone()));
        }
        ends.len() < 100_000
    });
    let whole = std::iter::once((text.trim_end().len(), stack.clone()));
    whole
        .chain(ends.into_iter().rev().take(TRIES))
        .filter(|(_, open)| !open.is_empty())
        .find_map(|(end, open)| {
            let mut candidate = text.get(..end)?.trim_end().to_owned();
            candidate.push('\n');
            candidate.extend(open.iter().rev());
            candidate.push('\n');
            Document::parse(candidate.as_bytes(), kind).ok().map(|_| candidate)
        })
}

/// The text with every missing comma put in; `None` when commas are not (only) what is wrong.
#[must_use]
pub fn with_commas(text: &str, kind: ConfigType) -> Option<String> {
    let parsed =
        jsonc_parser::parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &ParseOptions::default()).ok()?;
    let mut missing = Vec::new();
    find_missing(text, parsed.value.as_ref()?, &mut missing);
    if missing.is_empty() {
        return None;
    }
    let mut new = text.to_owned();
    for at in missing.iter().rev() {
        new.insert(*at, ',');
    }
    Document::parse(new.as_bytes(), kind).ok().map(|_| new)
}

fn find_missing(text: &str, node: &Node<'_>, missing: &mut Vec<usize>) {
    let ranges: Vec<(usize, usize)> = match node {
        Node::Object(object) => object.properties.iter().map(|p| (p.range.start, p.range.end)).collect(),
        Node::Array(array) => array.elements.iter().map(|e| (e.start(), e.end())).collect(),
        _ => return,
    };
    let children: Vec<&Node<'_>> = match node {
        Node::Object(object) => object.properties.iter().map(|p| &p.value).collect(),
        Node::Array(array) => array.elements.iter().collect(),
        _ => Vec::new(),
    };
    for (index, child) in children.into_iter().enumerate() {
        find_missing(text, child, missing);
        if let (Some((_, end)), Some((start, _))) = (ranges.get(index), ranges.get(index + 1))
            && !has_comma(text.get(*end..*start).unwrap_or(","))
        {
            missing.push(*end);
        }
    }
}

fn has_comma(between: &str) -> bool {
    let mut found = false;
    walk(between, |token, _| {
        found |= token == Token::Comma;
        !found
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: ConfigType = ConfigType::Json5;

    fn required() -> Vec<String> {
        vec!["gateway.mode".to_owned()]
    }

    #[test]
    fn garbage_before_and_after_is_told_from_the_configuration() {
        let good = "{ gateway: { mode: 'local', /* } */ a: '}' } }";
        for (before, after) in [
            ("", "}}garbage"),
            ("2026 [gw] {\"a\":1} x\n", ""),
            ("log line ", "\n{}"),
        ] {
            let text = format!("{before}{good}{after}");
            assert_eq!(&text[root_within(&text, K, &required()).unwrap()], good, "{text}");
        }
        assert_eq!(root_within("xx {\"a\": 1} yy", K, &required()), None);
        let commented = format!("junk\n// mine\n{good}");
        assert!(commented[root_within(&commented, K, &required()).unwrap()].starts_with("// mine"));
    }

    #[test]
    fn a_cut_text_is_closed_after_its_last_entry() {
        let text = "{ gateway: { mode: 'local', port: 1, }, channels: { telegram: { enabled: true, botTok";
        assert!(cut_short(text));
        let closed = closed(text, K).unwrap();
        assert!(closed.starts_with("{ gateway: { mode: 'local', port: 1, }, channels: { telegram: { enabled: true"));
        assert!(!cut_short("{ a: 1 b: 2 }"));
        assert!(!cut_short("not json"));
    }

    #[test]
    fn every_missing_comma_is_put_in() {
        let text = "{\n  a: 1 // one\n  b: [1 2]\n  c: {d: ','}\n}";
        assert_eq!(
            with_commas(text, K).unwrap(),
            "{\n  a: 1, // one\n  b: [1, 2],\n  c: {d: ','}\n}"
        );
        assert_eq!(with_commas("{ a: }", K), None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_them_panic(text in r#"[\[\]{}:,'"a-z0-9\\/*\n é]{0,120}"#) {
            let _root = root_within(&text, K, &[]);
            let _cut = cut_short(&text);
            let _closed = closed(&text, K);
            let _commas = with_commas(&text, K);
        }
    }
}
