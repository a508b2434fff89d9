//! Section `notify`: who is told, and through what.

use super::{Secret, Span};
use serde::{Deserialize, Serialize};

/// Discord webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Discord {
    /// `https://discord.com/api/webhooks/ID/TOKEN`.
    pub webhook_url: Option<Secret>,
}

/// Slack incoming webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slack {
    /// `https://hooks.slack.com/services/T/B/X`.
    pub webhook_url: Option<Secret>,
}

/// Telegram bot.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telegram {
    /// From @BotFather.
    pub bot_token: Option<Secret>,
    /// The chat to write to.
    pub chat_id: Option<String>,
    /// A Bot API server of your own; `null` means `https://api.telegram.org`.
    pub api_url: Option<String>,
}

/// ntfy topic.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ntfy {
    /// Server and topic, such as `https://ntfy.sh/my-topic`.
    pub url: Option<Secret>,
    /// Access token.
    pub token: Option<Secret>,
}

/// Any JSON webhook.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhook {
    /// Where to POST.
    pub url: Option<Secret>,
    /// Key of the HMAC-SHA256 signature.
    pub hmac_secret: Option<Secret>,
}

/// Prometheus Alertmanager.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alertmanager {
    /// Base URL, such as `http://127.0.0.1:9093`.
    pub url: Option<String>,
}

/// Channels by severity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Routes {
    /// For what is good to know.
    pub info: Vec<String>,
    /// For what should be looked at.
    pub warning: Vec<String>,
    /// For what needs a person.
    pub critical: Vec<String>,
}

/// Section `notify`. A channel is in use when its address is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// Names of the channels to use, in this order; empty means all that are configured.
    pub channels: Vec<String>,
    /// Channels that are used only when none of the others took a message, in this order.
    pub fallback: Vec<String>,
    /// Which channels get which severity; an empty list means all of them.
    pub routes: Routes,
    /// Discord.
    pub discord: Discord,
    /// Slack.
    pub slack: Slack,
    /// Telegram.
    pub telegram: Telegram,
    /// ntfy.
    pub ntfy: Ntfy,
    /// Any JSON webhook.
    pub webhook: Webhook,
    /// Alertmanager.
    pub alertmanager: Alertmanager,
    /// Program and arguments; the message comes as JSON on its standard input. Empty for none.
    pub exec: Vec<String>,
    /// Notifications on the desktop of this machine.
    pub desktop: bool,
    /// Total time for one delivery.
    pub timeout: Span,
    /// How long an incident must last before its opening is told.
    pub opened_after: Span,
    /// Pause between reminders of an incident that needs a person.
    pub reminder: Span,
    /// How many reminders come at that pause before they become daily ones.
    pub reminders: u32,
    /// Nothing is sent for this long after the machine woke: the network and the service are still coming back.
    pub quiet_after_wake: Span,
    /// Most messages within ten minutes, beside those that need a person; the rest is told in one summary.
    pub storm_limit: u32,
    /// What the service is called in messages.
    pub service_name: Option<String>,
    /// Dead-man's switch that is pinged at every guardian pass.
    pub heartbeat_url: Option<Secret>,
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            channels: Vec::new(),
            fallback: Vec::new(),
            routes: Routes::default(),
            discord: Discord::default(),
            slack: Slack::default(),
            telegram: Telegram::default(),
            ntfy: Ntfy::default(),
            webhook: Webhook::default(),
            alertmanager: Alertmanager::default(),
            exec: Vec::new(),
            desktop: false,
            timeout: Span::secs(10),
            opened_after: Span::secs(90),
            reminder: Span::hours(4),
            reminders: 3,
            quiet_after_wake: Span::mins(5),
            storm_limit: 10,
            service_name: None,
            heartbeat_url: None,
        }
    }
}
