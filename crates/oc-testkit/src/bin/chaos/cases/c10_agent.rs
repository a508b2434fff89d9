//! C10F.

use super::c2_required_key::C2F;
use crate::arena::{Arena, Result, broken};
use crate::case::{Case, On};
use crate::needs::Need;
use oc_testkit::messages_api::{MessagesApi, Script};
use serde_json::json;

pub(crate) const C10F: Case = Case {
    id: "C10f",
    fault: "the required key gateway.mode is deleted, and no remedy may mend it: the real Claude Code, with a stand-in for the model, proposes",
    on: On::Real,
    ci: false,
    needs: &[Need::Program("tmux"), Need::Claude],
    settings: || {
        json!({
            "agent": {"enabled": true},
            "doctor": {"own_doctor": false, "disabled_remedies": ["required_key", "restore", "minimal", "take_value"]},
        })
    },
    prepare: claude,
    actions: &["doctor start", "agent start"],
    most: 3,
    level: Some(3),
    // It was opened, the agent was called, it is healed.
    alerts: 0..=3,
    ..C2F
};

fn claude(arena: &mut Arena) -> Result<()> {
    let claude = oc_testkit::real::claude().ok_or_else(|| broken("no Claude Code"))?;
    let link = arena.env().path("bin/claude");
    std::os::unix::fs::symlink(claude, link).map_err(|e| broken(&e.to_string()))?;
    let api = MessagesApi::new(Script::puts_mode_back());
    arena.service.env.set("ANTHROPIC_BASE_URL", api.url());
    // It wants one that looks like one.
    arena
        .service
        .env
        .set("ANTHROPIC_API_KEY", "sk-ant-api03-Zx81kQ0vWmT5yB7nR2cJ4hL9pD3sF6gA");
    arena.kept.push(Box::new(api));
    Ok(())
}
