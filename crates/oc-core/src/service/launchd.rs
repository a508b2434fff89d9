//! macOS launchd: what is asked of `launchctl`, and what its answers mean. What to do about them is oc-guardian's.
//!
//! `launchctl` exits with 5 and the same sentence for half a dozen causes, so that nothing is ever concluded from the exit
//! code of a change: `print` before and after it, `print-disabled` and the file on disk say what is true.

mod parse;

pub use super::control::Reply;
pub use parse::{Job, LastExit, State};

use super::control;
use crate::clock::{Deadline, Stamp};
use crate::config;
use crate::fault::Result;
use crate::identity::Identity;
use crate::proc::Cmd;
use crate::report::{ManagerKind, ServiceExit, ServiceState, ServiceView};
use std::path::PathBuf;
use std::time::Duration;

/// A question is answered within milliseconds by a launchd that works.
const QUESTION: Duration = Duration::from_secs(5);
/// Without it: what is said, and the way out.
const ABSENT: [&str; 2] = [
    "launchctl is not there",
    "launchd is macOS's; elsewhere set service.manager to systemd or embedded",
];

/// A job in a user's GUI domain, the only one where LaunchAgents belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    uid: u32,
    label: String,
    plist: PathBuf,
}

/// What is said to launchd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// The job.
    Print,
    /// The domain it belongs to: there is none while its user is not logged in at the screen.
    PrintDomain,
    /// A job of the same label that belongs to the machine: a second owner.
    PrintSystem,
    /// A job of the same label in the domain of a user who is logged in anywhere, as `launchctl load` over ssh makes it: a
    /// second owner too, which the GUI domain does not show.
    PrintUser,
    /// Which labels are disabled.
    PrintDisabled,
    /// Load it from its property list.
    Bootstrap,
    /// Unload it. Accepted at once, done when its process has ended.
    Bootout,
    /// Let it be loaded. Lasts; harmless when it is enabled.
    Enable,
    /// Keep it from being loaded. Lasts, beyond reboots and the deletion of its file.
    Disable,
    /// Start it now if it does not run; ends what withholds a start. Never with -k: that kills a process that just starts.
    Kickstart,
    /// Send its process a signal.
    Kill(&'static str),
}

/// What launchd knows about a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Looked {
    /// It is loaded.
    Loaded(Job),
    /// It is not.
    NotLoaded,
    /// Nobody is logged in at the screen: there is no domain in which an agent could live.
    NoSession,
    /// launchd could not be asked, or was not understood: why.
    Unclear(String),
}

impl Agent {
    /// A job of this user, with its property list.
    #[must_use]
    pub fn new(label: impl Into<String>, plist: impl Into<PathBuf>) -> Self {
        Self {
            uid: rustix::process::getuid().as_raw(),
            label: label.into(),
            plist: plist.into(),
        }
    }

    /// The service of an instance; its property list lies in `~/Library/LaunchAgents`.
    #[must_use]
    pub fn of(service: &config::Service) -> Self {
        Self::labelled(&service.label)
    }

    /// A job of this user whose property list lies where it belongs.
    #[must_use]
    pub fn labelled(label: &str) -> Self {
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
        let plist = home.join("Library/LaunchAgents").join(format!("{label}.plist"));
        Self::new(label, plist)
    }

    /// Its name.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Its property list, there or not.
    #[must_use]
    pub fn plist(&self) -> &std::path::Path {
        &self.plist
    }

    /// `gui/UID`
    #[must_use]
    pub fn domain(&self) -> String {
        format!("gui/{}", self.uid)
    }

    /// `gui/UID/LABEL`
    #[must_use]
    pub fn target(&self) -> String {
        format!("{}/{}", self.domain(), self.label)
    }

