//! Is there anybody to tell?

use super::Line;
use oc_core::world::World;

pub(super) fn check(world: &World) -> Line {
    let n = &world.config.notify;
    let channels = [
        ("discord", n.discord.webhook_url.is_some()),
        ("slack", n.slack.webhook_url.is_some()),
        (
            "telegram",
            n.telegram.bot_token.is_some() && n.telegram.chat_id.is_some(),
        ),
        ("ntfy", n.ntfy.url.is_some()),
        ("webhook", n.webhook.url.is_some()),
        ("alertmanager", n.alertmanager.url.is_some()),
        ("exec", !n.exec.is_empty()),
        ("desktop", n.desktop),
    ];
    let set: Vec<&str> = channels.iter().filter(|(_, set)| *set).map(|(name, _)| *name).collect();
    let unknown: Vec<&String> = n.channels.iter().filter(|name| !set.contains(&name.as_str())).collect();
    match (set.is_empty(), unknown.first()) {
        (true, _) => Line::warn(
            "notify",
            "nobody is told: no channel is configured",
            format!(
                "echo DISCORD_WEBHOOK_URL=... >>{}; oc-notify test",
                world.paths.dotenv().display()
            ),
        ),
        (false, Some(name)) => Line::fail(
            "notify",
            format!("notify.channels names {name}, which is not configured"),
            "oc-notify test",
        ),
        // Whether it arrives is for a person to see.
        (false, None) => Line::ok(
            "notify",
            format!("{} (oc-notify test sends one message)", set.join(", ")),
        ),
    }
}
