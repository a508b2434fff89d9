//! Foreign text made fit for a terminal, a chat and a prompt.

use std::borrow::Cow;

/// The text without ANSI escapes, control characters (but line feed and tab), and the characters that are invisible or
/// turn the direction of writing: what a person sees is what is there.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\x1b' => skip_escape(&mut rest),
            '\u{9b}' => skip_csi(&mut rest),
            _ if is_hidden(c) => {}
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`clean`], on one line: for logs and tables, where a line break in foreign text would forge an entry.
#[must_use]
pub fn clean_line(text: &str) -> Cow<'_, str> {
    match clean(text) {
        text if text.contains(['\n', '\t']) => Cow::Owned(text.replace(['\n', '\t'], " ")),
        text => text,
    }
}

fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Longest string for the terminal that is taken for one. A hostile text must not cost the square of its length.
const STRING_MAX: usize = 4096;

/// The rest of an escape sequence; never more than a line, so that an unfinished one cannot swallow the text behind it.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_csi(rest);
        }
        // Strings for the terminal: title, clipboard, hyperlinks. They end with BEL or ESC \.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            for _ in 0..STRING_MAX {
                let Some(c) = ahead.next() else { return };
                let after = ahead.as_str();
                match c {
                    '\x07' | '\u{9c}' => {
                        *rest = ahead;
                        return;
                    }
                    '\x1b' if after.starts_with('\\') => {
                        ahead.next();
                        *rest = ahead;
                        return;
                    }
                    // Another escape cancels the string.
                    '\n' | '\x1b' => return,
                    _ => {}
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => {
            ahead.next();
            *rest = ahead;
        }
        Some('0'..='~') => *rest = ahead,
        _ => {}
    }
}

fn skip_csi(rest: &mut std::str::Chars<'_>) {
    let mut ahead = rest.clone();
    for c in ahead.by_ref().take(64) {
        match c {
            ' '..='?' => {}
            '@'..='~' => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tricks_go_and_text_stays() {
        for (text, expected) in [
            ("plain\n\ttext é 한국어", "plain\n\ttext é 한국어"),
            ("\x1b[31mred\x1b[0m", "red"),
            ("\x1b]0;title\x07after", "after"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]never ends\nnext", "]never ends\nnext"),
            ("over\rwritten\x08\x00", "overwritten"),
            ("\u{202e}exe.txt\u{2066}", "exe.txt"),
            ("a\u{200b}b\u{e0041}", "ab"),
            ("\u{9b}2Jx", "x"),
            ("\x1b(Bx\x1b", "x"),
            ("\x1b[", ""),
        ] {
            assert_eq!(clean(text), expected, "{text:?}");
        }
        assert_eq!(clean_line("one\ntwo\x1b[0m\r\n"), "one two ");
        assert!(matches!(clean("plain"), Cow::Borrowed(_)));
    }

    proptest::proptest! {
        #[test]
        fn nothing_hidden_is_left(text in "(\x1b|\\[|\\]|\u{9b}|\x07|\n|[ -~]|\u{202e}|.){0,40}") {
            let cleaned = clean(&text).into_owned();
            proptest::prop_assert!(!cleaned.chars().any(is_hidden));
            proptest::prop_assert_eq!(clean(&cleaned).into_owned(), cleaned);
        }
    }
}