    /// The arguments of `launchctl`.
    #[must_use]
    pub fn argv(&self, call: Call) -> Vec<String> {
        let (domain, target) = (self.domain(), self.target());
        match call {
            Call::Print => vec!["print".into(), target],
            Call::PrintDomain => vec!["print".into(), domain],
            Call::PrintSystem => vec!["print".into(), format!("system/{}", self.label)],
            Call::PrintUser => vec!["print".into(), format!("user/{}/{}", self.uid, self.label)],
            Call::PrintDisabled => vec!["print-disabled".into(), domain],
            Call::Bootstrap => vec!["bootstrap".into(), domain, self.plist.to_string_lossy().into_owned()],
            Call::Bootout => vec!["bootout".into(), target],
            Call::Enable => vec!["enable".into(), target],
            Call::Disable => vec!["disable".into(), target],
            Call::Kickstart => vec!["kickstart".into(), target],
            Call::Kill(signal) => vec!["kill".into(), signal.into(), target],
        }
    }

    /// The same as a line for a person's shell.
    #[must_use]
    pub fn line(&self, call: Call) -> String {
        let quoted = self.argv(call).into_iter().map(|word| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
            if word.chars().all(plain) {
                word
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        });
        std::iter::once("launchctl".to_owned())
            .chain(quoted)
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Says it, and waits at most `limit` for the answer.
    ///
    /// # Errors
    /// 69 without launchctl, 124 when it does not answer, 74 otherwise.
    pub fn call(&self, call: Call, limit: Duration) -> Result<Reply> {
        let mut cmd = Cmd::new("launchctl");
        cmd.args(self.argv(call));
        control::ask(cmd, &self.line(call), limit, ABSENT)
    }

    /// What launchd knows about it.
    #[must_use]
    pub fn look(&self, deadline: &Deadline) -> Looked {
        let reply = match self.call(Call::Print, deadline.within(QUESTION).left()) {
            Ok(reply) => reply,
            Err(fault) => return Looked::Unclear(fault.what),
        };
        match reply.code {
            0 => parse::job(&reply.stdout, &self.domain(), &self.label).map_or_else(
                || {
                    Looked::Unclear(format!(
                        "`{}` answered in a form that is not known",
                        self.line(Call::Print)
                    ))
                },
                Looked::Loaded,
            ),
            112 | 125 => self.look_at_domain(deadline),
            113 => Looked::NotLoaded,
            code => Looked::Unclear(format!(
                "`{}` exited with {code}: {}",
                self.line(Call::Print),
                reply.complaint
            )),
        }
    }

    /// Both codes have been seen with other causes too; only the domain itself knows whether it is there.
    fn look_at_domain(&self, deadline: &Deadline) -> Looked {
        match self.call(Call::PrintDomain, deadline.within(QUESTION).left()) {
            Ok(reply) if matches!(reply.code, 112 | 125) => Looked::NoSession,
            Ok(_) => Looked::Unclear(format!(
                "{} is there, and launchd does not show {}",
                self.domain(),
                self.label
            )),
            Err(fault) => Looked::Unclear(fault.what),
        }
    }

    /// Whether it is disabled; `None` when that cannot be told.
    #[must_use]
    pub fn disabled(&self, deadline: &Deadline) -> Option<bool> {
        let reply = self.call(Call::PrintDisabled, deadline.within(QUESTION).left()).ok()?;
        (reply.code == 0).then(|| parse::disabled(&reply.stdout, &self.label))
    }

    /// The other domain in which a job of the same label is loaded, as `system/LABEL` or `user/UID/LABEL`: two owners start
    /// the service.
    #[must_use]
    pub fn other_owner(&self, deadline: &Deadline) -> Option<String> {
        for call in [Call::PrintSystem, Call::PrintUser] {
            if self.call(call, deadline.within(QUESTION).left()).ok()?.code == 0 {
                return self.argv(call).pop();
            }
        }
        None
    }

    /// It in the common vocabulary.
    #[must_use]
    pub fn view(&self, deadline: &Deadline) -> ServiceView {
        let mut view = ServiceView::unknown(ManagerKind::Launchd);
        match self.look(deadline) {
            Looked::Loaded(job) => {
                view.identity = job.pid.and_then(Identity::of).filter(Identity::alive);
                view.state = match job.state {
                    State::Draining => ServiceState::Stopping,
                    State::Running if view.identity.is_some() => ServiceState::Running,
                    // Being made, or dead and not noticed yet.
                    State::Running | State::SpawnScheduled => ServiceState::Starting,
                    // Also when the start is withheld: launchd does not start it by itself then.
                    State::Idle => ServiceState::Failed,
                };
                view.exits.extend(exit(&job, view.identity.as_ref()));
            }
            Looked::NotLoaded if self.disabled(deadline) == Some(true) => view.state = ServiceState::Masked,
            Looked::NotLoaded => view.state = ServiceState::Unregistered,
            Looked::NoSession | Looked::Unclear(_) => {}
        }
        view
    }
}

/// What launchd says about the instance's service.
#[must_use]
pub fn view(service: &config::Service) -> ServiceView {
    Agent::of(service).view(&Deadline::after(QUESTION * 3))
}

/// launchd does not say when a process ended: no later than its successor began; just now where it is about to start the
/// next one; else nobody knows, and a time long ago keeps it from being counted as a new end at every look.
fn exit(job: &Job, successor: Option<&Identity>) -> Option<ServiceExit> {
    let (status, signal) = match job.last_exit? {
        LastExit::Code(code) => (Some(code), None),
        LastExit::Signal(signal) => (None, Some(signal)),
    };
    let now = Stamp::now();
    let at = match (successor.and_then(Identity::age_ms), job.state) {
        (Some(age), _) => Stamp {
            wall_ms: now.wall_ms.saturating_sub(i64::try_from(age).unwrap_or(i64::MAX)),
            boot_ms: now.boot_ms.saturating_sub(age),
            awake_ms: now.awake_ms.saturating_sub(age),
            boot: now.boot,
        },
        (None, State::SpawnScheduled) => now,
        _ => Stamp {
            wall_ms: 0,
            boot_ms: 0,
            awake_ms: 0,
            boot: String::new(),
        },
    };
    Some(ServiceExit {
        at,
        status,
        signal,
        was_ready: false,
        ran_ms: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent() -> Agent {
        Agent {
            uid: 501,
            label: "ai.openclaw.gateway".to_owned(),
            plist: PathBuf::from("/Users/o'x y/a.plist"),
        }
    }

    #[test]
    fn every_call_names_domain_and_label_in_full_and_kickstart_never_kills() {
        let words = |call| agent().argv(call).join(" ");
        assert_eq!(words(Call::Print), "print gui/501/ai.openclaw.gateway");
        assert_eq!(words(Call::PrintDomain), "print gui/501");
        assert_eq!(words(Call::PrintSystem), "print system/ai.openclaw.gateway");
        assert_eq!(words(Call::PrintDisabled), "print-disabled gui/501");
        assert_eq!(words(Call::Bootstrap), "bootstrap gui/501 /Users/o'x y/a.plist");
        assert_eq!(words(Call::Bootout), "bootout gui/501/ai.openclaw.gateway");
        assert_eq!(words(Call::Enable), "enable gui/501/ai.openclaw.gateway");
        assert_eq!(words(Call::Disable), "disable gui/501/ai.openclaw.gateway");
        assert_eq!(words(Call::Kickstart), "kickstart gui/501/ai.openclaw.gateway");
        assert_eq!(words(Call::Kill("SIGKILL")), "kill SIGKILL gui/501/ai.openclaw.gateway");
    }

    #[test]
    fn the_line_for_a_person_can_be_pasted() {
        assert_eq!(
            agent().line(Call::Bootstrap),
            r"launchctl bootstrap gui/501 '/Users/o'\''x y/a.plist'"
        );
    }

    #[test]
    fn an_end_of_unknown_time_is_the_same_at_every_look() {
        let job = Job {
            state: State::Idle,
            pid: None,
            runs: Some(1),
            last_exit: Some(LastExit::Signal(9)),
            pended: None,
            path: None,
            keepalive: true,
            interval: None,
        };
        let first = exit(&job, None).unwrap();
        assert_eq!((first.signal, &first), (Some(9), &exit(&job, None).unwrap()));
        assert!(Stamp::now().since(&first.at) > Duration::from_secs(86_400));
        let me = crate::identity::own();
        let before_me = exit(&job, Some(&me)).unwrap();
        assert!(Stamp::now().since(&before_me.at) >= Duration::from_millis(me.age_ms().unwrap_or(0)) / 2);
        let dying = Job {
            state: State::SpawnScheduled,
            ..job
        };
        assert!(Stamp::now().since(&exit(&dying, None).unwrap().at) < Duration::from_secs(60));
    }
}
