//! The AI doctor, where its use was agreed to: the program, its login, tmux.

use super::Line;
use oc_core::config::{Agent, Driver};
use oc_core::proc::{Cmd, Ended, which};
use oc_core::world::World;
use std::time::Duration;

pub(super) fn check(world: &World) -> Vec<Line> {
    let agent = &world.config.agent;
    if !agent.enabled {
        return vec![Line::skip(
            "agent",
            "off: the ladder ends with a message to a human (agent.enabled turns it on)",
        )];
    }
    let mut lines: Vec<Line> = agent.agents.iter().map(|name| program(agent, name)).collect();
    if agent.driver == Driver::Tmux {
        lines.push(tmux());
    }
    if which("oc-claude-pty").is_none() && beside("oc-claude-pty").is_none() {
        lines.push(Line::fail("tools", "oc-claude-pty is not there", "make install"));
    }
    lines
}

fn beside(tool: &str) -> Option<std::path::PathBuf> {
    which(&std::env::current_exe().ok()?.parent()?.join(tool).to_string_lossy())
}

fn program(agent: &Agent, name: &str) -> Line {
    let command = agent.commands.get(name).and_then(|words| words.first());
    let program = command.map_or(name, String::as_str);
    let Some(path) = which(program) else {
        return Line::fail(
            "agent",
            format!("{program} is not on PATH"),
            format!("install it, or take {name} out of agent.agents"),
        );
    };
    if name != "claude" {
        return Line::ok(
            "agent",
            format!("{} (whether it is signed in cannot be told)", path.display()),
        );
    }
    let mut cmd = Cmd::new(&path);
    cmd.args(["auth", "status"]).timeout(Duration::from_secs(15));
    if let Some(key) = &agent.anthropic_api_key {
        cmd.env("ANTHROPIC_API_KEY", key.expose());
    }
    match cmd.run().map(|output| output.ended) {
        Ok(Ended::Code(0)) => Line::ok("agent", format!("{}, signed in", path.display())),
        Ok(Ended::Code(1)) => Line::fail(
            "agent",
            format!("{} is not signed in", path.display()),
            "claude auth login, or ANTHROPIC_API_KEY in ~/.openclaw/.env",
        ),
        _ => Line::warn(
            "agent",
            format!("{} does not say whether it is signed in", path.display()),
            "claude auth status",
        ),
    }
}

fn tmux() -> Line {
    let install = if cfg!(target_os = "macos") {
        "brew install tmux"
    } else {
        "apt-get install tmux"
    };
    match Cmd::new("tmux").args(["-V"]).timeout(Duration::from_secs(5)).run() {
        Ok(output) if output.ended.success() => Line::ok("tmux", output.stdout_text().trim().to_owned()),
        _ => Line::fail("tmux", "tmux is not there, and agent.driver needs it", install),
    }
}
