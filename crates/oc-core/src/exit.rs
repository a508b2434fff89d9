//! The exit table: the suite's API towards scripts. See docs/scripting.md.
//!
//! Only 0 is good. Codes 1-9 are answers ("the tool worked, the answer is not the good one"); codes from 64 on mean that
//! the tool could not do its job. A reader must treat a code it does not know as a failure.

use serde::{Serialize, Serializer};

/// A process exit code with a meaning. Tools return one of these; nothing else calls `exit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// 0: the good answer.
    Good,
    /// 1-9: the tool worked and the answer is not the good one; the meaning is the tool's own (docs/scripting.md).
    Answer(u8),
    /// 64: the command line was wrong.
    Usage,
    /// 65: input data could not be understood.
    Data,
    /// 69: a program or host that is needed is missing.
    Unavailable,
    /// 70: a defect of ours.
    Internal,
    /// 74: reading or writing failed.
    Io,
    /// 75: busy, another healing holds the lock.
    Busy,
    /// 77: permission denied.
    Permission,
    /// 78: our own configuration is wrong (for `oc-doctor preflight`: the service's).
    Config,
    /// 124: a deadline passed.
    Deadline,
    /// 126: a program was found but could not be executed.
    CannotExec,
    /// 127: a program was not found.
    NotFound,
    /// 128+n: a child was killed by signal n.
    Signal(u8),
    /// The code of a child passed on unchanged by a wrapper.
    Child(u8),
}

impl Exit {
    /// The number the process exits with.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Answer(n) | Self::Child(n) => n,
            Self::Usage => 64,
            Self::Data => 65,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::Busy => 75,
            Self::Permission => 77,
            Self::Config => 78,
            Self::Deadline => 124,
            Self::CannotExec => 126,
            Self::NotFound => 127,
            Self::Signal(n) => 128_u8.saturating_add(n),
        }
    }

    /// One line for `--help` and the man pages.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Good => "the good answer",
            Self::Answer(_) => "the tool worked; the answer is not the good one",
            Self::Usage => "wrong usage",
            Self::Data => "input not understood",
            Self::Unavailable => "a needed program or host is missing",
            Self::Internal => "internal error",
            Self::Io => "I/O error",
            Self::Busy => "busy: another healing holds the lock",
            Self::Permission => "permission denied",
            Self::Config => "configuration is wrong",
            Self::Deadline => "deadline passed",
            Self::CannotExec => "cannot execute",
            Self::NotFound => "program not found",
            Self::Signal(_) => "killed by a signal",
            Self::Child(_) => "exit code of the command",
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Serialize for Exit {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u8(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::Exit;

    #[test]
    fn the_table_of_the_contract() {
        let table = [
            (Exit::Good, 0),
            (Exit::Answer(3), 3),
            (Exit::Usage, 64),
            (Exit::Data, 65),
            (Exit::Unavailable, 69),
            (Exit::Internal, 70),
            (Exit::Io, 74),
            (Exit::Busy, 75),
            (Exit::Permission, 77),
            (Exit::Config, 78),
            (Exit::Deadline, 124),
            (Exit::CannotExec, 126),
            (Exit::NotFound, 127),
            (Exit::Signal(9), 137),
        ];
        for (exit, code) in table {
            assert_eq!(exit.code(), code, "{exit:?}");
        }
    }
}
