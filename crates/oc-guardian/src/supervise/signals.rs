//! Signals as one readable descriptor and a set of flags, so that the loop can wait for everything at once.

use oc_core::fault::{Fault, Result};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the loop from a signal handler or another thread.
#[derive(Debug)]
pub struct Waker(UnixStream);

impl Waker {
    /// Wakes it. A full pipe means that it is awake already.
    pub fn wake(&self) {
        drop((&self.0).write(&[1]));
    }
}

/// What wakes the loop.
#[derive(Debug)]
pub struct Signals {
    wake: UnixStream,
    waker: UnixStream,
    flags: Vec<(i32, Arc<AtomicBool>)>,
}

impl Signals {
    /// From here on these signals are remembered instead of acting.
    ///
    /// # Errors
    /// 74 when there are no descriptors left.
    pub fn watch(signals: &[i32]) -> Result<Self> {
        let attempt = || -> std::io::Result<Self> {
            let (wake, waker) = UnixStream::pair()?;
            wake.set_nonblocking(true)?;
            waker.set_nonblocking(true)?;
            let mut flags = Vec::with_capacity(signals.len());
            for signal in signals {
                let flag = Arc::new(AtomicBool::new(false));
                // In this order: when the byte arrives the flag is set.
                signal_hook::flag::register(*signal, Arc::clone(&flag))?;
                signal_hook::low_level::pipe::register(*signal, waker.try_clone()?)?;
                flags.push((*signal, flag));
            }
            Ok(Self { wake, waker, flags })
        };
        attempt().map_err(|e| Fault::new(oc_core::Exit::Io, format_args!("cannot watch for signals: {e}")))
    }

    /// Something for another thread to wake us with.
    ///
    /// # Errors
    /// When there are no descriptors left.
    pub fn waker(&self) -> std::io::Result<Waker> {
        self.waker.try_clone().map(Waker)
    }

    /// Forgets the wake-ups and returns the signals that came since the last call.
    pub fn take(&mut self) -> Vec<i32> {
        let mut buffer = [0_u8; 256];
        loop {
            match self.wake.read(&mut buffer) {
                Ok(n) if n == buffer.len() => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                _ => break,
            }
        }
        self.flags
            .iter()
            .filter(|(_, flag)| flag.swap(false, Ordering::SeqCst))
            .map(|(signal, _)| *signal)
            .collect()
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}
