//! `supervise -- CMD`: sets up level 0 and runs it.

use crate::backend::embedded::naming_env;
use crate::cli::Supervise;
use crate::supervise::heal::Healer;
use crate::supervise::ready::Question;
use crate::supervise::rule::Rule;
use crate::supervise::{Plan, Supervisor};
use oc_core::config::Service;
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::proc::which;
use oc_core::run::Answer;
use oc_core::service::embedded::{Dir, Recipe};
use oc_core::world::World;
use oc_core::{fsx, lock, out};
use rustix::process::Signal;
use std::sync::Arc;

/// Runs until TERM or INT.
///
/// # Errors
/// 64 without a command, 127 when there is no such program, 75 when another supervisor is at work, 74 or 77 when the state
/// directory cannot be used.
pub fn run(world: &World, args: &Supervise) -> Result<Answer> {
    let service = &world.config.service;
    let mut command = if args.command.is_empty() {
        service.command.clone()
    } else {
        args.command.clone()
    };
    let program = command
        .first()
        .ok_or_else(|| Fault::usage("no command to supervise").hint("oc-guardian supervise -- openclaw gateway run"))?;
    let found = which(program).ok_or_else(|| {
        Fault::new(
            Exit::NotFound,
            format_args!("cannot run {program}: not found, or not executable"),
        )
        .hint(format_args!(
            "is its directory on PATH? ({})",
            std::env::var("PATH").unwrap_or_default()
        ))
    })?;
    // What is written down must mean the same program for cron, whose PATH is another.
    command[0] = found.to_string_lossy().into_owned();
    let plan = Plan {
        rule: Rule {
            step: service.supervise.backoff_step.get(),
            max: service.supervise.backoff_max.get(),
        },
        question: Question::of(world).map(Arc::new),
        stop_timeout: service.stop_timeout.get(),
        restart_signal: restart_signal(service),
        healer: (!args.no_heal).then(|| {
            Healer::new(
                world,
                args.every
                    .unwrap_or_else(|| world.config.policy.interval_embedded.get()),
            )
        }),
        command,
    };
    if world.common.dry_run {
        return Answer::new(
            "oc.guardian.supervise/1",
            Exit::Good,
            "planned",
            &serde_json::json!({"dry_run": true,
            "command": plan.command}),
        )
        .map(|a| a.text(format!("dry run: would keep running: {}\n", plan.command.join(" "))));
    }
    fsx::private_dir(world.paths.watchdog())?;
    let dir = Dir::of(&world.paths);
    fsx::private_dir(dir.path())?;
    let _lock =
        lock::claim(&dir.lock_path(), "this instance is supervised already: the lock").map_err(
            |fault| match fault.exit {
                Exit::Busy => fault.hint("see `oc-guardian status`"),
                _ => fault,
            },
        )?;
    // Without a recipe nobody could put us back, but the service is not kept down for that.
    if let Err(fault) = recipe(world, args, &plan.command).and_then(|recipe| dir.record(&recipe)) {
        out::talk(format_args!(
            "cannot record how to start this supervisor again: {fault}"
        ));
    }
    let exit = Supervisor::new(world, plan)?.run();
    Answer::new(
        "oc.guardian.supervise/1",
        exit,
        "ended",
        &serde_json::json!({"dry_run": false}),
    )
}

/// Only signals that a service can be expected to take as "restart". USR1 never: with OpenClaw it opens a debugger.
fn restart_signal(service: &Service) -> Option<Signal> {
    match service.restart_signal.as_deref()?.trim_start_matches("SIG") {
        "HUP" => Some(Signal::HUP),
        "USR2" => Some(Signal::USR2),
        other => {
            out::talk(format_args!(
                "service.restart_signal: {other} is not used; SIGHUP and SIGUSR2 are"
            ));
            None
        }
    }
}

fn recipe(world: &World, args: &Supervise, command: &[String]) -> Result<Recipe> {
    let own = std::env::current_exe().map_err(|e| Fault::new(Exit::Io, format_args!("cannot tell where I am: {e}")))?;
    let mut argv = vec![own.to_string_lossy().into_owned()];
    let path = |p: &std::path::Path| -> Result<String> {
        let absolute = std::path::absolute(p).map_err(|e| Fault::io("resolve", p, e))?;
        Ok(absolute.to_string_lossy().into_owned())
    };
    argv.extend(["--instance".to_owned(), world.instance().to_owned()]);
    argv.extend(["--state-dir".to_owned(), path(world.paths.watchdog())?]);
    if let Some(config) = &world.common.config {
        argv.extend(["--config".to_owned(), path(config)?]);
    }
    argv.push("supervise".to_owned());
    if args.no_heal {
        argv.push("--no-heal".to_owned());
    }
    if let Some(every) = args.every {
        argv.extend(["--every".to_owned(), format!("{}ms", every.as_millis())]);
    }
    argv.push("--".to_owned());
    argv.extend(command.iter().cloned());
    Ok(Recipe {
        argv,
        cwd: std::env::current_dir().unwrap_or_else(|_| world.paths.openclaw().to_owned()),
        env: naming_env(),
    })
}
