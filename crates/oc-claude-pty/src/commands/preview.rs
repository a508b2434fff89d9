//! `run --dry-run`: what would be started, with which rights.

use super::run::{Ask, millis};
use crate::environment;
use crate::fence::Fence;
use oc_core::config::Driver;
use oc_core::fault::Result;
use oc_core::run::Answer;
use oc_core::{Exit, proc};
use serde_json::json;
use std::path::Path;

impl Ask<'_> {
    /// What would be started. Starts nothing, writes nothing.
    pub(super) fn preview(&self) -> Result<Answer> {
        let fence = Fence::new(&self.dir, &[]);
        let scratch = Path::new("SESSION");
        let places = self.places(scratch);
        let agents: Vec<_> = self
            .agents
            .iter()
            .map(|agent| {
                let names: Vec<String> = environment::of(self.world, agent)
                    .into_iter()
                    .map(|(name, _)| name)
                    .collect();
                json!({"agent": agent.name, "argv": agent.argv(self.driver, &places), "environment": names,
                    "found": proc::which(agent.program())})
            })
            .collect();
        let mut text = format!(
            "driver: {}\n",
            if self.driver == Driver::Tmux {
                "tmux"
            } else {
                "headless"
            }
        );
        for agent in &agents {
            let words: Vec<&str> = agent["argv"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|w| w.as_str())
                .collect();
            text.push_str(&format!(
                "{}: {}\n",
                agent["agent"].as_str().unwrap_or_default(),
                words.join(" ")
            ));
        }
        text.push_str(&format!("allowed:\n  {}\n", fence.allow().join("\n  ")));
        let body = json!({"outcome": "dry_run", "driver": self.driver, "agents": agents, "allow": fence.allow(),
            "incident": self.dir, "deadline_ms": millis(self.bounds.deadline.left()), "turns": self.bounds.turns,
            "usd": self.bounds.usd, "consent": self.world.config.agent.enabled, "dry_run": true});
        Ok(Answer::new("oc.agent-preview/1", Exit::Good, "planned", &body)?.text(text))
    }
}
