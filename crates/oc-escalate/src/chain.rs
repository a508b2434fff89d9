//! `run -- CMD`: the chain-loader. Takes the healing lock, opens the run directory, runs CMD in its own group under a
//! deadline, forwards signals, ends what is left, writes the run record, exits as CMD did. It knows no steps.

use crate::pass::{Record, RunDir, new_id};
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::journal::Kind;
use oc_core::lock::{HealingLock, LOCK_FD};
use oc_core::proc::{Cmd, Ended, StopSignals, end_tree, stop_signals};
use oc_core::report::{Action, Decision, Envelope};
use oc_core::world::World;
use oc_core::{fsx, out};
use std::process::Child;
use std::time::Duration;

/// Between TERM and KILL. Longer than the ladders of the steps themselves (2 s), so that they can end what they started.
const GRACE: Duration = Duration::from_secs(8);

/// One pass.
///
/// # Errors
/// 75 when another healing holds the lock; 74, 77 when state cannot be kept; 126, 127 when CMD cannot be run.
pub fn once(world: &World, command: &[String], limit: Duration) -> Result<Exit> {
    let stop = stop_signals();
    fsx::private_dir(world.paths.watchdog())?;
    let lock = HealingLock::take(&world.paths.healing_lock())?;
    let kept = RunDir::new(&world.paths);
    close_abandoned(world, &kept);
    end_left_session(world);
    let started = Stamp::now();
    let mut record = Record {
        id: new_id(&started),
        started,
        command: command.to_vec(),
        exit: None,
        took_ms: None,
    };
    let dir = begin(kept, &record)?;
    let deadline = Deadline::after(limit);
    let child = start(world, &lock, &dir, &record.id, command);
    lock.keep_private();
    let ended = wait(child?, &deadline, &stop);
    end_left_session(world);
    if ended == Ended::Deadline {
        let text = format!(
            "the pass was ended: it took longer than {}",
            humantime::format_duration(limit)
        );
        out::talk(&text);
        world
            .journal
            .note(&world.event(Kind::PassDeadline, text).with("pass", &record.id));
    }
    let exit = ended.exit();
    record.exit = Some(exit.code());
    record.took_ms = u64::try_from(deadline.elapsed().as_millis()).ok();
    match dir.elsewhere() {
        // First filed: a pass that has ended is not looked at again, so that its files would be lost with a kill in between.
        false => file(world, &dir, &record.id).unwrap_or(dir).end(&record)?,
        true => dir.remove(),
    }
    drop(lock);
    if ended.success() {
        crate::upkeep::after_healthy_pass(world);
    }
    Ok(exit)
}

/// A full or read-only disk must not keep the service down: the pass then works in a temporary directory, and leaves
/// nothing behind.
fn begin(kept: RunDir, record: &Record) -> Result<RunDir> {
    let Err(fault) = kept.begin(record) else {
        return Ok(kept);
    };
    if !crate::state::unwritable(&fault) {
        return Err(fault);
    }
    let temporary = RunDir::temporary()?;
    out::talk(format_args!(
        "{fault}; this pass works in {}",
        temporary.path().display()
    ));
    temporary.begin(record)?;
    Ok(temporary)
}

/// `--every`: passes for ever, the lock taken for each. Ends at TERM, INT or HUP.
///
/// # Errors
/// Only those that no later pass could do better at: a usage error, CMD not found.
pub fn every(world: &World, command: &[String], limit: Duration, interval: Duration) -> Result<Exit> {
    let stop = stop_signals();
    let mut told = String::new();
    loop {
        let tick = Deadline::after(interval);
        match once(world, command, limit) {
            Ok(_) => told.clear(),
            Err(fault) if matches!(fault.exit, Exit::NotFound | Exit::CannotExec) => return Err(fault),
            // Said once for as long as it stays the same: a loop must not fill a log.
            Err(fault) if fault.what != told && fault.exit != Exit::Busy => {
                out::talk(&fault);
                told = fault.what;
            }
            Err(_) => {}
        }
        while !tick.passed() {
            if let Some(signal) = stop.pending() {
                return Ok(Exit::Signal(signal));
            }
            pause(tick.left().min(Duration::from_millis(50)));
        }
    }
}

