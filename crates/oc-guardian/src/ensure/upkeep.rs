//! What a healthy pass is too cheap to do, done at each visit of the guardian. (`supervise` does the same by its own clock.)

use crate::supervise::heal::{UPKEEP, beside, forget_run, path_with_tools, program};
use oc_core::exit::Exit;
use oc_core::fault::Result;
use oc_core::proc::{Cmd, Ended};
use oc_core::world::World;
use std::path::Path;
use std::time::Duration;

/// A pass ends itself after 20 min.
const PASS: Duration = Duration::from_secs(21 * 60);
/// One of the small jobs; oc-notify alone has 10 s for its deliveries.
const JOB: Duration = Duration::from_secs(60);

/// One pass of oc-heal, waited for; its exit.
///
/// # Errors
/// 126 or 127 when it cannot be run.
pub fn heal(world: &World) -> Result<Exit> {
    let mut cmd = command(world, &program());
    // A pass ends what it started before it ends itself.
    cmd.timeout(PASS).grace(Duration::from_secs(20));
    let output = cmd.run()?;
    let said = output.stderr_text();
    if !said.trim().is_empty() {
        oc_core::out::talk(said.trim());
    }
    Ok(output.ended.exit())
}

/// Snapshots, the heartbeat with our own answer, metrics: by the tools that are installed.
pub fn jobs(world: &World, answer: Exit) {
    for (tool, args, _) in UPKEEP {
        let Some(path) = beside(tool) else { continue };
        let mut cmd = command(world, &path);
        cmd.args(args).timeout(JOB);
        if tool == "oc-notify" {
            cmd.args(["--status", &answer.code().to_string()]);
        }
        match cmd.run() {
            Ok(output) if output.ended == Ended::Deadline => {
                oc_core::out::talk(format_args!("{tool} was not done within {} s", JOB.as_secs()));
            }
            Ok(_) => {}
            Err(fault) => oc_core::out::talk(&fault),
        }
    }
}

fn command(world: &World, program: &Path) -> Cmd {
    let mut cmd = Cmd::new(program);
    forget_run(&mut cmd);
    cmd.env("OC_STATE_DIR", world.paths.watchdog())
        .env("OC_INSTANCE", world.instance());
    if let Some(config) = world.common.config.as_ref().and_then(|c| std::path::absolute(c).ok()) {
        cmd.env("OC_CONFIG", config);
    }
    if let Some(path) = path_with_tools() {
        cmd.env("PATH", path);
    }
    cmd
}
