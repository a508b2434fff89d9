//! Cutting text to what an API takes, counted in that API's own unit.

use unicode_segmentation::UnicodeSegmentation as _;

/// What an API counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Unicode characters.
    Chars,
    /// UTF-16 code units: Telegram; also right wherever it is not known whether characters or units are counted.
    Utf16,
    /// Bytes of UTF-8.
    Bytes,
}

impl Unit {
    /// The length of a text.
    #[must_use]
    pub fn measure(self, text: &str) -> usize {
        match self {
            Self::Chars => text.chars().count(),
            Self::Utf16 => text.encode_utf16().count(),
            Self::Bytes => text.len(),
        }
    }
}

/// The text, at most `limit` units long. What is too long ends at a line if one ends near, else between graphemes, with
/// a marker that says how many characters are missing.
#[must_use]
pub fn cut(text: &str, limit: usize, unit: Unit) -> String {
    // The byte length bounds every unit: most texts are not even counted.
    if text.len() <= limit || unit.measure(text) <= limit {
        return text.to_owned();
    }
    // Room for the longest marker this text can need; a narrow limit leaves no room for one.
    let marker_room = unit.measure(&marker(text.len()));
    let room = limit.checked_sub(marker_room);
    let end = fitting(text, room.unwrap_or(limit), unit);
    let Some(_) = room else { return text[..end].to_owned() };
    let kept = match text[..end].rfind('\n') {
        Some(line) if line * 5 >= end * 4 => &text[..line],
        _ => &text[..end],
    };
    let kept = kept.trim_end();
    format!("{kept}{}", marker(text[kept.len()..].chars().count()))
}

fn marker(missing: usize) -> String {
    format!(" … (+{missing})")
}

/// The end of the longest run of whole graphemes that fits.
fn fitting(text: &str, room: usize, unit: Unit) -> usize {
    let (mut used, mut end) = (0, 0);
    for (at, grapheme) in text.grapheme_indices(true) {
        used += unit.measure(grapheme);
        if used > room {
            break;
        }
        end = at + grapheme.len();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn short_text_stays_and_long_text_says_what_is_missing() {
        assert_eq!(cut("short", 5, Unit::Chars), "short");
        assert_eq!(
            cut(&"x".repeat(100), 20, Unit::Chars),
            format!("{} … (+{})", "x".repeat(11), 89)
        );
        assert_eq!(
            cut("first line is long\nsecond", 24, Unit::Chars),
            "first line is lo … (+9)"
        );
        assert_eq!(
            cut(&format!("{}\n{}", "a".repeat(80), "b".repeat(80)), 95, Unit::Chars)
                .lines()
                .count(),
            1
        );
    }

    #[test]
    fn each_unit_is_its_own() {
        let text = "👍".repeat(10);
        assert_eq!(
            (
                Unit::Chars.measure(&text),
                Unit::Utf16.measure(&text),
                Unit::Bytes.measure(&text)
            ),
            (10, 20, 40)
        );
    }

    proptest! {
        #[test]
        fn never_longer_than_the_limit_and_always_a_prefix(text in "(.|\n|👩‍👩‍👧‍👦|한|é){0,200}", limit in 0usize..200) {
            for unit in [Unit::Chars, Unit::Utf16, Unit::Bytes] {
                let cut = cut(&text, limit, unit);
                prop_assert!(unit.measure(&cut) <= limit, "{cut:?}");
                let kept = cut.rsplit_once(" … (+").map_or(cut.as_str(), |(kept, _)| kept);
                prop_assert!(text.starts_with(kept));
            }
        }
    }
}