fn start(world: &World, lock: &HealingLock, dir: &RunDir, id: &str, command: &[String]) -> Result<Child> {
    let (program, args) = command.split_first().ok_or_else(|| Fault::usage("no command given"))?;
    let mut cmd = Cmd::new(program);
    cmd.args(args)
        .env("OC_RUN_ID", id)
        .env("OC_RUN_DIR", dir.path())
        .env(LOCK_FD, lock.share()?.to_string())
        .env("OC_STATE_DIR", world.paths.watchdog())
        .env("OC_INSTANCE", world.instance());
    if let Some(config) = &world.common.config {
        cmd.env("OC_CONFIG", config);
    }
    // The steps lie beside us; cron and launchd do not have that directory on their PATH.
    if let Some(bin) = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.to_owned()))
    {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let dirs = std::iter::once(bin).chain(std::env::split_paths(&path));
        if let Ok(joined) = std::env::join_paths(dirs) {
            cmd.env("PATH", joined);
        }
    }
    cmd.spawn()
}

fn wait(mut child: Child, deadline: &Deadline, stop: &StopSignals) -> Ended {
    loop {
        if oc_core::proc::wait_exit(&mut child, deadline.left().min(Duration::from_millis(500))) {
            return child.wait().map_or(Ended::Code(255), Ended::from);
        }
        if let Some(signal) = stop.pending() {
            end_tree(&mut child, GRACE);
            return Ended::Signal(i32::from(signal));
        }
        if deadline.passed() {
            end_tree(&mut child, GRACE);
            return Ended::Deadline;
        }
    }
}

/// A pass that was killed left its files; they are evidence, so they are filed, and the journal says that it happened.
/// Its attempts were written before they were made (write-ahead), so nothing has to be guessed here.
fn close_abandoned(world: &World, dir: &RunDir) {
    let Some(record) = dir.record().filter(|r| r.exit.is_none()) else {
        return;
    };
    let text = format!("pass {} did not come to its end; this one goes on", record.id);
    let event = world
        .event(Kind::PassAbandoned, text)
        .with("pass", &record.id)
        .with("started", &record.started);
    world.journal.note(&event);
    let incident = decision(dir)
        .and_then(|d| d.incident)
        .unwrap_or_else(|| "abandoned".to_owned());
    if let Err(fault) = dir.file(&world.paths, &incident, &record.id) {
        out::talk(fault);
    }
}

/// The record of an AI session outlives only an oc-claude-pty that was killed; what that one watched over must not run on.
fn end_left_session(world: &World) {
    if !world.paths.agent_session().exists() {
        return;
    }
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("oc-claude-pty")))
        .filter(|path| path.is_file());
    let mut cmd = Cmd::new(beside.unwrap_or_else(|| "oc-claude-pty".into()));
    cmd.args(["stop", "--stale", "-q"])
        .env("OC_STATE_DIR", world.paths.watchdog())
        .env("OC_INSTANCE", world.instance());
    if let Err(fault) = cmd.run() {
        out::talk(fault);
    }
}

/// Keeps the files of a pass in which something was tried; where they are then.
fn file(world: &World, dir: &RunDir, run: &str) -> Option<RunDir> {
    let decision = decision(dir)?;
    let acted = decision.recorded && !matches!(decision.action, Action::None | Action::Hold);
    let incident = decision.incident.filter(|_| acted)?;
    dir.file(&world.paths, &incident, run).map_err(out::talk).ok()
}

fn decision(dir: &RunDir) -> Option<Decision> {
    let bytes = fsx::read_capped(&dir.path().join("decision.json"), 1 << 20).ok()??;
    serde_json::from_slice::<Envelope<Decision>>(&bytes)
        .ok()
        .map(|e| e.body)
}
