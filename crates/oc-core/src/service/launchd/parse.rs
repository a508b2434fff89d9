//! What `launchctl print` and `print-disabled` say. The manual calls their output "NOT API in any sense at all": only lines
//! that are exactly one tab deep count (deeper ones have a `state` of their own), unknown keys are ignored, and what is not
//! understood is told as such instead of guessed.

use std::path::PathBuf;

/// What launchd does with a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Its process runs, or is being made.
    Running,
    /// It is started again in a moment: KeepAlive after an exit.
    SpawnScheduled,
    /// It was told to end; the label stays taken until it has.
    Draining,
    /// Loaded, and no process.
    Idle,
}

/// How the last process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastExit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// One loaded job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// What launchd does with it.
    pub state: State,
    /// Its process.
    pub pid: Option<i32>,
    /// Starts since it was loaded.
    pub runs: Option<u64>,
    /// How the last process ended; `None` when none did since it was loaded.
    pub last_exit: Option<LastExit>,
    /// Why launchd withholds a start that RunAtLoad or KeepAlive asks for: `speculative`, `inefficient`, `semaphore`. Only
    /// an explicit kickstart ends that.
    pub pended: Option<String>,
    /// The property list it was loaded from.
    pub path: Option<PathBuf>,
    /// Whether it is started again after each exit.
    pub keepalive: bool,
    /// Time between two starts, seconds.
    pub interval: Option<u64>,
}

/// Understands the output of `launchctl print DOMAIN/LABEL`; `None` when it is not about this label or says no state.
#[must_use]
pub(super) fn job(text: &str, domain: &str, label: &str) -> Option<Job> {
    let mut lines = text.lines().skip_while(|line| line.trim().is_empty());
    let head = lines.next()?.strip_suffix(" = {")?;
    // Older systems print the bare label.
    if head != label && head.strip_prefix(domain).and_then(|rest| rest.strip_prefix('/')) != Some(label) {
        return None;
    }
    let fields: Vec<(&str, &str)> = lines.filter_map(field).collect();
    // The first one counts, should a key come twice.
    let get = |key: &str| fields.iter().find(|(k, _)| *k == key).map(|(_, value)| *value);
    let number = |key: &str| get(key).and_then(leading_number);
    let pid = number("pid").and_then(|n| i32::try_from(n).ok()).filter(|pid| *pid > 1);
    let state = match get("state")? {
        "running" | "xpcproxy" | "spawning" => State::Running,
        "spawn scheduled" => State::SpawnScheduled,
        "SIGTERMed" | "SIGKILLed" => State::Draining,
        "not running" | "waiting" | "exited" => State::Idle,
        _ if pid.is_some() => State::Running,
        _ => return None,
    };
    Some(Job {
        state,
        pid,
        runs: number("runs"),
        last_exit: get("last exit code")
            .and_then(leading_number)
            .and_then(|n| i32::try_from(n).ok())
            .map(LastExit::Code)
            .or_else(|| get("last terminating signal").and_then(signal).map(LastExit::Signal)),
        pended: get("pended nondemand spawn").map(str::to_owned),
        path: get("path").filter(|path| path.starts_with('/')).map(PathBuf::from),
        keepalive: get("properties").is_some_and(|all| all.split('|').any(|one| one.trim() == "keepalive")),
        interval: number("run interval"),
    })
}

/// Whether `launchctl print-disabled` names the label as disabled. A label it does not name is enabled.
#[must_use]
pub(super) fn disabled(text: &str, label: &str) -> bool {
    let value = text.lines().find_map(|line| {
        let (name, value) = line.trim().split_once(" => ")?;
        (name.strip_prefix('"')?.strip_suffix('"')? == label).then_some(value)
    });
    // Older systems: "true" answers the question "disabled?".
    matches!(value, Some("disabled" | "true"))
}

/// `<tab>key = value`, and not one tab more.
fn field(line: &str) -> Option<(&str, &str)> {
    let line = line.strip_prefix('\t').filter(|rest| !rest.starts_with(['\t', ' ']))?;
    line.split_once(" = ").map(|(key, value)| (key.trim(), value.trim()))
}

/// `78: EX_CONFIG` is 78; `(never exited)` is nothing.
fn leading_number(value: &str) -> Option<u64> {
    let end = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}

