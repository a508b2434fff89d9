//! Starts healing passes: in time, and at once when the service ended. A pass is a process of its own session that holds
//! its own lock and outlives us; it never holds us up.

use oc_core::clock::Deadline;
use oc_core::fault::Result;
use oc_core::log::Log;
use oc_core::proc::{Cmd, which};
use oc_core::world::World;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Whether and when passes are started.
#[derive(Debug)]
pub struct Healer {
    command: Vec<String>,
    every: Duration,
    next: Deadline,
    running: Option<i32>,
    log: Log,
    env: Vec<(&'static str, PathBuf)>,
    told: String,
}

impl Healer {
    /// Passes every `every`; the first one after that time.
    #[must_use]
    pub fn new(world: &World, every: Duration) -> Self {
        let mut env = vec![
            ("OC_STATE_DIR", world.paths.watchdog().to_owned()),
            ("OC_INSTANCE", PathBuf::from(world.instance())),
        ];
        if let Some(config) = &world.common.config
            && let Ok(config) = std::path::absolute(config)
        {
            env.push(("OC_CONFIG", config));
        }
        Self {
            command: world.config.service.supervise.heal_command.clone(),
            every,
            next: Deadline::after(every),
            running: None,
            log: Log::new(&world.paths.log()),
            env,
            told: String::new(),
        }
    }

    /// The next pass is to begin now, or as soon as the running one is over.
    pub fn poke(&mut self) {
        self.next = Deadline::after(Duration::ZERO);
    }

    /// When the loop must look here again; `None` while a pass runs: its end wakes the loop.
    #[must_use]
    pub fn due_in(&self) -> Option<Duration> {
        self.running.is_none().then(|| self.next.left())
    }

    /// Starts a pass if one is due and none of ours runs.
    pub fn tick(&mut self) {
        if self.running.is_some() || !self.next.passed() {
            return;
        }
        self.next = Deadline::after(self.every);
        match self.start() {
            Ok(pid) => {
                self.running = Some(pid);
                self.told.clear();
            }
            // Said once for as long as it stays the same.
            Err(fault) if fault.what != self.told => {
                oc_core::out::talk(format_args!("no healing pass: {fault}"));
                self.told = fault.what;
            }
            Err(_) => {}
        }
    }

    /// A child ended; true when it was a pass.
    pub fn ended(&mut self, pid: i32) -> bool {
        let ours = self.running == Some(pid);
        if ours {
            self.running = None;
        }
        ours
    }

    fn start(&self) -> Result<i32> {
        let fallback = [find().into_os_string().to_string_lossy().into_owned()];
        let words = if self.command.is_empty() {
            &fallback[..]
        } else {
            &self.command[..]
        };
        let (program, args) = words.split_first().unwrap_or((&fallback[0], &[]));
        let mut cmd = Cmd::new(program);
        cmd.args(args);
        forget_run(&mut cmd);
        for (name, value) in &self.env {
            cmd.env(name, value);
        }
        if let Some(path) = path_with_tools() {
            cmd.env("PATH", path);
        }
        let child = cmd.spawn_detached(&self.log.open()?)?;
        i32::try_from(child.id()).map_err(oc_core::Fault::internal)
    }
}

/// A supervisor may itself have been started from within a pass; what it starts is not inside that pass.
pub fn forget_run(cmd: &mut Cmd) {
    for name in [oc_core::lock::LOCK_FD, "OC_RUN_ID", "OC_RUN_DIR", "OC_DRY_RUN"] {
        cmd.env_remove(name);
    }
}

/// `oc-heal` beside us (installed), in the source tree we were built in, or on PATH.
fn find() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.to_owned()));
    let places = ["oc-heal", "../scripts/oc-heal", "../../scripts/oc-heal"];
    beside
        .into_iter()
        .flat_map(|dir| places.map(|place| dir.join(place)))
        .find_map(|path| which(&path.to_string_lossy()))
        .unwrap_or_else(|| Path::new("oc-heal").to_owned())
}

/// PATH with our own directory in front: the tools of a pass lie beside us, and cron gives a poor PATH.
fn path_with_tools() -> Option<std::ffi::OsString> {
    let own = std::env::current_exe().ok()?.parent()?.to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&rest))).ok()
}
