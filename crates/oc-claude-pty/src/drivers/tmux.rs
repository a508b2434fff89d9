//! In tmux, where a person can look on: a server of our own on a private socket, the agent as the pane's own command (never
//! typed into a shell), everything it prints piped to a file.

use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::identity::Identity;
use oc_core::proc::Cmd;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NAME: &str = "agent";
/// Nobody's own tmux.conf counts. The pane of an ended agent stays, so that its last words and its status can be read.
const CONF: &str = "set -g remain-on-exit on\nset -g history-limit 20000\nset -g default-terminal screen-256color\n\
    set -g status-left 'AI doctor '\n";

/// A session.
pub struct Session {
    socket: PathBuf,
    /// The agent.
    pub pane: Option<Identity>,
}

impl Session {
    pub(super) fn start(scratch: &Path, script: &Path) -> Result<Self> {
        let socket = super::socket(scratch);
        let conf = scratch.join("tmux.conf");
        fsx::replace_quick(&conf, CONF.as_bytes())?;
        let output = super::output(scratch);
        drop(fsx::open_append(&output)?);
        let pipe = format!("exec cat >>{}", super::quoted(&output.display().to_string()));
        let mut cmd = tmux(&socket);
        cmd.args([Path::new("-f"), &conf])
            .args(["new-session", "-d", "-s", NAME, "-x", "160", "-y", "48", "/bin/sh"])
            .args([script])
            // In the same breath, so that no byte is lost.
            .args([";", "pipe-pane", "-t", NAME, &pipe])
            .args([";", "list-panes", "-t", NAME, "-F", "#{pane_pid}"])
            .cwd(scratch);
        let out = cmd.run()?;
        if !out.ended.success() {
            return Err(Fault::new(
                Exit::Unavailable,
                format_args!("tmux could not start a session: {}", out.stderr_text().trim()),
            ));
        }
        let pane = out.stdout_text().trim().parse().ok().and_then(Identity::of);
        Ok(Self { socket, pane })
    }

    /// tmux is asked only when the process is gone.
    pub(super) fn exited(&mut self) -> Option<i32> {
        if self.pane.as_ref().is_some_and(Identity::alive) {
            return None;
        }
        let said = self.ask(&[
            "display-message",
            "-p",
            "-t",
            NAME,
            "#{pane_dead}:#{pane_dead_status}:#{pane_dead_signal}",
        ]);
        let Some(said) = said else { return Some(255) };
        let mut fields = said.trim().split(':');
        if fields.next() != Some("1") {
            return None;
        }
        let mut number = || fields.next().and_then(|n| n.parse::<i32>().ok());
        match (number(), number()) {
            (Some(status), _) => Some(status),
            (None, signal) => Some(128 + signal.unwrap_or(127)),
        }
    }

    pub(super) fn screen(&self) -> Option<String> {
        self.ask(&["capture-pane", "-p", "-t", NAME])
    }

    /// Everything that it has shown.
    pub(super) fn shown(&self) -> Option<String> {
        self.ask(&["capture-pane", "-p", "-J", "-S", "-", "-t", NAME])
    }

    pub(super) fn press(&self, keys: &[&str]) {
        for key in keys {
            self.ask(&["send-keys", "-t", NAME, key]);
        }
    }

    fn ask(&self, args: &[&str]) -> Option<String> {
        let out = tmux(&self.socket).args(args).run().ok()?;
        out.ended.success().then(|| out.stdout_text())
    }
}

/// With next to nothing of our environment: the server keeps what it is started with, and shows it to whoever asks.
fn tmux(socket: &Path) -> Cmd {
    let mut cmd = Cmd::new("tmux");
    cmd.env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", std::env::var_os("HOME").unwrap_or_default())
        .env("LANG", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .args(["-u", "-S"])
        .args([socket])
        .timeout(Duration::from_secs(5));
    cmd
}

/// Ends the server and hangs up on what runs in it. Nothing to do when there is none.
pub fn end(scratch: &Path) {
    let socket = super::socket(scratch);
    if socket.exists()
        && let Err(fault) = tmux(&socket).args(["kill-server"]).run()
    {
        oc_core::out::talk(fault);
    }
}

/// Becomes a client of the session; returns only when that fails.
pub fn attach(scratch: &Path, control: bool) -> Fault {
    let mut cmd = Cmd::new("tmux");
    cmd.env_remove("TMUX").args(["-u", "-S"]).args([super::socket(scratch)]);
    cmd.args(["attach-session", "-t", NAME]);
    if !control {
        cmd.args(["-r"]);
    }
    cmd.exec()
}
