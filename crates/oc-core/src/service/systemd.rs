//! systemd's user manager: what is asked of `systemctl --user`, and what its answers mean. What to do about them is
//! oc-guardian's. Only `show -p` is read: `status` is for people, and `is-active` says 3 for four different states.

mod parse;

pub use super::control::Reply;
pub use parse::{LastExit, Shown};

use super::control;
use crate::clock::{Deadline, Stamp};
use crate::config;
use crate::fault::Result;
use crate::identity::Identity;
use crate::proc::Cmd;
use crate::report::{ManagerKind, ServiceExit, ServiceState, ServiceView};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A question is answered within milliseconds by a manager that works.
const QUESTION: Duration = Duration::from_secs(5);
/// Without it: what is said, and the way out.
const ABSENT: [&str; 2] = [
    "systemctl is not there",
    "without systemd set service.manager to embedded",
];

/// A unit of the user's manager.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    name: String,
}

/// What is said to systemd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Its properties.
    Show,
    /// The same of a unit of that name which belongs to the machine: a second owner.
    ShowSystem,
    /// Start it, or begin the start that is waited for.
    Start,
    /// Stop it; returns at once.
    Stop,
    /// Stop and start it, letting it finish its work; returns at once.
    Restart,
    /// KILL every process of it. A stop would wait TimeoutStopSec for a process that cannot react.
    Kill,
    /// Forget that it failed, and how often it was started.
    ResetFailed,
    /// Start it at each boot.
    Enable,
    /// Start it at no boot any more.
    Disable,
    /// Let nothing start it.
    Mask,
    /// Take that back.
    Unmask,
    /// Read the unit files again.
    Reload,
}

/// What systemd knows about a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// Its properties, also of a unit that does not exist.
    Shown(Shown),
    /// There is no user manager that could be asked.
    NoManager(String),
    /// systemd could not be asked, or was not understood: why.
    Unclear(String),
}

impl Unit {
    /// A unit by its name; without a suffix it is a service.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = if name.contains('.') {
            name.to_owned()
        } else {
            format!("{name}.service")
        };
        Self { name }
    }

    /// The service of an instance.
    #[must_use]
    pub fn of(service: &config::Service) -> Self {
        Self::new(&service.unit)
    }

    /// Its name, with the suffix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where a person's own units lie: `~/.config/systemd/user`.
    #[must_use]
    pub fn directory() -> PathBuf {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
        let config = std::env::var_os("XDG_CONFIG_HOME").filter(|dir| Path::new(dir).is_absolute());
        config
            .map_or_else(|| home().join(".config"), PathBuf::from)
            .join("systemd/user")
    }

    /// Its file, there or not.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        Self::directory().join(&self.name)
    }

    /// The arguments of `systemctl`.
    #[must_use]
    pub fn argv(&self, call: Call) -> Vec<String> {
        let words: &[&str] = match call {
            Call::Show => &["--user", "show", "-p", parse::PROPERTIES, "--"],
            Call::ShowSystem => &["--system", "show", "-p", parse::PROPERTIES, "--"],
            Call::Start => &["--user", "start", "--"],
            Call::Stop => &["--user", "stop", "--no-block", "--"],
            Call::Restart => &["--user", "restart", "--no-block", "--"],
            Call::Kill => &["--user", "kill", "--signal=KILL", "--"],
            Call::ResetFailed => &["--user", "reset-failed", "--"],
            Call::Enable => &["--user", "enable", "--quiet", "--"],
            Call::Disable => &["--user", "disable", "--quiet", "--"],
            Call::Mask => &["--user", "mask", "--quiet", "--"],
            Call::Unmask => &["--user", "unmask", "--quiet", "--"],
            Call::Reload => return vec!["--user".to_owned(), "daemon-reload".to_owned()],
        };
        words.iter().copied().chain([&*self.name]).map(str::to_owned).collect()
    }

    /// The same as a line for a person's shell.
    #[must_use]
    pub fn line(&self, call: Call) -> String {
        let words = self.argv(call);
        let spoken: Vec<&str> = words.iter().map(|w| &**w).filter(|w| *w != "--").collect();
        format!("systemctl {}", spoken.join(" "))
    }

    /// Says it, and waits at most `limit` for the answer.
    ///
    /// # Errors
    /// 69 without systemctl, 124 when it does not answer, 74 otherwise.
    pub fn call(&self, call: Call, limit: Duration) -> Result<Reply> {
        let mut cmd = Cmd::new("systemctl");
        cmd.args(self.argv(call))
            // Property names and their values are not translated, complaints are.
            .env("LC_ALL", "C")
            .env("SYSTEMD_COLORS", "0");
        if let Some(dir) = runtime_dir() {
            cmd.env("XDG_RUNTIME_DIR", dir);
        }
        control::ask(cmd, &self.line(call), limit, ABSENT)
    }

    /// What systemd knows about it.
    #[must_use]
    pub fn look(&self, deadline: &Deadline) -> Looked {
        let mut looked = self.ask(Call::Show, deadline);
        if let Looked::Shown(shown) = &mut looked
            && shown.masked()
            && emptied(&self.file())
        {
            shown.emptied();
        }
        looked
    }

    fn ask(&self, call: Call, deadline: &Deadline) -> Looked {
        let reply = match self.call(call, deadline.within(QUESTION).left()) {
            Ok(reply) => reply,
            Err(fault) => return Looked::Unclear(fault.what),
        };
        match Shown::parse(&reply.stdout) {
            Some(shown) if reply.good() => Looked::Shown(shown),
            // The one complaint with a meaning of its own; its wording differs by what is missing.
            _ if reply.complaint.contains("Failed to connect to") => Looked::NoManager(reply.complaint),
            _ => Looked::Unclear(format!(
                "`{}` exited with {}: {}",
                self.line(call),
                reply.code,
                reply.complaint
            )),
        }
    }

    /// Whether a unit of the same name belongs to the machine as well and runs: then two owners start the service.
    #[must_use]
    pub fn owned_by_system(&self, deadline: &Deadline) -> bool {
        match self.ask(Call::ShowSystem, deadline) {
            Looked::Shown(shown) => shown.exists() && shown.main_pid.is_some(),
            Looked::NoManager(_) | Looked::Unclear(_) => false,
        }
    }

    /// It in the common vocabulary.
    #[must_use]
    pub fn view(&self, deadline: &Deadline) -> ServiceView {
        let mut view = ServiceView::unknown(ManagerKind::Systemd);
        if let Looked::Shown(shown) = self.look(deadline) {
            view.identity = shown.main_pid.and_then(Identity::of).filter(Identity::alive);
            view.state = state(&shown, view.identity.is_some());
            view.exits.extend(shown.last_exit.as_ref().map(exit));
        }
        view
    }
}

