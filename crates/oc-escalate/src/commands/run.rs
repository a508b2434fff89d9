//! `run [--every T] [--all] -- CMD`.

use crate::chain;
use oc_core::clock::Deadline;
use oc_core::config::Config;
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::out;
use oc_core::proc::{Cmd, end_tree, stop_signals, wait_exit};
use oc_core::run::{Answer, Common};
use oc_core::world::World;
use serde_json::json;
use std::time::Duration;

/// A pass that takes longer than this is ended.
const PASS_DEADLINE: Duration = Duration::from_secs(20 * 60);

/// Runs CMD as the one healing; answers with its exit code.
///
/// # Errors
/// 75 when another healing holds the lock; 74, 77, 78; 126 or 127 when CMD cannot be run.
pub fn run(common: &Common, every: Option<Duration>, all: bool, command: &[String]) -> Result<Answer> {
    let world = World::open("oc-escalate", common, true)?;
    let limit = common.deadline.unwrap_or(PASS_DEADLINE);
    let exit = if common.dry_run {
        out::talk(format_args!(
            "would run as the one healing of {}: {}",
            world.instance(),
            command.join(" ")
        ));
        Exit::Good
    } else if all {
        every_instance(&world.config, every, limit, command)?
    } else if let Some(interval) = every {
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

/// One child of ours for each instance, side by side: a slow one delays nobody. The worst code wins; "busy" is no worse
/// than what that other healing will say itself.
fn every_instance(config: &Config, every: Option<Duration>, limit: Duration, command: &[String]) -> Result<Exit> {
    let stop = stop_signals();
    let me = std::env::current_exe().map_err(|e| oc_core::Fault::internal(format_args!("who am I? {e}")))?;
    let mut children = Vec::new();
    for name in config.instance_names() {
        let mut cmd = Cmd::new(&me);
        cmd.args([
            "run",
            "--instance",
            name,
            "--deadline",
            &format!("{}s", limit.as_secs().max(1)),
        ]);
        if let Some(interval) = every {
            cmd.args(["--every", &format!("{}ms", interval.as_millis())]);
        }
        // These speak of one instance only.
        cmd.env_remove("OC_STATE_DIR")
            .env_remove("OC_INSTANCE")
            .args(["--"])
            .args(command);
        children.push(cmd.spawn()?);
    }
    // Each child ends itself at its deadline; ours is a margin later.
    let deadline = Deadline::after(limit.saturating_add(Duration::from_secs(60)));
    let mut worst = Exit::Good;
    for mut child in children {
        let left = if every.is_some() {
            Duration::MAX
        } else {
            deadline.left()
        };
        let mut ended = wait_exit(&mut child, left);
        while !ended && every.is_some() && stop.pending().is_none() {
            ended = wait_exit(&mut child, Duration::from_secs(3600));
        }
        let exit = if ended {
            child
                .wait()
                .map_or(Exit::Internal, |status| oc_core::proc::Ended::from(status).exit())
        } else {
            end_tree(&mut child, Duration::from_secs(10)).exit()
        };
        if exit.code() != Exit::Busy.code() && exit.code() > worst.code() {
            worst = exit;
        }
    }
    Ok(worst)
}
