//! Unified diffs that show no secret: secret values are masked before they are compared, and every line once more.

use crate::secrets;
use similar::TextDiff;

/// Longer diffs are cut: they go into alerts and reports.
const MAX_LINES: usize = 400;

/// What changed, as a unified diff of masked texts. Each of the `exact` secrets becomes `***`, and so does what looks like
/// one; a secret that changed shows as a changed line with the same mask.
#[must_use]
pub fn unified(name: &str, before: &str, after: &str, exact: &[String]) -> String {
    if before == after {
        return String::new();
    }
    let mask = |text: &str, other: &str, side: &str| -> String {
        let same: std::collections::HashSet<&str> = other.lines().collect();
        text.split_inclusive('\n')
            .map(|line| {
                let masked = masked_line(line, exact);
                // A line that differs only in its secret must still show as different.
                let changed = !same.contains(line.trim_end_matches(['\n', '\r'])) && masked != line;
                if changed { mark(&masked, side) } else { masked }
            })
            .collect()
    };
    let (old, new) = (mask(before, after, "old"), mask(after, before, "new"));
    let diff = TextDiff::from_lines(&old, &new);
    let text = diff
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string();
    let mut lines: Vec<&str> = text.lines().collect();
    let cut = lines.len() > MAX_LINES;
    lines.truncate(MAX_LINES);
    let mut shown = lines.join("\n");
    if cut {
        shown.push_str("\n... (cut)");
    }
    if !shown.is_empty() {
        shown.push('\n');
    }
    shown
        .chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

fn masked_line(line: &str, exact: &[String]) -> String {
    let mut line = line.to_owned();
    for secret in exact {
        if line.contains(secret.as_str()) {
            line = secrets::replace_whole(&line, secret, "***");
        }
    }
    let body = line.trim_end_matches(['\n', '\r']);
    let end = line[body.len()..].to_owned();
    secrets::mask_keeping_width(body) + &end
}

/// Says which side a masked line is of: with equal masks the two would look the same.
fn mark(masked: &str, side: &str) -> String {
    let body = masked.trim_end_matches(['\n', '\r']);
    format!("{body} // ({side} secret){}", &masked[body.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changed_lines_show_and_the_secrets_do_not() {
        let before = "{\n  token: 'old-secret',\n  a: 1\n}\n";
        let after = "{\n  token: 'new-secret',\n  a: 2\n}\n";
        let text = unified(
            "c.json",
            before,
            after,
            &["old-secret".to_owned(), "new-secret".to_owned()],
        );
        assert!(text.contains("-  a: 1\n") && text.contains("+  a: 2\n"), "{text}");
        assert!(!text.contains("secret'"), "{text}");
        assert_eq!(
            text.matches("token").count(),
            2,
            "a changed secret shows as a change: {text}"
        );
    }

    #[test]
    fn damaged_text_is_masked_by_its_words() {
        let text = unified("c.json", "", "{ \"botToken\": \"1234:hush\"\n garbage", &[]);
        assert!(!text.contains("hush"), "{text}");
    }
}
