//! Talks to `oc-guardian supervise`, and puts it back when it died.

use crate::supervise::heal::forget_run;
use oc_core::clock::{Deadline, boot_id, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::identity::{Identity, ProcessState};
use oc_core::log::Log;
use oc_core::proc::{Cmd, kill_service_tree};
use oc_core::report::ServiceView;
use oc_core::service::Verb;
use oc_core::service::embedded::{Command, Dir, Phase, Recipe, Status};
use oc_core::world::World;
use rustix::process::Signal;
use std::time::Duration;

/// A supervisor that was just started says so within this time.
const LAUNCH: Duration = Duration::from_secs(10);
/// One that holds its lock reads its FIFO within this time.
const UNREAD: Duration = Duration::from_secs(2);
/// How often the status file is looked at while waiting.
const LOOK: Duration = Duration::from_millis(5);

/// Variables that say which instance is meant, and the surroundings without which its program is not found. Kept in the
/// recipe; never a secret.
pub const NAMING: [&str; 17] = [
    "HOME",
    "PATH",
    "TMPDIR",
    "LANG",
    "LC_ALL",
    "TZ",
    "USER",
    "OC_STATE_DIR",
    "OC_INSTANCE",
    "OC_CONFIG",
    "OC_SERVICE_MANAGER",
    "OPENCLAW_HOME",
    "OPENCLAW_STATE_DIR",
    "OPENCLAW_CONFIG_PATH",
    "OPENCLAW_PROFILE",
    "OPENCLAW_GATEWAY_URL",
    "OPENCLAW_GATEWAY_PORT",
];

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Carried out.
    Done,
    /// The supervisor refused, and says why.
    Refused(String),
    /// Not carried out in time, and why that may be.
    Late(String),
}

/// Why no supervisor is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It was ended by a signal in this boot, its service with it: somebody wanted that.
    Ended,
    /// It died, or the machine restarted.
    Died,
    /// None was ever started here.
    NeverThere,
}

/// The embedded supervisor of one instance.
#[derive(Debug)]
pub struct Embedded<'a> {
    world: &'a World,
    dir: Dir,
}

