//! "I could not do my job": one error type that knows its exit code and what the person can do next.
//!
//! A verdict such as "the service is down" is never a [`Fault`]; it is an answer.

use crate::exit::Exit;
use std::fmt;
use std::io;
use std::path::Path;

/// An error for a person: what went wrong, where, and what to do. Printed as `tool: what`, then `hint: ...`.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Fault {
    /// The process exits with this code.
    pub exit: Exit,
    /// Lower case, one line, names the object: `cannot read /path: No such file or directory`.
    pub what: String,
    /// The next step for the person, if one is known.
    pub hint: Option<String>,
}

/// What every fallible function of the suite returns.
pub type Result<T, E = Fault> = std::result::Result<T, E>;

impl Fault {
    /// A fault with any exit code.
    pub fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self {
            exit,
            what: what.to_string(),
            hint: None,
        }
    }

    /// 64: the person called us wrongly.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// 65: bytes we were given could not be understood.
    pub fn data(what: impl fmt::Display) -> Self {
        Self::new(Exit::Data, what)
    }

    /// 70: a defect of ours.
    pub fn internal(what: impl fmt::Display) -> Self {
        Self::new(Exit::Internal, what)
    }

    /// 75: somebody else is healing.
    pub fn busy(what: impl fmt::Display) -> Self {
        Self::new(Exit::Busy, what)
    }

    /// 78: config.json (ours) is wrong.
    pub fn config(what: impl fmt::Display) -> Self {
        Self::new(Exit::Config, what)
    }

    /// "cannot `verb` `path`: reason" with 77 for a permission problem and 74 otherwise.
    pub fn io(verb: &str, path: &Path, error: impl Into<io::Error>) -> Self {
        let error = error.into();
        let exit = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Exit::Permission,
            _ => Exit::Io,
        };
        Self::new(exit, format_args!("cannot {verb} {}: {error}", path.display()))
    }

    /// Adds the next step for the person.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}
