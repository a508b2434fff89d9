//! The other tools of the suite. They are met as programs, never as libraries.

use oc_core::proc::Cmd;
use oc_core::world::World;
use serde_json::Value;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// The directory that we lie in: our siblings are there, whatever PATH cron or launchd gave us.
#[must_use]
pub fn own_dir() -> Option<PathBuf> {
    std::env::current_exe().ok()?.parent().map(PathBuf::from)
}

/// PATH with our own directory first.
#[must_use]
pub fn path() -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(own_dir().into_iter().chain(std::env::split_paths(&path))).unwrap_or(path)
}

/// What makes a tool mean the same instance as we do.
#[must_use]
pub fn variables(world: &World) -> Vec<(&'static str, OsString)> {
    let mut variables: Vec<(&str, OsString)> = vec![
        ("OC_STATE_DIR", world.paths.watchdog().into()),
        ("OC_INSTANCE", world.instance().into()),
    ];
    if let Some(config) = &world.common.config {
        variables.push(("OC_CONFIG", config.into()));
    }
    variables
}

/// A tool of the suite, about the same instance.
#[must_use]
pub fn tool(world: &World, name: &str) -> Cmd {
    let beside = own_dir().map(|dir| dir.join(name)).filter(|path| path.is_file());
    let mut cmd = Cmd::new(beside.unwrap_or_else(|| PathBuf::from(name)));
    for (name, value) in variables(world) {
        cmd.env(name, value);
    }
    // Ours, not theirs.
    cmd.env_remove("OC_DEADLINE")
        .env_remove("OC_TIMEOUT")
        .env_remove("OC_DRY_RUN");
    cmd.timeout(Duration::from_secs(30));
    cmd
}

/// Its answer with `--json`, and the code it exited with; `None` when it gave none.
#[must_use]
pub fn answer(world: &World, name: &str, args: &[&str]) -> Option<(i32, Value)> {
    let out = tool(world, name).args(args).args(["--json"]).cap(4 << 20).run();
    let out = out.map_err(oc_core::out::talk).ok()?;
    let oc_core::proc::Ended::Code(code) = out.ended else {
        return None;
    };
    let text = if out.stdout.is_empty() { out.stderr } else { out.stdout };
    let line = text.split(|b| *b == b'\n').rfind(|line| line.starts_with(b"{"))?;
    Some((code, serde_json::from_slice(line).ok()?))
}
