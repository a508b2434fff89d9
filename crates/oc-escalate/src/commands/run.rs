//! `run [--every T] [--all [--jobs N]] -- CMD`.

use crate::chain;
use crate::cli::Run;
use oc_core::config::Config;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::out;
use oc_core::proc::{Cmd, end_tree, stop_signals, wait_exit};
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::json;
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

/// A pass that takes longer than this is ended.
const PASS_DEADLINE: Duration = Duration::from_secs(20 * 60);

/// Runs CMD as the one healing; answers with its exit code.
///
/// # Errors
/// 75 when another healing holds the lock; 74, 77, 78; 126 or 127 when CMD cannot be run.
pub(crate) fn run(common: &Common, request: &Run) -> Result<Answer> {
    let command = &request.command;
    let world = World::open("oc-escalate", common, true)?;
    let limit = common.deadline.unwrap_or(PASS_DEADLINE);
    let exit = if common.dry_run {
        out::talk(format_args!(
            "would run as the one healing of {}: {}",
            world.instance(),
            command.join(" ")
        ));
        Exit::Good
    } else if request.all {
        every_instance(request, &world.config, limit)?
    } else if let Some(interval) = request.every {
        chain::every(&world, command, limit, interval)?
    } else {
        chain::once(&world, command, limit)?
    };
    Answer::new(
        "oc.run/1",
        exit,
        "ended",
        &json!({"command": command, "dry_run": common.dry_run}),
    )
}

/// One child of ours for each instance: so many at a time that a thousand do not fall over the machine at once, and a slow one
/// takes one place only. Those of `every` stay for ever, hence all have a place. The worst code wins; "busy" is no worse than
/// what that other healing will say itself.
fn every_instance(request: &Run, config: &Config, limit: Duration) -> Result<Exit> {
    let stop = stop_signals();
    let me = std::env::current_exe().map_err(|e| oc_core::Fault::internal(format_args!("who am I? {e}")))?;
    let names = config.instance_names();
    let places = match request.every {
        Some(_) => names.len(),
        None => names.len().min(usize::from(request.jobs)),
    };
    let (next, worst) = (AtomicUsize::new(0), AtomicU8::new(Exit::Good.code()));
    std::thread::scope(|scope| {
        for _ in 0..places {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed))
                    && stop.pending().is_none()
                {
                    let exit = one_instance(request, &me, name, limit).unwrap_or_else(|fault| {
                        out::talk(format_args!("{name}: {fault}"));
                        fault.exit
                    });
                    if exit.code() != Exit::Busy.code() {
                        worst.fetch_max(exit.code(), Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Ok(stop.pending().map_or(Exit::Child(worst.into_inner()), Exit::Signal))
}

fn one_instance(request: &Run, me: &Path, name: &str, limit: Duration) -> Result<Exit> {
    let mut cmd = Cmd::new(me);
    cmd.args([
        "run",
        "--instance",
        name,
        "--deadline",
        &format!("{}s", limit.as_secs().max(1)),
    ]);
    if let Some(interval) = request.every {
        cmd.args(["--every", &format!("{}ms", interval.as_millis())]);
    }
    // These speak of one instance only.
    cmd.env_remove("OC_STATE_DIR")
        .env_remove("OC_INSTANCE")
        .args(["--"])
        .args(&request.command);
    let mut child = cmd.spawn()?;
    // It ends itself at its deadline; ours is a margin later.
    let patience = match request.every {
        Some(_) => Duration::MAX,
        None => limit.saturating_add(Duration::from_secs(60)),
    };
    if !wait_exit(&mut child, patience) {
        return Ok(end_tree(&mut child, Duration::from_secs(10)).exit());
    }
    Ok(child
        .wait()
        .map_or(Exit::Internal, |status| oc_core::proc::Ended::from(status).exit()))
}
