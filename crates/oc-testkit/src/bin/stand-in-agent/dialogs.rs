//! The dialogs that Claude Code 2.1.330 may show before a session starts, as seen on its screen. In the text a line that begins
//! with `❯` is the choice that Enter takes, those with a `+` lead on: everything else ends the program or leads nowhere.

use crate::terminal::{self, Key};

const DIALOGS: &[(&str, &str)] = &[
    ("theme", include_str!("dialogs/theme.txt")),
    ("api_key", include_str!("dialogs/api_key.txt")),
    ("login", include_str!("dialogs/login.txt")),
    ("security", include_str!("dialogs/security.txt")),
    ("trust", include_str!("dialogs/trust.txt")),
    ("bypass", include_str!("dialogs/bypass.txt")),
    ("mcp", include_str!("dialogs/mcp.txt")),
    ("settings_error", include_str!("dialogs/settings_error.txt")),
    ("config_error", include_str!("dialogs/config_error.txt")),
    ("unknown", include_str!("dialogs/unknown.txt")),
];

/// What became of a dialog.
pub(crate) enum Outcome {
    Passed,
    Refused,
    TerminalGone,
}

pub(crate) fn show(name: &str) -> Result<Outcome, String> {
    let (_, text) = DIALOGS
        .iter()
        .find(|(known, _)| *known == name)
        .ok_or_else(|| format!("no dialog {name}"))?;
    let lines: Vec<&str> = text.lines().collect();
    let choices: Vec<usize> = (0..lines.len()).filter(|at| choice(lines[*at]).is_some()).collect();
    let mut at = choices
        .iter()
        .position(|at| lines[*at].contains('❯'))
        .unwrap_or_default();
    loop {
        terminal::say("\x1b[2J\x1b[H");
        for (n, line) in lines.iter().enumerate() {
            let shown = match choice(line) {
                Some((_, label)) if choices.get(at) == Some(&n) => format!(" ❯ {label}"),
                Some((_, label)) => format!("   {label}"),
                None => (*line).to_owned(),
            };
            terminal::say(&format!("{shown}\n"));
        }
        let Some(keys) = terminal::keys() else {
            return Ok(Outcome::TerminalGone);
        };
        for key in keys {
            match key {
                Key::Up => at = at.saturating_sub(1),
                Key::Down => at = (at + 1).min(choices.len().saturating_sub(1)),
                Key::Escape | Key::Interrupt => return Ok(Outcome::Refused),
                Key::Enter => {
                    let good = choices
                        .get(at)
                        .and_then(|n| choice(lines[*n]))
                        .is_some_and(|(good, _)| good);
                    terminal::say("\x1b[2J\x1b[H");
                    return Ok(if good { Outcome::Passed } else { Outcome::Refused });
                }
                Key::Text(_) => {}
            }
        }
    }
}

/// Whether a line is a choice: marked by `+` (leads on) or `-` in the first column, the default by `❯` after it.
fn choice(line: &str) -> Option<(bool, &str)> {
    let good = match line.chars().next()? {
        '+' => true,
        '-' => false,
        _ => return None,
    };
    Some((good, line[1..].trim_start_matches(['❯', ' '])))
}
