//! The service's process: started by us, or adopted from a supervisor that died.

use super::heal::forget_run;
use super::ready::{Question, Watch};
use super::signals::Waker;
use oc_core::clock::{Deadline, Stamp};
use oc_core::fault::Result;
use oc_core::identity::Identity;
use oc_core::proc::{Cmd, exit_notice};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// One process of the service.
#[derive(Debug)]
pub struct Process {
    /// Who it is.
    pub identity: Identity,
    /// When it was started (or adopted).
    pub began: Stamp,
    /// Whether it was ready once.
    pub ready: bool,
    /// Whether it is another one's child: its end is not reported to us, and nobody tells us its exit status.
    pub adopted: bool,
    /// Becomes readable when an adopted process ends, where the kernel can tell.
    pub notice: Option<OwnedFd>,
    /// Set when an adopted process is dead and not collected yet.
    pub dead: Option<Deadline>,
    /// Asks whether it is ready; `None` once it is.
    pub watch: Option<Watch>,
}

impl Process {
    /// Starts it.
    ///
    /// # Errors
    /// 127, 126 or 74 when the command cannot be run.
    pub fn start(command: &[String], mark: Option<&File>) -> Result<Self> {
        let (program, args) = command
            .split_first()
            .ok_or_else(|| oc_core::Fault::usage("no command given"))?;
        let mut cmd = Cmd::new(program);
        forget_run(cmd.args(args));
        let pid = cmd.spawn_service(mark)?;
        // Not collected yet, hence in the process table even if it is dead already.
        let identity = Identity::of(pid).unwrap_or_else(|| Identity {
            pid,
            started: 0,
            boot: oc_core::clock::boot_id().to_owned(),
        });
        Ok(Self {
            identity,
            began: Stamp::now(),
            ready: false,
            adopted: false,
            notice: None,
            dead: None,
            watch: None,
        })
    }

    /// Takes over a living process.
    #[must_use]
    pub fn adopt(identity: Identity, ready: bool) -> Self {
        Self {
            notice: exit_notice(&identity),
            identity,
            began: Stamp::now(),
            ready,
            adopted: true,
            dead: None,
            watch: None,
        }
    }

    /// Begins to ask whether it is ready; `fresh` as in [`Watch::begin`].
    pub fn ask(&mut self, question: Option<&Arc<Question>>, waker: std::io::Result<Waker>, fresh: bool) {
        self.watch = match (question, waker) {
            (Some(question), Ok(waker)) => Some(Watch::begin(question, &self.identity, fresh, waker)),
            _ => None,
        };
    }
}