impl<'a> Embedded<'a> {
    /// Touches nothing.
    #[must_use]
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            dir: Dir::of(&world.paths),
        }
    }

    /// What is known about the service.
    #[must_use]
    pub fn view(&self) -> ServiceView {
        self.dir.view()
    }

    /// The last published status.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.dir.status()
    }

    /// Whether a supervisor is there.
    #[must_use]
    pub fn supervised(&self) -> bool {
        self.dir.supervised()
    }

    /// Why none is there.
    #[must_use]
    pub fn absence(&self) -> Absence {
        let status = self.dir.status();
        let ended = status
            .as_ref()
            .is_some_and(|s| !s.wanted && s.phase == Phase::Down && s.child.is_none() && s.stamp.boot == boot_id());
        let stopped = self.world.intent().is_ok_and(|i| i.stopped.is_some());
        if ended && !stopped {
            Absence::Ended
        } else if self.recipe().is_some() {
            Absence::Died
        } else {
            Absence::NeverThere
        }
    }

    /// A supervisor that exists and cannot act: stopped by a signal or a debugger.
    #[must_use]
    pub fn frozen(&self) -> Option<Identity> {
        let supervisor = self.dir.status()?.supervisor;
        let state = supervisor.info()?.state;
        (self.supervised() && state == ProcessState::Stopped).then_some(supervisor)
    }

    /// How to start the supervisor: as it was started last, else from `service.command`.
    #[must_use]
    pub fn recipe(&self) -> Option<Recipe> {
        self.dir.recipe().or_else(|| {
            let command = &self.world.config.service.command;
            let program = oc_core::proc::which(command.first()?)?;
            let own = std::env::current_exe().ok()?;
            let mut argv = vec![
                own.to_string_lossy().into_owned(),
                "supervise".to_owned(),
                "--".to_owned(),
            ];
            argv.push(program.to_string_lossy().into_owned());
            argv.extend(command.iter().skip(1).cloned());
            let mut env = naming_env();
            env.insert("OC_INSTANCE".to_owned(), self.world.instance().to_owned());
            env.insert(
                "OC_STATE_DIR".to_owned(),
                self.world.paths.watchdog().to_string_lossy().into_owned(),
            );
            Some(Recipe {
                argv,
                cwd: self.world.paths.openclaw().to_owned(),
                env,
            })
        })
    }

    /// Starts the supervisor again in a session of its own and waits until it is there.
    ///
    /// # Errors
    /// 69 when nobody knows how, 124 when it does not come up, and what starting it brings.
    pub fn launch(&self) -> Result<()> {
        let recipe = self.recipe().ok_or_else(unknown)?;
        let (program, args) = recipe.argv.split_first().ok_or_else(unknown)?;
        // Not the watchdog's own log: what the service writes goes here too.
        let log = self.world.paths.log().with_file_name("supervise.log");
        let mut cmd = Cmd::new(program);
        cmd.args(args);
        forget_run(&mut cmd);
        for name in NAMING {
            cmd.env_remove(name);
        }
        for (name, value) in &recipe.env {
            cmd.env(name, value);
        }
        if recipe.cwd.is_dir() {
            cmd.cwd(&recipe.cwd);
        }
        let mut child = cmd.spawn_detached(&Log::new(&log).open()?)?;
        let deadline = Deadline::after(LAUNCH);
        while !deadline.passed() {
            // A status that a supervisor which lives has published, be it ours or that of one who was quicker.
            if self.supervised() && self.dir.status().is_some_and(|s| s.supervisor.alive()) {
                return Ok(());
            }
            if let Ok(Some(ended)) = child.try_wait()
                && !self.supervised()
            {
                return Err(
                    Fault::new(Exit::Answer(2), format_args!("the supervisor ended at once ({ended})"))
                        .hint(format_args!("see {}", log.display())),
                );
            }
            pause(LOOK);
        }
        Err(Fault::new(Exit::Answer(2), "the supervisor did not come up").hint(format_args!("see {}", log.display())))
    }

    /// Carries a command out; a supervisor that died is put back for it.
    ///
    /// # Errors
    /// 69 when nobody knows how to start it, 2 when it does not come up, 74 when it cannot be told, 77 when what it left is not
    /// ours to end.
    pub fn tell(&self, verb: Verb, only: Option<Identity>, deadline: &Deadline) -> Result<Told> {
        if self.supervised() {
            return self.command(verb, only, deadline);
        }
        if verb == Verb::Stop {
            // Nothing is started only to be stopped.
            if let Some(orphan) = self.view().identity {
                end_orphan(&orphan, self.world.config.service.stop_timeout.get())?;
            }
            return Ok(Told::Done);
        }
        // It takes over a service that still lives; without one it starts it at once.
        self.launch()?;
        self.command(verb, only, deadline)
    }

    /// Gives a command and waits until it is carried out, at most until the deadline.
    fn command(&self, verb: Verb, only: Option<Identity>, deadline: &Deadline) -> Result<Told> {
        let command = Command::new(verb, only);
        self.send(&command)?;
        while !deadline.passed() {
            if let Some(status) = self.dir.status() {
                if let Some(refusal) = status.refused.filter(|r| r.number == command.number) {
                    return Ok(Told::Refused(refusal.reason));
                }
                if status.acknowledged >= command.number {
                    return Ok(Told::Done);
                }
            }
            if !self.supervised() {
                return Ok(Told::Late("the supervisor died meanwhile".to_owned()));
            }
            pause(LOOK);
        }
        Ok(Told::Late(match self.frozen() {
            Some(supervisor) => format!(
                "the supervisor (pid {0}) is stopped by a signal; continue it with `kill -CONT {0}`",
                supervisor.pid
            ),
            None => format!("it was not done within {:.0} s", deadline.elapsed().as_secs_f64()),
        }))
    }

    /// A supervisor that was just started may hold its lock and not read yet.
    fn send(&self, command: &Command) -> Result<()> {
        let deadline = Deadline::after(UNREAD);
        loop {
            match self.dir.send(command) {
                Err(fault) if fault.exit == Exit::Unavailable && self.supervised() && !deadline.passed() => pause(LOOK),
                ended => return ended,
            };
        }
    }

    /// Waits until the service is ready; false when it is not by the deadline.
    #[must_use]
    pub fn wait_ready(&self, deadline: &Deadline) -> bool {
        while !deadline.passed() {
            if self.supervised() && self.dir.status().is_some_and(|s| s.phase == Phase::Up) {
                return true;
            }
            pause(LOOK);
        }
        false
    }
}

/// Ends a service whose supervisor is dead, or what holds its port: TERM, `grace`, KILL of the whole tree.
///
/// # Errors
/// 77 when it is not ours to end.
pub fn end_orphan(service: &Identity, grace: Duration) -> Result<()> {
    let denied =
        |e: rustix::io::Errno| Fault::new(Exit::Permission, format_args!("cannot end pid {}: {e}", service.pid));
    match service.signal(Signal::TERM) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(e) => return Err(denied(e)),
    }
    let deadline = Deadline::after(grace);
    while service.alive() && !deadline.passed() {
        pause(LOOK);
    }
    if service.alive() {
        kill_service_tree(service).map_err(denied)?;
        let deadline = Deadline::after(Duration::from_secs(5));
        while service.alive() && !deadline.passed() {
            pause(LOOK);
        }
    }
    Ok(())
}

/// The variables of [`NAMING`] that are set.
#[must_use]
pub fn naming_env() -> std::collections::BTreeMap<String, String> {
    NAMING
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
        .collect()
}

fn unknown() -> Fault {
    Fault::new(
        Exit::Unavailable,
        "no supervisor was ever started for this instance, and service.command is not set",
    )
    .hint("start one with `oc-guardian supervise -- COMMAND`")
}
