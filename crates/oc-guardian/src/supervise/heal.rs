//! Starts healing passes: in time, and at once when the service ended. A pass is a process of its own session that holds
//! its own lock and outlives us; it never holds us up.

use oc_core::clock::Deadline;
use oc_core::fault::{Fault, Result};
use oc_core::log::Log;
use oc_core::proc::{Cmd, which};
use oc_core::world::World;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a healthy pass is too cheap to do, and how often it is done instead, for the tools that are installed.
pub const UPKEEP: [(&str, &[&str], Duration); 3] = [
    // What it remembers of a healthy service is what repairs restore from.
    (
        "oc-doctor",
        &["snapshot", "--auto", "--quiet"],
        Duration::from_secs(300),
    ),
    // The dead-man's switch, and whatever waits in the outbox.
    ("oc-notify", &["heartbeat", "--quiet"], Duration::from_secs(180)),
    ("oc-report", &["metrics", "--quiet"], Duration::from_secs(60)),
];

/// Healing passes, and the upkeep that a healthy pass is too cheap to do.
#[derive(Debug)]
pub struct Healer {
    pass: Job,
    upkeep: Vec<Job>,
}

impl Healer {
    /// Passes every `every`; the first one after that time.
    #[must_use]
    pub fn new(world: &World, every: Duration) -> Self {
        let mut command = world.config.service.supervise.heal_command.clone();
        if command.is_empty() {
            command.push(program().to_string_lossy().into_owned());
        }
        let upkeep = UPKEEP.iter().filter_map(|(tool, args, every)| {
            let tool = beside(tool)?.to_string_lossy().into_owned();
            let words = std::iter::once(tool).chain(args.iter().map(|&word| word.to_owned()));
            Some(Job::new(world, words.collect(), *every))
        });
        Self {
            pass: Job::new(world, command, every),
            upkeep: upkeep.collect(),
        }
    }

    /// The next pass is to begin now, or as soon as the running one is over.
    pub fn poke(&mut self) {
        self.pass.next = Deadline::after(Duration::ZERO);
    }

    /// When the loop must look here again; `None` while all that is due runs: its end wakes the loop.
    #[must_use]
    pub fn due_in(&self) -> Option<Duration> {
        std::iter::once(&self.pass)
            .chain(&self.upkeep)
            .filter_map(Job::due_in)
            .min()
    }

    /// Starts what is due and does not run already.
    pub fn tick(&mut self) {
        self.pass.tick();
        self.upkeep.iter_mut().for_each(Job::tick);
    }

    /// A child ended; if it was one of ours, the next one may begin.
    pub fn ended(&mut self, pid: i32) {
        for job in std::iter::once(&mut self.pass).chain(&mut self.upkeep) {
            if job.running == Some(pid) {
                job.running = None;
            }
        }
    }
}

/// One command, again and again, never twice at a time.
#[derive(Debug)]
struct Job {
    command: Vec<String>,
    every: Duration,
    next: Deadline,
    running: Option<i32>,
    log: Log,
    env: Vec<(&'static str, PathBuf)>,
    told: String,
}

impl Job {
    fn new(world: &World, command: Vec<String>, every: Duration) -> Self {
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
            command,
            every,
            next: Deadline::after(every),
            running: None,
            log: Log::new(&world.paths.log()),
            env,
            told: String::new(),
        }
    }

    fn due_in(&self) -> Option<Duration> {
        self.running.is_none().then(|| self.next.left())
    }

    fn tick(&mut self) {
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
                oc_core::out::talk(format_args!("cannot start {}: {fault}", self.command.join(" ")));
                self.told = fault.what;
            }
            Err(_) => {}
        }
    }

    fn start(&self) -> Result<i32> {
        let (program, args) = self
            .command
            .split_first()
            .ok_or_else(|| Fault::config("the heal command is empty"))?;
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
        i32::try_from(child.id()).map_err(Fault::internal)
    }
}

/// A supervisor may itself have been started from within a pass; what it starts is not inside that pass.
pub fn forget_run(cmd: &mut Cmd) {
    for name in [oc_core::lock::LOCK_FD, "OC_RUN_ID", "OC_RUN_DIR", "OC_DRY_RUN"] {
        cmd.env_remove(name);
    }
}

/// `oc-heal` beside us (installed), in the source tree we were built in, or on PATH.
#[must_use]
pub fn program() -> PathBuf {
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

/// A tool of ours that is installed next to us.
#[must_use]
pub fn beside(tool: &str) -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.parent()?.join(tool);
    which(&path.to_string_lossy())
}

/// PATH with our own directory in front: the tools of a pass lie beside us, and cron gives a poor PATH.
#[must_use]
pub fn path_with_tools() -> Option<std::ffi::OsString> {
    let own = std::env::current_exe().ok()?.parent()?.to_owned();
    let rest = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&rest))).ok()
}