/// `Killed: 9` is 9.
fn signal(value: &str) -> Option<i32> {
    value.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DOMAIN: &str = "gui/501";
    const LABEL: &str = "ai.openclaw.gateway";

    fn read(lines: &str) -> Option<Job> {
        job(&format!("gui/501/{LABEL} = {{\n{lines}}}\n"), DOMAIN, LABEL)
    }

    #[test]
    fn a_whole_answer() {
        let job = job(include_str!("fixtures/running.txt"), DOMAIN, LABEL).unwrap();
        assert_eq!((job.state, job.pid, job.runs), (State::Running, Some(10526), Some(2)));
        assert_eq!(job.last_exit, Some(LastExit::Code(0)));
        assert_eq!(
            job.path.unwrap().to_str(),
            Some("/Users/x/Library/LaunchAgents/ai.openclaw.gateway.plist")
        );
        assert!(job.keepalive && job.pended.is_none() && job.interval.is_none());
    }

    #[test]
    fn a_nested_state_is_not_the_jobs() {
        let job =
            read("\tresource coalition = {\n\t\tstate = active\n\t\tpid = 7\n\t}\n\tstate = not running\n").unwrap();
        assert_eq!((job.state, job.pid), (State::Idle, None));
        assert!(read("\tresource coalition = {\n\t\tstate = running\n\t}\n").is_none());
    }

    #[test]
    fn every_state_that_is_known() {
        let state = |word: &str| read(&format!("\tstate = {word}\n")).map(|job| job.state);
        assert_eq!(state("running"), Some(State::Running));
        assert_eq!(state("spawn scheduled"), Some(State::SpawnScheduled));
        assert_eq!(state("SIGTERMed"), Some(State::Draining));
        assert_eq!(state("SIGKILLed"), Some(State::Draining));
        assert_eq!(state("not running"), Some(State::Idle));
        assert_eq!(state("waiting"), Some(State::Idle));
        assert_eq!(state("perplexed"), None);
        assert_eq!(read("\tstate = perplexed\n\tpid = 77\n").unwrap().state, State::Running);
    }

    #[test]
    fn last_exits_in_every_dress() {
        let last = |line: &str| read(&format!("\tstate = not running\n\t{line}\n")).unwrap().last_exit;
        assert_eq!(last("last exit code = 78: EX_CONFIG"), Some(LastExit::Code(78)));
        assert_eq!(last("last exit code = 0"), Some(LastExit::Code(0)));
        assert_eq!(last("last exit code = (never exited)"), None);
        assert_eq!(last("last terminating signal = Killed: 9"), Some(LastExit::Signal(9)));
        assert_eq!(last("last exit reason = OS_REASON_EXEC"), None);
    }

    #[test]
    fn both_first_lines_and_exact_labels_only() {
        let with = |head: &str| job(&format!("{head} = {{\n\tstate = running\n}}\n"), DOMAIN, LABEL).is_some();
        assert!(with("gui/501/ai.openclaw.gateway") && with("ai.openclaw.gateway"));
        assert!(!with("gui/501/ai.openclaw.gateway-watchdog") && !with("gui/502/ai.openclaw.gateway"));
        assert!(!with("gui/501ai.openclaw.gateway"));
    }

    #[test]
    fn what_is_withheld() {
        let job = read(
            "\tstate = not running\n\truns = 0\n\tpended nondemand spawn = speculative\n\tproperties = keepalive | runatload\n",
        );
        let job = job.unwrap();
        assert_eq!(
            (job.pended.as_deref(), job.keepalive, job.runs),
            (Some("speculative"), true, Some(0))
        );
        assert_eq!(
            read("\tstate = not running\n\trun interval = 180 seconds\n")
                .unwrap()
                .interval,
            Some(180)
        );
    }

    #[test]
    fn disabled_in_both_dialects() {
        let new = "\n\tdisabled services = {\n\t\t\"com.x\" => enabled\n\t\t\"com.y\" => disabled\n\t}\n\tlogin item associations = {\n\t}\n";
        let old = "disabled services = {\n\t\"com.x\" => false\n\t\"com.y\" => true\n}\n";
        for text in [new, old] {
            assert!(!disabled(text, "com.x"));
            assert!(disabled(text, "com.y"));
            assert!(!disabled(text, "com"));
            assert!(!disabled(text, "com.z"));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(ai.openclaw.gateway = \\{\n)?(\t?(state|pid|runs|last exit code|x) = .{0,12}\n){0,6}") {
            let _job = job(&text, DOMAIN, LABEL);
            let _disabled = disabled(&text, LABEL);
        }
    }
}
