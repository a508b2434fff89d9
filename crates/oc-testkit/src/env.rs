//! A world of its own for one test: HOME, PATH, ports; nothing of the real one leaks in.

use crate::cmd::Cmd;
use crate::faults::Faults;
use crate::gateway::GatewayBuilder;
use crate::process;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Own HOME, own PATH, no inherited environment. Dropping it kills every process that was started in it (found by the HOME in
/// its environment, so even a daemon with a session of its own) and removes the directory.
#[derive(Debug)]
pub struct TestEnv {
    home: TempDir,
    vars: BTreeMap<String, String>,
}

impl TestEnv {
    /// A fresh HOME with `~/.openclaw` (0700), `~/bin` first on PATH, then the built programs, the repository's
    /// scripts, /usr/bin and /bin.
    ///
    /// # Panics
    /// When the directories cannot be made.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it makes directories; nobody wants one by default"
    )]
    pub fn new() -> Self {
        let home = tempfile::Builder::new()
            .prefix("oc-test-")
            .tempdir()
            .expect("a temporary HOME");
        for dir in ["bin", "tmp", ".openclaw"] {
            std::fs::create_dir(home.path().join(dir)).expect("a directory in HOME");
        }
        std::fs::set_permissions(home.path().join(".openclaw"), PermissionsExt::from_mode(0o700)).expect("0700");
        let mut env = Self {
            home,
            vars: BTreeMap::new(),
        };
        let dirs = [env.path("bin"), bin_dir(), scripts(), "/usr/bin".into(), "/bin".into()];
        let path = std::env::join_paths(dirs)
            .expect("no colon in a path")
            .into_string()
            .expect("UTF-8 paths");
        let watchdog = env.watchdog().display().to_string();
        let (own_home, tmp) = (env.home().display().to_string(), env.path("tmp").display().to_string());
        env.set("HOME", own_home);
        env.set("PATH", path);
        env.set("TMPDIR", tmp);
        env.set("LANG", "C.UTF-8");
        env.set("TZ", "UTC");
        env.set("OC_STATE_DIR", watchdog);
        env.set("OC_SERVICE_MANAGER", "embedded");
        env
    }

    /// The HOME directory.
    #[must_use]
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A path below HOME.
    #[must_use]
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.home.path().join(below)
    }

    /// OpenClaw's state directory, `~/.openclaw`.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.path(".openclaw")
    }

    /// Our own state directory, `~/.openclaw/watchdog`. It is not made: the tools do that.
    #[must_use]
    pub fn watchdog(&self) -> PathBuf {
        self.path(".openclaw/watchdog")
    }

    /// OpenClaw's config file, `~/.openclaw/openclaw.json`.
    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.path(".openclaw/openclaw.json")
    }

    /// Sets a variable for every command made from now on.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.vars.insert(name.to_owned(), value.to_string());
    }

    /// What a variable was set to.
    #[must_use]
    pub fn var(&self, name: &str) -> Option<&str> {
        self.vars.get(name).map(String::as_str)
    }

    /// Every variable that commands get.
    pub fn vars(&self) -> impl Iterator<Item = (&str, &str)> {
        self.vars.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Takes a variable away for every command made from now on.
    pub fn unset(&mut self, name: &str) {
        self.vars.remove(name);
    }

    /// Fixes the wall clock of the tools (`OC_NOW`, RFC 3339).
    pub fn now(&mut self, rfc3339: &str) {
        self.set("OC_NOW", rfc3339);
    }

    /// Writes a file below HOME, with its directories, and returns its path.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, below: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        std::fs::write(&path, content).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
        path
    }

    /// Reads a JSON file below HOME.
    ///
    /// # Panics
    /// When it is missing or not JSON.
    #[track_caller]
    #[must_use]
    pub fn read_json(&self, below: impl AsRef<Path>) -> Value {
        let path = self.path(below);
        let text = std::fs::read(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
        serde_json::from_slice(&text).unwrap_or_else(|e| panic!("{} is not JSON: {e}", path.display()))
    }

    /// The last lines of what our tools said, in the log and in the last pass: for whoever has to find out why.
    #[must_use]
    pub fn last_words(&self, lines: usize) -> String {
        let read = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
        let log = read(self.path(".openclaw/logs/watchdog.log"));
        let talk = read(self.watchdog().join("run/talk.log"));
        let all: Vec<&str> = log.lines().chain(talk.lines()).collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }

    /// Our own config.json, in the watchdog directory.
    pub fn oc_config(&self, config: &Value) -> PathBuf {
        self.write(".openclaw/watchdog/config.json", config.to_string())
    }

    /// Lays this over our own settings.
    pub fn configure(&self, over: &Value) {
        let settings = self.read_json(".openclaw/watchdog/config.json");
        self.oc_config(&crate::merged(settings, over));
    }

    /// Puts a shell script on PATH, ahead of everything else: a stub for a program that the test wants to play.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn stub(&self, name: &str, script: &str) -> PathBuf {
        let text = self.write(
            Path::new("bin").join(format!(".{name}")),
            format!("#!/bin/sh\n{script}\n"),
        );
        let path = self.path("bin").join(name);
        _ = std::fs::remove_file(&path);
        // By a process of its own: one that another thread of the test starts at this moment inherits what is open for writing
        // here, and such a file is not executed ("text file busy").
        let copied = std::process::Command::new("cp").arg(&text).arg(&path).status();
        assert!(
            copied.is_ok_and(|status| status.success()),
            "cannot write {}",
            path.display()
        );
        std::fs::remove_file(text).expect("only the copy stays");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("0755");
        path
    }

    /// Makes one of our programs callable by another name (`openclaw` for the stand-in).
    ///
    /// # Panics
    /// When the link cannot be made.
    pub fn link(&self, name: &str, program: &str) -> PathBuf {
        let path = self.path("bin").join(name);
        std::os::unix::fs::symlink(bin(program), &path).expect("a link");
        path
    }

    /// One of our programs in this environment.
    #[must_use]
    pub fn cmd(&self, program: &str) -> Cmd {
        self.foreign(bin(program))
    }

    /// Any other program in this environment.
    #[must_use]
    pub fn foreign(&self, program: impl AsRef<OsStr>) -> Cmd {
        let cmd = Cmd::new(program).cwd(self.home());
        self.vars.iter().fold(cmd, |cmd, (name, value)| cmd.env(name, value))
    }

    /// Any program in this environment, for callers with a measurement of their own.
    #[must_use]
    pub fn std_command(&self, program: impl AsRef<OsStr>) -> std::process::Command {
        let mut command = std::process::Command::new(program);
        command.env_clear().envs(&self.vars).current_dir(self.home());
        command
    }

    /// A gateway in this environment, on a free port.
    #[must_use]
    pub fn gateway(&self) -> GatewayBuilder<'_> {
        GatewayBuilder::new(self)
    }

    /// The pid in OpenClaw's lock file: the gateway of this environment, whoever started it, dead or alive.
    #[must_use]
    pub fn gateway_pid(&self) -> Option<u32> {
        let lock: Value = serde_json::from_slice(&std::fs::read(self.gateway_lock()).ok()?).ok()?;
        lock["pid"].as_u64()?.try_into().ok()
    }

    /// OpenClaw's lock file, `~/.openclaw/tmp/openclaw-UID/gateway.state.lock`.
    #[must_use]
    pub fn gateway_lock(&self) -> PathBuf {
        let uid = rustix::process::getuid().as_raw();
        self.state_dir().join(format!("tmp/openclaw-{uid}/gateway.state.lock"))
    }

    /// How often the stand-in gateway of this environment has booted, whoever started it.
    #[must_use]
    pub fn boots(&self) -> u64 {
        let text = std::fs::read(self.path(".openclaw/stand-in-boots.json")).unwrap_or_default();
        let book: Value = serde_json::from_slice(&text).unwrap_or_default();
        book["total"].as_u64().unwrap_or(0)
    }

    /// Signals a process that was started in this environment, by whomever; one that is gone already is no error.
    ///
    /// # Panics
    /// When the process belongs to somebody else: pids are reused, and a test must never hit a stranger.
    pub fn signal(&self, pid: u32, signal: Signal) {
        if !process::alive(pid) {
            return;
        }
        // Between fork and exec, and when it ends between two questions, its environment reads as empty.
        let known = || process::lives_in(pid, self.home()) || !process::alive(pid);
        assert!(
            (0..100).any(|_| known() || {
                std::thread::sleep(std::time::Duration::from_millis(10));
                false
            }),
            "process {pid} is not of this environment"
        );
        _ = i32::try_from(pid)
            .ok()
            .and_then(Pid::from_raw)
            .map(|pid| kill_process(pid, signal));
    }

    /// Every process that was started in this environment and still runs.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        process::living_in(self.home())
    }

    /// Sets the faults of the stand-in gateway of this environment, whoever started it.
    pub fn fault(&self, change: impl FnOnce(&mut Faults)) {
        Faults::change(&self.state_dir(), change);
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        // Several rounds: a supervisor that is still alive may have started something after the list was made.
        for _ in 0..20 {
            let left = process::living_in(self.home());
            if left.is_empty() {
                return;
            }
            for pid in left {
                send(pid, Signal::KILL);
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

fn send(pid: u32, signal: Signal) {
    // It may be gone by now, which is what was wanted.
    _ = i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .map(|pid| kill_process(pid, signal));
}

/// A port nobody listens on, on either loopback address.
///
/// # Panics
/// When no port can be bound at all.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    listener.local_addr().expect("an address").port()
}

/// A built program, next to the test's own executable.
///
/// # Panics
/// When it was not built: `cargo test -p X` builds only X's own programs.
#[must_use]
pub fn bin(name: &str) -> PathBuf {
    let path = bin_dir().join(name);
    assert!(
        path.is_file(),
        "{} is not built; run `cargo build --workspace --bins` first (`make test` does)",
        path.display()
    );
    path
}

/// The repository's scripts directory (`oc-heal`).
#[must_use]
pub fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts")
}

/// target/debug: tests run from target/debug/deps.
pub(crate) fn bin_dir() -> PathBuf {
    let exe = std::env::current_exe().expect("the test's own path");
    let dir = exe.parent().expect("a directory");
    if dir.ends_with("deps") {
        dir.parent().expect("a target directory").to_owned()
    } else {
        dir.to_owned()
    }
}
