//! stdout is the answer, stderr is the talk. A reader that has gone away (`oc-probe | head -1`) is not an error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write as _};

/// Writes the answer. A broken pipe is quiet.
///
/// # Errors
/// 74 when stdout cannot be written for another reason (a full disk).
pub fn answer(text: &str) -> crate::fault::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(crate::fault::Fault::new(
            crate::exit::Exit::Io,
            format_args!("cannot write the answer to stdout: {e}"),
        )),
        _ => Ok(()),
    }
}

/// One line to stderr, prefixed with the tool's name. Never fails: there is nobody left to tell.
pub fn talk(line: impl fmt::Display) {
    let name = std::env::args_os().next();
    let name = name
        .as_deref()
        .map(std::path::Path::new)
        .and_then(|p| p.file_name())
        .and_then(|n| n.to_str());
    drop(writeln!(io::stderr().lock(), "{}: {line}", name.unwrap_or("oc")));
}

/// One line to stderr as it is.
pub fn raw_talk(line: impl fmt::Display) {
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Whether stdout may carry colour: a terminal, and NO_COLOR unset.
#[must_use]
pub fn colour_by_default() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && io::stdout().is_terminal()
}

/// Whether a person is watching stderr: only then is progress shown.
#[must_use]
pub fn someone_watches() -> bool {
    io::stderr().is_terminal()
}

/// One line that a person types; `None` when none comes in time.
#[must_use]
pub fn line_from_stdin(patience: std::time::Duration) -> Option<String> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdin = io::stdin();
    let limit = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    let ready = poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&limit)).ok()?;
    let mut line = String::new();
    (ready > 0 && stdin.read_line(&mut line).ok()? > 0).then_some(line)
}
