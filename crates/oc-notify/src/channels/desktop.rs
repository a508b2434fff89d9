//! A notification on this machine's own screen: Notification Center on macOS, notify-send elsewhere.

use super::limits::{Unit, cut};
use super::{Answer, Built, Call, Channel, Letter, Verdict, sign};
use crate::message::{Message, Severity};
use oc_core::config::Notify;

/// Characters; screens show a few lines.
const TEXT: usize = 400;
const TITLE: usize = 100;

pub(super) struct Desktop;

pub(super) fn from(settings: &Notify) -> Built {
    settings.desktop.then(|| Ok(Box::new(Desktop) as Box<dyn Channel>))
}

impl Channel for Desktop {
    fn name(&self) -> &'static str {
        "desktop"
    }

    fn calls(&self, letter: &Letter<'_>) -> Vec<Call> {
        let argv = if cfg!(target_os = "macos") {
            macos(letter.message)
        } else {
            notify_send(letter.message)
        };
        vec![Call::Program {
            argv,
            stdin: Vec::new(),
        }]
    }

    fn judge(&self, answer: &Answer) -> Verdict {
        match answer.status {
            0 => Verdict::Delivered(None),
            // Nobody is logged in, or there is no desktop: it will not get better by trying.
            status => Verdict::Refused(format!("exit {status}")),
        }
    }

    fn address(&self) -> String {
        String::new()
    }

    fn remote(&self) -> bool {
        false
    }
}

fn texts(message: &Message) -> (String, String) {
    let title = cut(&format!("{} {}", sign(message), message.title), TITLE, Unit::Chars);
    (title, cut(&message.body(), TEXT, Unit::Chars))
}

/// The texts are arguments of the script, never part of it.
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "built and tested everywhere"))]
fn macos(message: &Message) -> Vec<String> {
    let (title, text) = texts(message);
    let script = [
        "on run argv",
        "display notification (item 2 of argv) with title (item 1 of argv)",
        "end run",
    ];
    let mut argv = vec!["osascript".to_owned()];
    for line in script {
        argv.extend(["-e".to_owned(), line.to_owned()]);
    }
    argv.extend([title, text]);
    argv
}

fn notify_send(message: &Message) -> Vec<String> {
    let (title, text) = texts(message);
    let urgency = match message.severity {
        Severity::Info => "low",
        Severity::Warning => "normal",
        Severity::Critical => "critical",
    };
    // The body may be read as markup.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    [
        "notify-send",
        "--app-name=oc",
        "--urgency",
        urgency,
        "--",
        &title,
        &text,
    ]
    .map(str::to_owned)
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::tests::sample;

    #[test]
    fn foreign_text_is_an_argument_and_never_a_script_or_an_option() {
        let mut message = sample();
        message.title = "--help\" & do shell script \"x".into();
        let argv = macos(&message);
        assert!(argv[..argv.len() - 2].iter().all(|a| !a.contains("--help")));
        let argv = notify_send(&message);
        let end = argv.iter().position(|a| a == "--").unwrap();
        assert!(argv[..end].iter().all(|a| !a.contains("help")));
    }
}
