//! The gateway that is hurt: the stand-in, which is told what to do wrong, or the real one, which is made to.

use oc_testkit::{Faults, TestEnv, bin};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Loaded into the real gateway: exits or blocks its event loop when a file beside it says so.
const SABOTAGE: &str = r#"
const fs = require("fs"), born = Date.now();
if (fs.existsSync(__dirname + "/broken")) process.exit(1);
setInterval(() => {
  let since;
  try { since = fs.statSync(__dirname + "/hang").mtimeMs; } catch { return; }
  if (since > born) for (;;);
}, 50).unref();
"#;

pub(crate) enum Gateway {
    StandIn,
    /// The executable, and the PATH that it was found on.
    Real(PathBuf, OsString),
}

impl Gateway {
    /// By REAL=1.
    pub(crate) fn chosen() -> Result<Self, String> {
        if std::env::var("REAL").is_ok_and(|value| !value.is_empty() && value != "0") {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let found = std::env::split_paths(&path)
                .map(|dir| dir.join("openclaw"))
                .find(|file| file.is_file());
            return match found {
                Some(file) => Ok(Self::Real(file, path)),
                None => Err("REAL=1 needs `openclaw` on PATH (npm install -g openclaw)".to_owned()),
            };
        }
        Ok(Self::StandIn)
    }

    pub(crate) fn program(&self) -> PathBuf {
        match self {
            Self::StandIn => bin("stand-in-gateway"),
            Self::Real(file, _) => file.clone(),
        }
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::StandIn => "a stand-in gateway".to_owned(),
            Self::Real(file, _) => format!("the real gateway, {}", file.display()),
        }
    }

    /// Longest time that any one thing may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(if self.is_real() { 180 } else { 30 })
    }

    pub(crate) const fn is_real(&self) -> bool {
        matches!(self, Self::Real(..))
    }

    /// How often it is killed. Three unclean boots in five minutes make the real one keep its channels down, and the hang
    /// costs one as well.
    pub(crate) const fn kills(&self) -> usize {
        if self.is_real() { 1 } else { 10 }
    }

    /// How long a hang must last. The real gateway blocks its own event loop for seconds while it starts.
    pub(crate) const fn hang_after(&self) -> &'static str {
        if self.is_real() { "10s" } else { "1s" }
    }

    /// Puts what it needs into HOME.
    pub(crate) fn prepare(&self, env: &mut TestEnv, port: u16) {
        let config = json!({"gateway": {"mode": "local", "port": port, "bind": "loopback", "auth": {"mode": "token", "token": "demo"}}});
        env.write(".openclaw/openclaw.json", config.to_string());
        if let Self::Real(_, path) = self {
            let script = env.write("sabotage/sabotage.js", SABOTAGE);
            env.set("NODE_OPTIONS", format!("--require={}", script.display()));
            let dirs = std::iter::once(env.path("bin")).chain(std::env::split_paths(path));
            if let Ok(joined) = std::env::join_paths(dirs) {
                env.set("PATH", joined.to_string_lossy());
            }
        }
    }

    /// Our settings: everything the defaults do, in seconds instead of minutes.
    pub(crate) fn settings(&self) -> Value {
        let boot = if self.is_real() { "120s" } else { "10s" };
        json!({
            "service": {"supervise": {"backoff_step": "500ms", "backoff_max": "1s", "ready_poll": "10ms"}, "stop_timeout": "10s"},
            "probe": {"timeout": "1s", "tries": 2, "interval": "100ms", "hang_after": self.hang_after(), "startup_grace": boot},
            "policy": {
                "interval": "1s", "interval_embedded": "1s",
                "hold": {"manager": "0s", "manager_starting": "1s", "http_error": "1s", "wake": "2s", "wake_intervals": 30},
                "backoff": {"steps": ["1s", "2s", "4s"], "jitter_percent": 0},
                "ladder": {"half_open": "5s"},
                "kill": {"unclean_limit": 20},
                "healthy": {"stable": "1s", "stable_same_process": "2s"},
            },
        })
    }

    /// Blocks the event loop of the process that runs now. Its successor is well.
    pub(crate) fn hang(&self, env: &TestEnv, pid: u32) {
        match self {
            Self::StandIn => env.fault(|f| {
                f.only_pid = Some(pid);
                f.block_ms = Some(0);
            }),
            Self::Real(..) => drop(env.write("sabotage/hang", "")),
        }
    }

    /// From now on it dies at every start.
    pub(crate) fn break_starts(&self, env: &TestEnv) {
        match self {
            Self::StandIn => env.fault(|f| {
                *f = Faults {
                    boot_ms: 60_000,
                    exit_after_ms: Some(50),
                    ..Faults::default()
                };
            }),
            Self::Real(..) => drop(env.write("sabotage/broken", "")),
        }
    }

    /// Takes the cause away.
    pub(crate) fn mend(&self, env: &TestEnv) {
        match self {
            Self::StandIn => env.fault(|f| *f = Faults::default()),
            Self::Real(..) => remove(&env.path("sabotage/broken")),
        }
    }
}

fn remove(path: &Path) {
    // What is not there is mended.
    drop(std::fs::remove_file(path));
}
