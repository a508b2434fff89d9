//! The answer of `systemctl show -p`: one `Name=value` a line, in no promised order; an unknown name is not printed.

/// What is asked for.
pub(super) const PROPERTIES: &str = "LoadState,ActiveState,SubState,UnitFileState,FragmentPath,NeedDaemonReload,MainPID,\
ExecMainStartTimestampMonotonic,ExecMainExitTimestampMonotonic,ExecMainCode,ExecMainStatus,NRestarts,Result,Unit,\
LastTriggerUSec";

/// The properties of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// `loaded`, `not-found`, `bad-setting`, `error`, `masked`.
    pub load: String,
    /// `active`, `reloading`, `inactive`, `failed`, `activating`, `deactivating`.
    pub active: String,
    /// What kind of unit it is says what it is doing here: `running`, `auto-restart`, `waiting`, `stop-sigterm`.
    pub sub: String,
    /// `enabled`, `disabled`, `static`, `masked`, ...; empty without a file.
    pub file_state: String,
    /// Its file; empty without one.
    pub fragment: String,
    /// Its file changed since it was read.
    pub needs_reload: bool,
    /// The process, while there is one (systemd says 0 without).
    pub main_pid: Option<i32>,
    /// How the last process ended, until the next one begins.
    pub last_exit: Option<LastExit>,
    /// Restarts by systemd itself since somebody started it.
    pub restarts: u64,
    /// Why it failed: `success`, `exit-code`, `signal`, `oom-kill`, `start-limit-hit`, ...
    pub result: String,
}

/// The end of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastExit {
    /// Its start, microseconds since boot without the time asleep.
    pub began_us: u64,
    /// Its end, likewise.
    pub at_us: u64,
    /// Exit status, when it exited by itself.
    pub status: Option<i32>,
    /// Signal, when it was killed.
    pub signal: Option<i32>,
}

/// `CLD_EXITED` of waitid(2); all others are ends by a signal.
const EXITED: u64 = 1;

impl Shown {
    /// Reads the answer; `None` when it is no such answer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            lines.find(|(found, _)| *found == name).map(|(_, value)| value.trim())
        };
        let text_of = |name: &str| value(name).unwrap_or_default().to_owned();
        let number = |name: &str| value(name).and_then(|v| v.parse::<u64>().ok()).unwrap_or(0);
        let (load, active) = (value("LoadState")?, value("ActiveState")?);
        Some(Self {
            load: load.to_owned(),
            active: active.to_owned(),
            sub: text_of("SubState"),
            file_state: text_of("UnitFileState"),
            fragment: text_of("FragmentPath"),
            needs_reload: value("NeedDaemonReload") == Some("yes"),
            // 0 is "none", 1 is init: neither is ever a service of a user.
            main_pid: i32::try_from(number("MainPID")).ok().filter(|pid| *pid > 1),
            last_exit: last_exit(&number),
            restarts: number("NRestarts"),
            result: text_of("Result"),
        })
    }

    /// Whether systemd has a definition that it could start.
    #[must_use]
    pub fn exists(&self) -> bool {
        self.load == "loaded"
    }

    /// What looked like a mask is a definition that was lost.
    pub(super) fn emptied(&mut self) {
        "bad-setting".clone_into(&mut self.load);
        self.file_state.clear();
    }

    /// A person forbade every start.
    #[must_use]
    pub fn masked(&self) -> bool {
        self.load == "masked" || self.file_state.starts_with("masked")
    }

    /// Whether it is started at boot; units without an `[Install]` section are started by others and count as well.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.file_state != "disabled"
    }
}

fn last_exit(number: &impl Fn(&str) -> u64) -> Option<LastExit> {
    let (began_us, at_us) = (
        number("ExecMainStartTimestampMonotonic"),
        number("ExecMainExitTimestampMonotonic"),
    );
    // 0 while the first process runs; older than the start while its successor does.
    if at_us == 0 || at_us < began_us {
        return None;
    }
    let how = i32::try_from(number("ExecMainStatus")).ok();
    let exited = number("ExecMainCode") == EXITED;
    Some(LastExit {
        began_us,
        at_us,
        status: how.filter(|_| exited),
        signal: how.filter(|_| !exited),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from systemd 252.
    const RUNNING: &str = include_str!("running.txt");
    const LATCHED: &str = include_str!("latched.txt");
    const CONFIG: &str = include_str!("exit-78.txt");
    const MISSING: &str = include_str!("missing.txt");

    #[test]
    fn a_running_unit_has_a_process_and_no_end() {
        let shown = Shown::parse(RUNNING).unwrap();
        assert_eq!((&*shown.active, &*shown.sub), ("active", "running"));
        assert!(shown.main_pid.is_some() && shown.last_exit.is_none());
        assert!(shown.exists() && shown.enabled() && !shown.masked());
    }

    #[test]
    fn a_unit_at_its_start_limit_is_failed_and_says_how_the_last_process_ended() {
        let shown = Shown::parse(LATCHED).unwrap();
        assert_eq!((&*shown.active, shown.main_pid), ("failed", None));
        assert!(shown.restarts >= 3);
        assert_eq!(shown.last_exit.unwrap().status, Some(1));
    }

    #[test]
    fn status_78_is_seen() {
        let shown = Shown::parse(CONFIG).unwrap();
        assert_eq!((&*shown.active, shown.restarts), ("failed", 0));
        let exit = shown.last_exit.unwrap();
        assert_eq!((exit.status, exit.signal), (Some(78), None));
        assert!(exit.at_us > exit.began_us);
    }

    #[test]
    fn a_unit_that_does_not_exist_is_answered_too() {
        let shown = Shown::parse(MISSING).unwrap();
        assert!(!shown.exists() && !shown.masked() && shown.main_pid.is_none());
    }

    #[test]
    fn an_end_by_a_signal_is_no_status() {
        let text = "LoadState=loaded\nActiveState=activating\nExecMainStartTimestampMonotonic=5\n\
            ExecMainExitTimestampMonotonic=9\nExecMainCode=2\nExecMainStatus=9\n";
        let exit = Shown::parse(text).unwrap().last_exit.unwrap();
        assert_eq!((exit.status, exit.signal), (None, Some(9)));
    }

    #[test]
    fn nothing_is_read_out_of_something_else() {
        for text in ["", "garbage", "ActiveState=active", "\u{0}=\n=\n"] {
            assert_eq!(Shown::parse(text), None, "{text:?}");
        }
    }
}
