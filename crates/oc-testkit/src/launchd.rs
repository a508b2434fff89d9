//! The stand-in for launchd: putting it in the place of `launchctl`, its knobs, and what was said to it.

use crate::env::{TestEnv, free_port};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where it keeps its state, below HOME unless this variable names another place.
pub const DIR_VARIABLE: &str = "STAND_IN_LAUNCHD_DIR";

/// What is unusual about this launchd. Read anew at every call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Knobs {
    /// How long one second of a property list lasts: ThrottleInterval, StartInterval, ExitTimeOut.
    pub second_ms: u64,
    /// Nobody is logged in at the screen; `print` of the domain exits with this, 112 or 125.
    pub no_session: Option<i32>,
    /// Says what is wrong (119, 122, ...) where a caller who is not root usually gets 5.
    pub rich: bool,
    /// Withholds every start that nobody asked for, giving this reason: speculative, inefficient, semaphore.
    pub pend: Option<String>,
    /// Speaks as older systems do.
    pub old: bool,
    /// Wrong answers.
    pub faults: Vec<Fault>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            second_ms: 1000,
            no_session: None,
            rich: false,
            pend: None,
            old: false,
            faults: Vec::new(),
        }
    }
}

/// One call that goes wrong.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// `bootstrap`, `print`, ...
    pub call: String,
    /// So many times, then never again.
    pub times: u32,
    /// It is done nevertheless; only the answer is wrong.
    pub done: bool,
    /// Exit status.
    pub code: i32,
    /// What it prints.
    pub stdout: String,
    /// What it complains.
    pub stderr: String,
    /// How long it takes to say so.
    pub sleep_ms: u64,
}

impl Fault {
    /// The next `times` calls of this name exit with `code` and say this on stderr.
    #[must_use]
    pub fn new(call: &str, times: u32, code: i32, stderr: &str) -> Self {
        Self {
            call: call.to_owned(),
            times,
            code,
            stderr: stderr.to_owned(),
            ..Self::default()
        }
    }
}

/// The stand-in within one environment.
#[derive(Debug)]
pub struct Launchd<'a> {
    env: &'a TestEnv,
}

impl<'a> Launchd<'a> {
    /// The one of this environment, see [`TestEnv::with_launchd`].
    #[must_use]
    pub fn of(env: &'a TestEnv) -> Self {
        Self { env }
    }

    /// Its directory.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        dir_in(self.env.home())
    }

    /// Turns its knobs.
    ///
    /// # Panics
    /// When they cannot be written.
    pub fn knobs(&self, change: impl FnOnce(&mut Knobs)) {
        let mut knobs = read_knobs(&self.dir());
        change(&mut knobs);
        write_knobs(&self.dir(), &knobs);
    }

    /// Every call so far, as its words.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.dir().join("calls.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The calls of one name.
    #[must_use]
    pub fn calls_of(&self, name: &str) -> Vec<String> {
        let is = |call: &String| call.split(' ').next() == Some(name);
        self.calls().into_iter().filter(is).collect()
    }

    /// Says something to it and returns code and both outputs.
    #[must_use]
    pub fn say(&self, words: &[&str]) -> crate::cmd::Output {
        self.env.cmd("stand-in-launchctl").args(words).run()
    }

    /// `gui/UID/LABEL`
    #[must_use]
    pub fn target(label: &str) -> String {
        format!("{}/{label}", Self::domain())
    }

    /// `gui/UID`
    #[must_use]
    pub fn domain() -> String {
        format!("gui/{}", rustix::process::getuid().as_raw())
    }

    /// The pid of a job that runs.
    #[must_use]
    pub fn pid(&self, label: &str) -> Option<i32> {
        let text = self.say(&["print", &Self::target(label)]).stdout;
        text.lines()
            .find_map(|line| line.strip_prefix("\tpid = "))?
            .parse()
            .ok()
    }

    /// The state of a job; `None` when it is not loaded.
    #[must_use]
    pub fn state(&self, label: &str) -> Option<String> {
        let text = self.say(&["print", &Self::target(label)]).stdout;
        text.lines()
            .find_map(|line| line.strip_prefix("\tstate = "))
            .map(str::to_owned)
    }

    /// Writes a property list with KeepAlive where launchd looks for it, and returns its path. `extra` is XML between the keys.
    #[must_use]
    pub fn agent(&self, label: &str, argv: &[String], extra: &str) -> PathBuf {
        let words: String = argv
            .iter()
            .map(|word| format!("<string>{}</string>", escaped(word)))
            .collect();
        let vars: String = ["HOME", "OC_STATE_DIR", "OC_SERVICE_MANAGER", "TMPDIR", "PATH"]
            .iter()
            .filter_map(|name| Some((name, self.env.var(name)?)))
            .map(|(name, value)| format!("<key>{name}</key><string>{}</string>", escaped(value)))
            .collect();
        let xml = format!(
            r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Label</key><string>{label}</string><key>ProgramArguments</key><array>{words}</array>
<key>RunAtLoad</key><true/><key>KeepAlive</key><true/><key>ExitTimeOut</key><integer>20</integer>
<key>EnvironmentVariables</key><dict>{vars}</dict>{extra}</dict></plist>
"#
        );
        self.env.write(format!("Library/LaunchAgents/{label}.plist"), xml)
    }
}

impl TestEnv {
    /// Puts the stand-in in the place of `launchctl` and makes launchd the manager. One second of its property lists lasts
    /// 20 ms.
    ///
    /// # Panics
    /// When it cannot be put there.
    #[must_use]
    pub fn with_launchd() -> Self {
        let mut env = Self::new();
        env.use_launchd();
        env
    }

    /// From now on launchd is its service manager.
    ///
    /// # Panics
    /// When it is already.
    pub fn use_launchd(&mut self) {
        self.link("launchctl", "stand-in-launchctl");
        self.set("OC_SERVICE_MANAGER", "launchd");
        Launchd::of(self).knobs(|k| k.second_ms = 20);
    }

    /// The stand-in for launchd.
    #[must_use]
    pub fn launchd(&self) -> Launchd<'_> {
        Launchd::of(self)
    }

    /// Says a gateway of this environment's home under the label `ai.openclaw.gateway`: writes its config and property list.
    #[must_use]
    pub fn gateway_agent(&self) -> u16 {
        let gateway = self.gateway().on_port(free_port());
        let (port, words) = (gateway.port(), gateway.prepare());
        let _plist = self.launchd().agent("ai.openclaw.gateway", &words, "");
        port
    }
}

/// Where it keeps its state for this HOME.
#[must_use]
pub fn dir_in(home: &Path) -> PathBuf {
    home.join(".stand-in-launchd")
}

/// Its knobs; the defaults where none were turned.
#[must_use]
pub fn read_knobs(dir: &Path) -> Knobs {
    let text = std::fs::read(dir.join("knobs.json")).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Turns its knobs, all at once.
///
/// # Panics
/// When they cannot be written.
pub fn write_knobs(dir: &Path, knobs: &Knobs) {
    std::fs::create_dir_all(dir).expect("its directory");
    let value: Value = serde_json::to_value(knobs).expect("JSON");
    // Written beside and renamed: it is read at every call.
    let temp = dir.join(format!("knobs.{}", std::process::id()));
    std::fs::write(&temp, value.to_string()).expect("knobs written");
    std::fs::rename(&temp, dir.join("knobs.json")).expect("knobs in place");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
