//! How a session is run: in tmux, where a person can look on, or without a terminal. One file each.

mod headless;
mod tmux;

pub use tmux::{attach, end as end_tmux};

use oc_core::config::Driver;
use oc_core::fault::Result;
use oc_core::fsx;
use oc_core::identity::Identity;
use std::path::{Path, PathBuf};

/// What is to be started.
pub struct Launch<'a> {
    /// The session's private directory.
    pub scratch: &'a Path,
    /// The command line.
    pub argv: Vec<String>,
    /// The whole environment; keys are in it.
    pub environment: Vec<(String, String)>,
    /// Where it works.
    pub cwd: PathBuf,
    /// What it reads on stdin, when it has no terminal.
    pub stdin: Option<PathBuf>,
}

/// Largest file that a session may write, in blocks of 512 bytes: an agent that prints without end must not fill the disk.
const FILE_BLOCKS: u32 = 131_072;

impl Launch<'_> {
    /// A script that builds the environment from nothing and becomes the agent. A file, so that no key is ever in an argument
    /// list; 0600, and its directory is ours alone.
    fn script(&self) -> Result<PathBuf> {
        // Not before its process is written down: whoever kills us in between must leave nobody whom nobody can find.
        let (gate, own) = (gate(self.scratch), self.scratch.join("launch"));
        let [gate, own] = [gate, own].map(|path| quoted(&path.display().to_string()));
        let mut text = format!("until [ -e {gate} ]; do [ -e {own} ] || exit 1; sleep 0.05; done\n");
        text.push_str(&format!("ulimit -f {FILE_BLOCKS}\nunset TMUX TMUX_PANE OLDPWD\n"));
        for (name, value) in &self.environment {
            text.push_str(&format!("export {name}={}\n", quoted(value)));
        }
        text.push_str(&format!("cd {} || exit 126\n", quoted(&self.cwd.display().to_string())));
        let words: Vec<String> = self.argv.iter().map(|word| quoted(word)).collect();
        text.push_str(&format!("exec {}", words.join(" ")));
        if let Some(file) = &self.stdin {
            text.push_str(&format!(" <{}", quoted(&file.display().to_string())));
        }
        text.push('\n');
        let path = self.scratch.join("launch");
        fsx::replace_quick(&path, text.as_bytes())?;
        Ok(path)
    }
}

/// A word for the shell, whatever is in it.
#[must_use]
pub fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A session that runs.
pub enum Running {
    /// In tmux.
    Tmux(tmux::Session),
    /// Without a terminal.
    Headless(headless::Session),
}

impl Running {
    /// Starts it.
    ///
    /// # Errors
    /// 127 when tmux or the shell is missing, 74 when it cannot be started.
    pub fn start(driver: Driver, launch: &Launch<'_>) -> Result<Self> {
        let script = launch.script()?;
        match driver {
            Driver::Tmux => tmux::Session::start(launch.scratch, &script).map(Self::Tmux),
            Driver::Headless => headless::Session::start(launch.scratch, &script).map(Self::Headless),
        }
    }

    /// The process that is the agent.
    #[must_use]
    pub fn root(&self) -> Option<Identity> {
        match self {
            Self::Tmux(session) => session.pane.clone(),
            Self::Headless(session) => session.root.clone(),
        }
    }

    /// The exit status, once the agent has ended.
    pub fn exited(&mut self) -> Option<i32> {
        match self {
            Self::Tmux(session) => session.exited(),
            Self::Headless(session) => session.exited(),
        }
    }

    /// What the terminal shows; `None` without one.
    #[must_use]
    pub fn screen(&self) -> Option<String> {
        match self {
            Self::Tmux(session) => session.screen(),
            Self::Headless(_) => None,
        }
    }

    /// Everything it has shown: on the terminal as a person saw it, else what it printed, the last 256 KiB.
    #[must_use]
    pub fn shown(&self, scratch: &Path) -> String {
        let on_terminal = match self {
            Self::Tmux(session) => session.shown(),
            Self::Headless(_) => None,
        };
        on_terminal.unwrap_or_else(|| {
            let bytes = fsx::tail(&output(scratch), 256 << 10).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }

    /// Presses keys, by tmux's names of them.
    pub fn press(&self, keys: &[&str]) {
        if let Self::Tmux(session) = self {
            session.press(keys);
        }
    }
}

/// Where everything that the agent prints goes.
#[must_use]
pub fn output(scratch: &Path) -> PathBuf {
    scratch.join("output")
}

/// Once this is there, the agent begins.
fn gate(scratch: &Path) -> PathBuf {
    scratch.join("recorded")
}

/// Lets the agent begin.
///
/// # Errors
/// 74 or 77.
pub fn admit(scratch: &Path) -> Result<()> {
    fsx::replace_quick(&gate(scratch), b"")
}

/// tmux's socket.
#[must_use]
pub fn socket(scratch: &Path) -> PathBuf {
    scratch.join("tmux")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_any_character_reaches_the_agent_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let launch = Launch {
            scratch: dir.path(),
            argv: vec!["/usr/bin/env".into()],
            environment: vec![("KEY".into(), "a'b\n$(c) `d` \"e".into())],
            cwd: dir.path().to_owned(),
            stdin: None,
        };
        let script = launch.script().unwrap();
        admit(dir.path()).unwrap();
        let out = oc_core::proc::Cmd::new("/bin/sh")
            .args([&script])
            .env_clear()
            .env("TMUX", "x")
            .run()
            .unwrap();
        let text = out.stdout_text();
        assert!(text.contains("KEY=a'b\n$(c) `d` \"e\n"), "{text}");
        assert!(!text.contains("TMUX"), "{text}");
    }
}
