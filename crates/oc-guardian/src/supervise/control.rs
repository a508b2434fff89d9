//! The control FIFO: one JSON object per line; what is no command is told and dropped.

use oc_core::fault::Result;
use oc_core::service::embedded::{Command, Dir};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Longer lines are no commands of ours.
const LINE_CAP: usize = 4096;

/// The reading end.
#[derive(Debug)]
pub struct Control {
    reader: File,
    _writer: OwnedFd,
    lines: Lines,
}

impl Control {
    /// Makes the FIFO and opens it.
    ///
    /// # Errors
    /// 74 or 77.
    pub fn open(dir: &Dir) -> Result<Self> {
        let (reader, writer) = dir.open_control()?;
        Ok(Self {
            reader: reader.into(),
            _writer: writer,
            lines: Lines::default(),
        })
    }

    /// The commands that came, oldest first.
    pub fn take(&mut self) -> Vec<Command> {
        let mut buffer = [0_u8; LINE_CAP];
        let mut commands = Vec::new();
        // Bounded, so that somebody who writes for ever cannot keep the loop from its other work.
        for _ in 0..16 {
            match self.reader.read(&mut buffer) {
                Ok(n) if n > 0 => commands.extend(self.lines.feed(&buffer[..n])),
                _ => break,
            }
        }
        let dropped = std::mem::take(&mut self.lines.dropped);
        if dropped > 0 {
            oc_core::out::talk(format_args!(
                "dropped {dropped} lines from the control FIFO: no commands"
            ));
        }
        commands
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// Cuts bytes into lines and lines into commands.
#[derive(Debug, Default)]
struct Lines {
    part: Vec<u8>,
    too_long: bool,
    dropped: u32,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) -> Vec<Command> {
        let mut commands = Vec::new();
        for byte in bytes {
            if *byte != b'\n' {
                self.too_long |= self.part.len() >= LINE_CAP;
                if !self.too_long {
                    self.part.push(*byte);
                }
                continue;
            }
            match serde_json::from_slice(&self.part) {
                Ok(command) if !self.too_long => commands.push(command),
                _ => self.dropped += 1,
            }
            self.part.clear();
            self.too_long = false;
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oc_core::service::Verb;
    use proptest::prelude::*;

    #[test]
    fn garbage_costs_only_its_own_line() {
        let mut lines = Lines::default();
        let mut bytes = vec![b'x'; 3 * LINE_CAP];
        bytes.extend(b"\n\xff\x00{}\n{\"verb\":\"stop\",\"number\":7}\n{\"verb\":\"sta");
        let commands = lines.feed(&bytes);
        assert_eq!(commands.len(), 1);
        assert_eq!((commands[0].verb, commands[0].number), (Verb::Stop, 7));
        let rest = lines.feed(b"rt\",\"number\":8,\"later_field\":1}\n");
        assert_eq!((rest[0].verb, rest[0].number), (Verb::Start, 8));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_grow(bytes in proptest::collection::vec(any::<u8>(), 0..20_000)) {
            let mut lines = Lines::default();
            lines.feed(&bytes);
            prop_assert!(lines.part.len() <= LINE_CAP);
        }
    }
}
