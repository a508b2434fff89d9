//! `exec -- CMD`: what launchd and systemd start instead of the service. It looks whether the configuration lets the service
//! run, waits when the last starts failed, and then becomes the service, so that the manager tracks that very process.

use crate::cli::Exec;
use crate::supervise::heal::forget_run;
use crate::supervise::rule::Rule;
use oc_core::clock::{Deadline, Stamp, pause};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::identity;
use oc_core::out;
use oc_core::proc::{Cmd, Ended, stop_signals, which};
use oc_core::report::ServiceExit;
use oc_core::run::Answer;
use oc_core::service::starts::Starts;
use oc_core::world::World;
use std::path::PathBuf;
use std::time::Duration;

/// `oc-doctor preflight` reads one file.
const PREFLIGHT: Duration = Duration::from_secs(10);
/// How often it is looked whether a wait is called off.
const LOOK: Duration = Duration::from_millis(100);

/// Becomes the command; returns only when it does not.
///
/// # Errors
/// 64 without a command, 78 when the service's configuration lets no start succeed, 127 or 126 when the command cannot be run.
pub fn run(world: &World, args: &Exec) -> Result<Answer> {
    let command = if args.command.is_empty() {
        &world.config.service.command
    } else {
        &args.command
    };
    let (program, words) = command
        .split_first()
        .ok_or_else(|| Fault::usage("no command to run").hint("oc-guardian exec -- openclaw gateway run"))?;
    let starts = next(world);
    let wait = rule(world).pause(starts.failed_in_a_row, &[]);
    if world.common.dry_run {
        let text = format!(
            "dry run: would wait {:.0} s, then run: {}\n",
            wait.as_secs_f64(),
            command.join(" ")
        );
        let body = serde_json::json!({"dry_run": true, "command": command, "wait_ms": u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "failed_in_a_row": starts.failed_in_a_row});
        return Ok(Answer::new("oc.guardian.exec/1", Exit::Good, "planned", &body)?.text(text));
    }
    preflight(world)?;
    hold(world, starts, wait)?;
    let mut cmd = Cmd::new(program);
    cmd.args(words);
    forget_run(&mut cmd);
    Err(cmd.exec())
}

fn rule(world: &World) -> Rule {
    let supervise = &world.config.service.supervise;
    Rule {
        step: supervise.backoff_step.get(),
        max: supervise.backoff_max.get(),
    }
}

/// What this start is: the next one of a row, or the first of a new row.
fn next(world: &World) -> Starts {
    let config = fingerprint(world);
    let failed_in_a_row = Starts::load(&world.paths).map_or(0, |last| {
        // Somebody repaired it, or at least tried something else.
        if last.config != config || !failed(world, &last) {
            0
        } else {
            last.failed_in_a_row.saturating_add(1)
        }
    });
    Starts {
        process: identity::own(),
        at: Stamp::now(),
        failed_in_a_row,
        waits_until: None,
        config,
    }
}

/// Whether the last start was one that was never ready, by the rule of level 0. When it ended is not known; that we are
/// started again is the latest possible time.
fn failed(world: &World, last: &Starts) -> bool {
    let ran = Stamp::now().since(&last.at);
    rule(world).failed_start(&ServiceExit {
        at: Stamp::now(),
        status: None,
        signal: None,
        was_ready: served(world).as_ref() == Some(&last.process),
        ran_ms: u64::try_from(ran.as_millis()).unwrap_or(u64::MAX),
    })
}

/// The process that a healing pass saw serving last.
fn served(world: &World) -> Option<identity::Identity> {
    [world.paths.carry(), world.paths.state()].iter().find_map(|path| {
        let bytes = oc_core::fsx::read_capped(path, 16 << 20).ok()??;
        let json: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
        let known = json.get("identity").or_else(|| json.get("served")?.get("identity"))?;
        serde_json::from_value(known.clone()).ok()
    })
}

/// Size and time of the service's configuration; the content is nothing that belongs into another file.
fn fingerprint(world: &World) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let meta = std::fs::metadata(world.paths.service_config()).ok()?;
    Some(format!(
        "{}-{}.{:09}-{}",
        meta.size(),
        meta.mtime(),
        meta.mtime_nsec(),
        meta.ino()
    ))
}

/// 78 only for what lets no start succeed. Whatever else is wrong, with our own files or with oc-doctor itself, keeps nothing
/// down.
fn preflight(world: &World) -> Result<()> {
    let Some(doctor) = doctor() else {
        out::talk("oc-doctor is not there; starting without a look at the configuration");
        return Ok(());
    };
    let mut cmd = Cmd::new(doctor);
    cmd.args(["--instance", world.instance(), "preflight"])
        .timeout(PREFLIGHT);
    forget_run(&mut cmd);
    match cmd.run() {
        Ok(output) if output.ended == Ended::Code(78) => {
            let said = output.stdout_text();
            let why = said
                .lines()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("see `oc-doctor check`");
            Err(Fault::config(format_args!(
                "the service is not started, its configuration does not let it run: {why}"
            ))
            .hint("`oc-doctor check` shows what is wrong, `oc-doctor fix` repairs it"))
        }
        Ok(output) if output.ended.success() => Ok(()),
        Ok(output) => {
            out::talk(format_args!(
                "going on without preflight: {:?} {}",
                output.ended,
                output.stderr_text().trim()
            ));
            Ok(())
        }
        Err(fault) => match fault.exit {
            Exit::Signal(_) => Err(fault),
            _ => {
                out::talk(format_args!("going on without preflight: {fault}"));
                Ok(())
            }
        },
    }
}

/// Notes the start and waits. A note that cannot be written costs the backoff, never the start.
fn hold(world: &World, mut starts: Starts, wait: Duration) -> Result<()> {
    if !wait.is_zero() {
        starts.waits_until = Some(starts.at.plus(wait).rfc3339());
        out::talk(format_args!(
            "{} starts in a row were never ready; waiting {:.0} s",
            starts.failed_in_a_row,
            wait.as_secs_f64()
        ));
    }
    let mut noted = note(world, &starts);
    if !noted {
        return Ok(());
    }
    let deadline = Deadline::after(wait);
    while !deadline.passed() && noted {
        if let Some(signal) = stop_signals().pending() {
            return Err(Fault::new(
                Exit::Signal(signal),
                format_args!("stopped by signal {signal}"),
            ));
        }
        pause(LOOK.min(deadline.left()));
        // Gone: somebody wants it to start now.
        noted = Starts::load(&world.paths).as_ref() == Some(&starts);
    }
    if !wait.is_zero() {
        starts.waits_until = None;
        if !noted {
            starts.failed_in_a_row = 0;
        }
        note(world, &starts);
    }
    Ok(())
}

fn note(world: &World, starts: &Starts) -> bool {
    match starts.save(&world.paths) {
        Ok(()) => true,
        Err(fault) => {
            out::talk(format_args!("starting at once: {fault}"));
            false
        }
    }
}

fn doctor() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok()?.parent()?.join("oc-doctor");
    which(&beside.to_string_lossy()).or_else(|| which("oc-doctor"))
}
