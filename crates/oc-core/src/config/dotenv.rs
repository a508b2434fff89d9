//! `~/.openclaw/.env`: KEY=VALUE lines. Parsed, never executed: `$(...)`, backquotes and `$NAME` are plain text.

/// What a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Dotenv {
    /// Names and values in the order of the file; of a repeated name the last one counts.
    pub(super) values: Vec<(String, String)>,
    /// Numbers (from 1) of lines that are no KEY=VALUE. Never their text: it may be a secret in the wrong form.
    pub(super) malformed: Vec<usize>,
}

/// Reads `KEY=VALUE`, `export KEY=VALUE`, quotes (double ones with escapes, both also over several lines), comments, CRLF,
/// a byte order mark. Understands any bytes: what it cannot read becomes a line number.
pub(super) fn parse(bytes: &[u8]) -> Dotenv {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    let mut found = Dotenv::default();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let number = at + 1;
        at += 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line).trim_ascii_start();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match assignment(line, lines.get(at..).unwrap_or_default()) {
            Some((name, value, more)) => {
                at += more;
                found.values.push((name, value));
            }
            None => found.malformed.push(number),
        }
    }
    found
}

/// One assignment and how many of the following lines belong to it.
fn assignment(line: &[u8], following: &[&[u8]]) -> Option<(String, String, usize)> {
    let line = std::str::from_utf8(line).ok()?;
    let line = match line.strip_prefix("export") {
        Some(rest) if rest.starts_with([' ', '\t']) => rest.trim_start(),
        _ => line,
    };
    let (name, value) = line.split_once('=')?;
    // `KEY =x` is a command to a shell, but to a person it is an assignment.
    let name = name.trim_end();
    let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if !is_name {
        return None;
    }
    let value = value.trim_start();
    let Some(quote) = value.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = value.find([' ', '\t']).and_then(|blank| {
            value[blank..]
                .find(" #")
                .or_else(|| value[blank..].find("\t#"))
                .map(|at| at + blank)
        });
        let value = end.map_or(value, |end| &value[..end]);
        // An unquoted value that begins with # is empty, with a comment behind it.
        let value = if value.starts_with('#') { "" } else { value.trim_end() };
        return Some((name.to_owned(), value.to_owned(), 0));
    };
    let mut text = value[1..].to_owned();
    for more in 0..=following.len() {
        if let Some((value, rest)) = unquote(&text, quote) {
            let rest = rest.trim();
            return (rest.is_empty() || rest.starts_with('#')).then(|| (name.to_owned(), value, more));
        }
        let next = std::str::from_utf8(following.get(more)?).ok()?;
        text.push('\n');
        text.push_str(next.strip_suffix('\r').unwrap_or(next));
        if text.len() > 64 << 10 {
            return None;
        }
    }
    None
}

/// The text up to the closing quote, and what follows it.
fn unquote(text: &str, quote: char) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Some((value, &text[at + c.len_utf8()..])),
            '\\' if quote == '"' => match chars.next()?.1 {
                'n' => value.push('\n'),
                'r' => value.push('\r'),
                't' => value.push('\t'),
                escaped @ ('"' | '\\' | '$' | '`') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            _ => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(text: &str) -> Vec<(String, String)> {
        let found = parse(text.as_bytes());
        assert_eq!(found.malformed, [] as [usize; 0], "{text}");
        found.values
    }

    fn value(text: &str) -> String {
        values(&format!("K={text}")).remove(0).1
    }

    #[test]
    fn the_forms_people_write() {
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("  spaced  ", "spaced"),
            ("two words", "two words"),
            ("v # comment", "v"),
            ("https://x/#fragment", "https://x/#fragment"),
            ("# only a comment", ""),
            ("\"q # not a comment\" # comment", "q # not a comment"),
            ("'single $HOME'", "single $HOME"),
            ("\"a\\\"b\\n\"", "a\"b\n"),
            ("\"two\nlines\"", "two\nlines"),
            ("a=b=c", "a=b=c"),
            ("$(touch /tmp/x)`id`", "$(touch /tmp/x)`id`"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
        let text = "\u{feff}# head\r\nexport A=1\r\n\r\nB = 2\r\nexportC=3\n";
        let pairs = [("A", "1"), ("B", "2"), ("exportC", "3")];
        assert_eq!(values(text), pairs.map(|(n, v)| (n.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_malformed_line_is_a_number_and_the_rest_still_counts() {
        let found = parse(b"A=1\nsecret without name\n1X=2\n=3\nQ=\"open\nB=4\n\xff=5\nC='x' y\nD=6\n");
        assert_eq!(found.malformed, [2, 3, 4, 5, 7, 8]);
        let names: Vec<&str> = found.values.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["A", "B", "D"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_understood_or_named(bytes: Vec<u8>) {
            let lines = bytes.split(|b| *b == b'\n').count();
            prop_assert!(parse(&bytes).malformed.iter().all(|n| (1..=lines).contains(n)));
        }

        #[test]
        fn text_full_of_quotes_never_panics(text in "[A\"'=#\\\\\n\r é$]{0,60}") {
            parse(text.as_bytes());
        }

        #[test]
        fn a_quoted_value_reads_back(value in "[^\0\r]{0,40}") {
            let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
            let found = parse(format!("K=\"{quoted}\"").as_bytes());
            prop_assert_eq!(found.values, vec![("K".to_owned(), value)]);
        }
    }
}
