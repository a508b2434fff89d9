//! The terminal: raw keys in, text out. A reader that is gone ends nothing: what is tested is who ends the agent.

use rustix::termios::{OptionalActions, isatty, tcgetattr, tcsetattr};
use std::io::{Read as _, Write as _};

/// A key that matters in a dialog or in the prompt box.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Enter,
    Up,
    Down,
    Escape,
    Interrupt,
    Text(String),
}

pub(crate) fn say(text: &str) {
    // A raw terminal turns no newline into a carriage return.
    let text = if isatty(std::io::stdout()) {
        text.replace('\n', "\r\n")
    } else {
        text.to_owned()
    };
    let mut out = std::io::stdout().lock();
    _ = out.write_all(text.as_bytes());
    _ = out.flush();
}

pub(crate) fn complain(text: &str) {
    _ = writeln!(std::io::stderr(), "{text}");
}

/// Every key from now on comes at once and unseen.
pub(crate) fn raw() {
    if let Ok(mut mode) = tcgetattr(std::io::stdin()) {
        mode.make_raw();
        _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &mode);
    }
}

/// What one read gives, as Claude Code takes it: a carriage return that arrives together with much text is a newline of that
/// text. Nothing when the terminal is gone.
pub(crate) fn keys() -> Option<Vec<Key>> {
    let mut bytes = [0; 4096];
    let read = std::io::stdin().read(&mut bytes).ok().filter(|n| *n > 0)?;
    let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
    if text.len() >= 60 {
        return Some(vec![Key::Text(text)]);
    }
    let mut keys = Vec::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let (key, len) = match KNOWN.iter().find(|(bytes, _)| rest.starts_with(bytes)) {
            Some((bytes, key)) => (key.clone(), bytes.len()),
            None => (Key::Text(first.to_string()), first.len_utf8()),
        };
        keys.push(key);
        rest = &rest[len..];
    }
    Some(keys)
}

/// The longer ones first: they all begin with Escape.
const KNOWN: &[(&str, Key)] = &[
    ("\x1b[A", Key::Up),
    ("\x1bOA", Key::Up),
    ("\x1b[B", Key::Down),
    ("\x1bOB", Key::Down),
    ("\x1b", Key::Escape),
    ("\x03", Key::Interrupt),
    ("\r", Key::Enter),
];