/// A file cut to nothing, as by a full disk. systemd calls that masked, too; a person's mask is a link to /dev/null.
fn emptied(file: &Path) -> bool {
    std::fs::symlink_metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() == 0)
}

fn state(shown: &Shown, alive: bool) -> ServiceState {
    if shown.masked() {
        return ServiceState::Masked;
    }
    if !shown.exists() {
        return ServiceState::Unregistered;
    }
    match &*shown.active {
        "active" | "reloading" | "refreshing" if alive => ServiceState::Running,
        // Its end is not noticed yet, or the next start waits for RestartSec.
        "active" | "reloading" | "refreshing" | "activating" => ServiceState::Starting,
        "deactivating" => ServiceState::Stopping,
        "failed" => ServiceState::Failed,
        // Stopped at the manager: whether a person meant it is not written here.
        "inactive" | "maintenance" => ServiceState::Unregistered,
        _ => ServiceState::Unknown,
    }
}

/// systemd counts from boot without the time asleep, as `awake_ms` does.
fn exit(last: &LastExit) -> ServiceExit {
    let now = Stamp::now();
    let ago = now.awake_ms.saturating_sub(last.at_us / 1000);
    ServiceExit {
        at: Stamp {
            wall_ms: now.wall_ms.saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX)),
            boot_ms: now.boot_ms.saturating_sub(ago),
            awake_ms: now.awake_ms.saturating_sub(ago),
            boot: now.boot,
        },
        status: last.status,
        signal: last.signal,
        was_ready: false,
        ran_ms: last.at_us.saturating_sub(last.began_us) / 1000,
    }
}

/// What systemd says about the instance's service.
#[must_use]
pub fn view(service: &config::Service) -> ServiceView {
    Unit::of(service).view(&Deadline::after(QUESTION))
}

/// Where the user manager listens. cron sets no `XDG_RUNTIME_DIR`; without it systemctl finds nobody.
#[must_use]
pub fn runtime_dir() -> Option<PathBuf> {
    let named = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty());
    let dir = named.map_or_else(
        || PathBuf::from(format!("/run/user/{}", rustix::process::getuid().as_raw())),
        PathBuf::from,
    );
    dir.join("systemd/private").exists().then_some(dir)
}

/// Whether the manager lives on when the user logs out, and starts at boot: true, false, or not known.
#[must_use]
pub fn lingers() -> Option<bool> {
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).ok()?;
    let dir = Path::new("/var/lib/systemd/linger");
    // A name is one component; anything else would look somewhere else.
    (!user.contains('/') && dir.parent()?.is_dir()).then(|| dir.join(user).exists())
}

/// The command that makes the manager linger.
pub const LINGER: &str = "loginctl enable-linger \"$USER\"";

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(load: &str, file: &str, active: &str) -> Shown {
        let text = format!("LoadState={load}\nUnitFileState={file}\nActiveState={active}\n");
        Shown::parse(&text).unwrap()
    }

    #[test]
    fn every_state_of_systemd_has_one_of_ours() {
        let table = [
            ("loaded", "enabled", "active", true, ServiceState::Running),
            ("loaded", "enabled", "active", false, ServiceState::Starting),
            ("loaded", "enabled", "activating", false, ServiceState::Starting),
            ("loaded", "enabled", "deactivating", true, ServiceState::Stopping),
            ("loaded", "enabled", "failed", false, ServiceState::Failed),
            ("loaded", "enabled", "inactive", false, ServiceState::Unregistered),
            ("not-found", "", "inactive", false, ServiceState::Unregistered),
            ("bad-setting", "", "inactive", false, ServiceState::Unregistered),
            ("masked", "masked", "inactive", false, ServiceState::Masked),
            ("masked", "masked-runtime", "active", true, ServiceState::Masked),
            ("loaded", "enabled", "fancy", false, ServiceState::Unknown),
        ];
        for (load, file, active, alive, wanted) in table {
            assert_eq!(
                state(&shown(load, file, active), alive),
                wanted,
                "{load} {file} {active}"
            );
        }
    }

    #[test]
    fn a_name_can_never_be_taken_for_a_flag_and_waits_are_ours() {
        let unit = Unit::new("-x");
        assert_eq!(unit.argv(Call::Start), ["--user", "start", "--", "-x.service"]);
        for call in [Call::Stop, Call::Restart] {
            assert!(unit.argv(call).contains(&"--no-block".to_owned()));
        }
        assert_eq!(
            Unit::new("a.timer").line(Call::Unmask),
            "systemctl --user unmask --quiet a.timer"
        );
    }
}
