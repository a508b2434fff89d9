//! Why a gateway does not start: the exit code and the lines a person finds in the log.

/// A start that is refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exit: u8,
    pub(crate) lines: Vec<String>,
}

/// A runtime trouble: a service manager may try again.
pub(crate) const RUNTIME: u8 = 1;
/// EX_CONFIG: "do not restart me".
pub(crate) const CONFIG: u8 = 78;

impl Refusal {
    pub(crate) fn new<L: Into<String>>(exit: u8, lines: impl IntoIterator<Item = L>) -> Self {
        Self {
            exit,
            lines: lines.into_iter().map(Into::into).collect(),
        }
    }

    pub(crate) fn config(line: impl Into<String>) -> Self {
        Self::new(CONFIG, [line])
    }
}
