//! Without a terminal: a process in a session of its own whose output is a file.

use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::proc::Cmd;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Child;

/// A session.
pub struct Session {
    child: Child,
    /// The agent.
    pub root: Option<Identity>,
}

impl Session {
    pub(super) fn start(scratch: &Path, script: &Path) -> Result<Self> {
        let output = fsx::open_append(&super::output(scratch))?;
        let child = Cmd::new("/bin/sh")
            .args([script])
            .env_clear()
            .cwd(scratch)
            .spawn_detached(&output)?;
        let root = i32::try_from(child.id()).ok().and_then(Identity::of);
        Ok(Self { child, root })
    }

    pub(super) fn exited(&mut self) -> Option<i32> {
        let status = self.child.try_wait().ok()??;
        Some(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
    }
}
