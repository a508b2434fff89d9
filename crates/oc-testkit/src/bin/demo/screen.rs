//! What the viewer sees: one aligned line per event, coloured on a terminal only.

use std::io::{IsTerminal as _, Write as _};

/// The words of the second column and their colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Something that the viewer's hand does: the injury.
    Act,
    Seen,
    Decided,
    Done,
    Healed,
    Person,
    Human,
}

impl Step {
    const fn look(self) -> (&'static str, &'static str) {
        match self {
            Self::Act => ("!", "1;35"),
            Self::Seen => ("seen", "33"),
            Self::Decided => ("decided", "36"),
            Self::Done => ("done", "34"),
            Self::Healed => ("healed", "32"),
            Self::Person => ("person", "35"),
            Self::Human => ("HUMAN", "1;31"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    coloured: bool,
}

impl Screen {
    pub(crate) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            coloured: wanted && std::io::stdout().is_terminal(),
        }
    }

    /// One line of the ladder; `at` is in milliseconds since the beginning.
    pub(crate) fn event(&self, at_ms: i64, step: Step, who: &str, text: &str) {
        let (word, colour) = step.look();
        let word = self.paint(&format!("{word:<8}"), colour);
        let seconds = f64::from(i32::try_from(at_ms).unwrap_or(i32::MAX)) / 1000.0;
        self.plain(&format!("{seconds:8.3}  {word} {who:<9} {text}"));
    }

    pub(crate) fn title(&self, text: &str) {
        self.plain(&format!("\n{}", self.paint(text, "1")));
    }

    pub(crate) fn good(&self, text: &str) {
        self.plain(&self.paint(text, "1;32"));
    }

    pub(crate) fn bad(&self, text: &str) {
        self.plain(&self.paint(text, "1;31"));
    }

    pub(crate) fn plain(&self, text: &str) {
        // A viewer who closed the pipe has seen enough; what was started must still be ended.
        drop(writeln!(std::io::stdout(), "{text}"));
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.coloured {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
