//! The questions that Claude Code may ask before a session begins, by what the screen shows, and what is done about each. A
//! question nobody knows is left standing until its time is up: a blind Enter has said yes to anything.

use crate::account::{End, Ended};

/// What to do about a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Press these keys.
    Keys(&'static [&'static str]),
    /// It cannot be answered for a person.
    Give(Ended),
}

/// A question.
struct Dialog {
    name: &'static str,
    /// All of it must be on the screen.
    shows: &'static [&'static str],
    keys: &'static [&'static str],
    end: End,
    says: &'static str,
}

const fn passed(name: &'static str, shows: &'static [&'static str], keys: &'static [&'static str]) -> Dialog {
    Dialog {
        name,
        shows,
        keys,
        end: End::Dialog,
        says: "",
    }
}

const fn given(name: &'static str, shows: &'static [&'static str], end: End, says: &'static str) -> Dialog {
    Dialog {
        name,
        shows,
        keys: &[],
        end,
        says,
    }
}

const DIALOGS: [Dialog; 10] = [
    passed("theme", &["Choose the text style"], &["Enter"]),
    // What stands first is No.
    passed(
        "api_key",
        &["Do you want to use this API key?", "❯ No"],
        &["Up", "Enter"],
    ),
    passed("api_key", &["Do you want to use this API key?", "❯ Yes"], &["Enter"]),
    passed("security", &["Security notes", "Press Enter to continue"], &["Enter"]),
    passed("trust", &["Yes, I trust this folder", "❯ No, exit"], &["Down", "Enter"]),
    passed("mcp", &["New MCP server found", "❯ Continue without"], &["Enter"]),
    given(
        "login",
        &["Select login method"],
        End::Login,
        "Claude Code is not signed in; run `claude` once, or set ANTHROPIC_API_KEY",
    ),
    given(
        "bypass",
        &["Bypass Permissions mode", "Yes, I accept"],
        End::Dialog,
        "it was started without its fence",
    ),
    given(
        "settings_error",
        &["Settings Error"],
        End::Dialog,
        "Claude Code cannot read its settings; run `claude` and follow it",
    ),
    given(
        "config_error",
        &["Configuration error"],
        End::Dialog,
        "Claude Code's own configuration is broken; run `claude` and follow it",
    ),
];

/// Said and gone: what the screen of an ended Claude Code shows.
const LAST_WORDS: [(&str, End); 3] = [
    ("Unable to connect to Anthropic services", End::Network),
    ("this folder isn't trusted", End::Dialog),
    ("Not logged in", End::Login),
];

/// The question on the screen and its answer.
#[must_use]
pub fn recognise(screen: &str) -> Option<(&'static str, Answer)> {
    let shown = DIALOGS
        .iter()
        .find(|dialog| dialog.shows.iter().all(|text| screen.contains(text)))?;
    let answer = if shown.keys.is_empty() {
        Answer::Give(Ended::new(shown.end, format!("{}: {}", shown.name, shown.says)))
    } else {
        Answer::Keys(shown.keys)
    };
    Some((shown.name, answer))
}

/// Why it ended, by its last screen.
#[must_use]
pub fn last_words(screen: &str) -> Option<Ended> {
    let (text, end) = LAST_WORDS.iter().find(|(text, _)| screen.contains(text))?;
    Some(Ended::new(*end, *text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(screen: &str) -> Option<&'static str> {
        recognise(screen).map(|(name, _)| name)
    }

    #[test]
    fn each_recorded_screen_is_known_and_its_default_minded() {
        let trust =
            " Accessing workspace:\n Quick safety check: Is this ...\n ❯ No, exit\n   Yes, I trust this folder\n";
        assert_eq!(recognise(trust), Some(("trust", Answer::Keys(&["Down", "Enter"]))));
        let moved = trust.replace("❯ No, exit", "  No, exit").replace("  Yes", "❯ Yes");
        assert_eq!(recognise(&moved), None, "Down again would lead back to No");
        let key = "Detected a custom API key\n Do you want to use this API key?\n   Yes\n ❯ No (recommended)";
        assert_eq!(recognise(key), Some(("api_key", Answer::Keys(&["Up", "Enter"]))));
        assert_eq!(
            name("Let's get started.\n Choose the text style that looks best"),
            Some("theme")
        );
        assert_eq!(name("Security notes:\n ❯ Press Enter to continue…"), Some("security"));
        assert_eq!(
            name("New MCP server found in this project: x\n ❯ Continue without using this MCP server"),
            Some("mcp")
        );
        assert_eq!(name("Something that no version so far has asked\n ❯ Perhaps"), None);
    }

    #[test]
    fn what_only_a_person_can_answer_is_given_to_one_by_name() {
        for (screen, end) in [
            (" Select login method:\n ❯ 1. Claude account", End::Login),
            (
                "WARNING: Claude Code running in Bypass Permissions mode\n ❯ No, exit\n   Yes, I accept",
                End::Dialog,
            ),
            (" Settings Error\n ❯ 1. Fix with Claude", End::Dialog),
            (" Configuration error\n ❯ 1. Exit and fix manually", End::Dialog),
        ] {
            assert!(
                matches!(recognise(screen), Some((_, Answer::Give(ended))) if ended.end == end),
                "{screen}"
            );
        }
        assert_eq!(
            last_words(" Unable to connect to Anthropic services\n").unwrap().end,
            End::Network
        );
    }
}
