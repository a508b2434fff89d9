//! The real programs, where the caller named them: `make e2e` and `make chaos REAL=1` install and name them.

use crate::cmd::Cmd;
use crate::env::{TestEnv, bin_dir, scripts};
use std::path::{Path, PathBuf};

/// Named by `OC_REAL_OPENCLAW`; node lies beside it.
#[must_use]
pub fn openclaw() -> Option<PathBuf> {
    named("OC_REAL_OPENCLAW")
}

/// Named by `OC_REAL_CLAUDE`.
#[must_use]
pub fn claude() -> Option<PathBuf> {
    named("OC_REAL_CLAUDE")
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable)
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
}

/// Where compiled JavaScript lies: shared, because every cold boot would compile all of OpenClaw anew. It follows TMPDIR. Not
/// by `NODE_COMPILE_CACHE`: with that set it runs as the child of a launcher, and our pid is the launcher's.
///
/// # Panics
/// When the directory cannot be made.
#[must_use]
pub fn tmp() -> PathBuf {
    let tmp = bin_dir().join("openclaw-tmp");
    std::fs::create_dir_all(&tmp).expect("a directory beside the programs");
    tmp
}

/// Has the commands of this environment find the gateway and its Node, and a gateway that is started from there obey
/// [`TestEnv::fault`]: `only_pid`, `boot_ms`, `block_ms`, `exit_after_ms` and `exit_code`.
pub fn equip(env: &mut TestEnv, openclaw: &Path) {
    let beside = openclaw.parent().unwrap_or(openclaw);
    let dirs = [
        env.path("bin"),
        beside.to_owned(),
        bin_dir(),
        scripts(),
        "/usr/bin".into(),
        "/bin".into(),
    ];
    let path = dirs.map(|dir| dir.display().to_string()).join(":");
    let preload = env.write("obey.js", include_str!("obey.js"));
    env.set("PATH", path);
    env.set("TMPDIR", tmp().display());
    env.set("NODE_OPTIONS", format!("--require={}", preload.display()));
}

/// OpenClaw's own command, as the person types it whose user manager runs there.
#[must_use]
pub fn typed(env: &TestEnv, words: &[&str]) -> Cmd {
    let runtime = format!("/run/user/{}", rustix::process::getuid().as_raw());
    env.foreign("openclaw").args(words).env("XDG_RUNTIME_DIR", runtime)
}
