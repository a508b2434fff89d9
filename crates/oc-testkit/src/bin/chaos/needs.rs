//! What a case needs that not every machine has.

use std::path::Path;
use std::process::{Command, Stdio};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// To be root, or CAP_SYS_ADMIN in a container.
    Root,
    /// Network namespaces of its own, `ip` and `nsenter`.
    NetNamespace,
    /// Mounts of its own.
    Mount,
    /// A systemd user manager in namespaces of its own.
    UserManager,
    /// A control group of version 1 with this controller, writable.
    Cgroup(&'static str),
    /// The real Claude Code.
    Claude,
    /// This program.
    Program(&'static str),
}

impl Need {
    /// Why it is not there; `None` when it is.
    pub(crate) fn missing(self) -> Option<String> {
        let there = match self {
            Self::Root => rustix::process::geteuid().is_root(),
            Self::NetNamespace => runs(&["unshare", "--net", "ip", "link", "set", "lo", "up"]),
            Self::Mount => runs(&["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]),
            Self::UserManager => {
                let namespaces = ["unshare", "--mount", "--pid", "--fork", "systemctl", "--version"];
                Path::new("/lib/systemd/systemd").exists() && runs(&namespaces)
            }
            Self::Cgroup(controller) => {
                let dir = Path::new("/sys/fs/cgroup").join(controller);
                let own = dir.join(format!("oc-chaos-{}", std::process::id()));
                let made = std::fs::create_dir(&own).is_ok();
                made && std::fs::remove_dir(&own).is_ok()
            }
            Self::Claude => oc_testkit::real::claude().is_some(),
            Self::Program(name) => runs(&["sh", "-c", &format!("command -v {name}")]),
        };
        (!there).then(|| self.words())
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::Root => "needs root".to_owned(),
            Self::NetNamespace => "needs network namespaces (root)".to_owned(),
            Self::Mount => "needs mounts of its own (root)".to_owned(),
            Self::UserManager => "needs systemd in namespaces of its own (root)".to_owned(),
            Self::Cgroup(controller) => format!("needs a writable cgroup of version 1 ({controller})"),
            Self::Claude => "needs the Claude Code that OC_REAL_CLAUDE names".to_owned(),
            Self::Program(name) => format!("needs {name}"),
        }
    }
}

fn runs(words: &[&str]) -> bool {
    Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
