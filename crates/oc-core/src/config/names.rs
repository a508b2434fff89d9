//! Environment names: what each sets, in the environment and in `.env` alike. Most are the predecessor's or OpenClaw's own,
//! and keep working.

use super::{Size, Span};
use serde_json::Value;

/// How the text of a variable becomes a value of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// One of the service managers.
    Manager,
    /// A length of time; a bare number means seconds.
    Seconds,
    Hours,
    Megabytes,
    Count,
    /// Replaces the port of `probe.url`.
    Port,
    /// A port on the loopback address.
    Listen,
    /// Comma-separated.
    List,
    /// The predecessor's provider, as the first of our agents.
    Provider,
    /// A program, as the command of the agent `claude`.
    ClaudeProgram,
}

/// One environment name.
pub(super) struct Name {
    pub(super) name: &'static str,
    /// Dotted key; empty when the name has no counterpart and `remark` says why.
    pub(super) key: &'static str,
    pub(super) form: Form,
    /// About one instance: never taken over by another.
    pub(super) own: bool,
    /// About the OpenClaw gateway, hence not for a generic service.
    pub(super) openclaw: bool,
    /// The value in the predecessor's `.env.example`, where it would do harm here. Who copied that file made no choice:
    /// in `.env` this value is passed over. In the environment it counts.
    pub(super) shipped: &'static str,
    pub(super) remark: &'static str,
}

const fn name(name: &'static str, key: &'static str, form: Form) -> Name {
    Name {
        name,
        key,
        form,
        own: false,
        openclaw: false,
        shipped: "",
        remark: "",
    }
}

const fn gateway(name: &'static str, key: &'static str, form: Form) -> Name {
    Name {
        name,
        key,
        form,
        own: true,
        openclaw: true,
        shipped: "",
        remark: "",
    }
}

const fn unless(shipped: &'static str, row: Name) -> Name {
    Name { shipped, ..row }
}

const fn none(name: &'static str, remark: &'static str) -> Name {
    Name {
        name,
        key: "",
        form: Form::Text,
        own: false,
        openclaw: false,
        shipped: "",
        remark,
    }
}

/// Every name we read, the stronger of two for one key later. (Places, `OPENCLAW_STATE_DIR` and the like, are in
/// [`crate::paths`].)
pub(super) const NAMES: &[Name] = &[
    gateway("OPENCLAW_GATEWAY_URL", "probe.url", Form::Text),
    gateway("OPENCLAW_GATEWAY_PORT", "probe.url", Form::Port),
    gateway("OPENCLAW_GATEWAY_TOKEN", "probe.token", Form::Text),
    gateway("OPENCLAW_LAUNCHD_LABEL", "service.label", Form::Text),
    gateway("OPENCLAW_SYSTEMD_UNIT", "service.unit", Form::Text),
    name("OC_SERVICE_MANAGER", "service.manager", Form::Manager),
    name("HEALTH_CHECK_HTTP_TIMEOUT", "probe.timeout", Form::Seconds),
    name("OPENCLAW_WATCHDOG_HEALTH_TIMEOUT", "probe.timeout", Form::Seconds),
    name("HEALTH_CHECK_MAX_RETRIES", "probe.tries", Form::Count),
    // 30 s between restarts there; between the tries of one pass it would delay every healing by a minute.
    unless("30", name("HEALTH_CHECK_RETRY_DELAY", "probe.interval", Form::Seconds)),
    name("OPENCLAW_WATCHDOG_MEMORY_WARN_MB", "probe.memory_warn", Form::Megabytes),
    name(
        "OPENCLAW_WATCHDOG_MEMORY_CRITICAL_MB",
        "probe.memory_limit",
        Form::Megabytes,
    ),
    name(
        "OPENCLAW_WATCHDOG_CRASH_DECAY_HOURS",
        "policy.backoff.window",
        Form::Hours,
    ),
    // Six restarts before the doctor would be 20 minutes of outage.
    unless(
        "6",
        name(
            "OPENCLAW_WATCHDOG_MAX_RETRIES",
            "policy.ladder.restarts_before_doctor",
            Form::Count,
        ),
    ),
    // Longer than a whole pass may last.
    unless(
        "1800",
        name("EMERGENCY_RECOVERY_TIMEOUT", "agent.deadline", Form::Seconds),
    ),
    name("ANTHROPIC_API_KEY", "agent.anthropic_api_key", Form::Text),
    name("OPENCLAW_LLM_PROVIDER", "agent.agents", Form::Provider),
    name("OPENCLAW_LLM_MODEL", "agent.model", Form::Text),
    name("OPENCLAW_CLAUDE_BIN", "agent.commands.claude", Form::ClaudeProgram),
    name("NOTIFICATION_CHANNEL", "notify.channels", Form::List),
    name("DISCORD_WEBHOOK_URL", "notify.discord.webhook_url", Form::Text),
    name("SLACK_WEBHOOK_URL", "notify.slack.webhook_url", Form::Text),
    name("TELEGRAM_BOT_TOKEN", "notify.telegram.bot_token", Form::Text),
    name("TELEGRAM_CHAT_ID", "notify.telegram.chat_id", Form::Text),
    name("OPENCLAW_METRICS_PORT", "report.listen", Form::Listen),
    none(
        "HEALTH_CHECK_ESCALATION_WAIT",
        "policy.ladder decides by attempts, not by waiting",
    ),
    none(
        "OPENCLAW_WATCHDOG_ESCALATE_TO_L3_AFTER",
        "policy.ladder decides by attempts, not by waiting",
    ),
    none(
        "OPENCLAW_MEMORY_DIR",
        "reports are in the watchdog directory, under incidents",
    ),
    none(
        "EMERGENCY_ALERT_WINDOW",
        "an alert waits in the outbox until it is delivered",
    ),
    none(
        "CLAUDE_WORKSPACE_TRUST_TIMEOUT",
        "the agent's dialogs are recognised, not waited for",
    ),
    none("CLAUDE_STARTUP_WAIT", "the agent's start is proved, not waited for"),
    none(
        "WORKSPACE_TRUST_CONFIRM_WAIT",
        "the agent's dialogs are recognised, not waited for",
    ),
];

/// Keys whose values are secret or personal, and where a placeholder of an example file means "not set".
pub(super) const SECRET_KEYS: &[&str] = &[
    "probe.token",
    "agent.anthropic_api_key",
    "notify.discord.webhook_url",
    "notify.slack.webhook_url",
    "notify.telegram.bot_token",
    "notify.telegram.chat_id",
    "notify.ntfy.url",
    "notify.ntfy.token",
    "notify.webhook.url",
    "notify.webhook.hmac_secret",
    "notify.heartbeat_url",
];

/// True for what example files put where a value belongs.
pub(super) fn is_placeholder(value: &str) -> bool {
    let lower = value.trim().to_ascii_lowercase();
    lower.is_empty()
        || lower.starts_with("your_")
        || lower.starts_with("your-")
        || lower.contains("/your_")
        || lower.contains("/your/")
        || lower.contains("/your-")
        || lower.contains("...")
        || (lower.starts_with('<') && lower.ends_with('>'))
        || matches!(
            lower.as_str(),
            "changeme" | "change-me" | "xxx" | "todo" | "none" | "null"
        )
}

impl Form {
    /// The value for the configuration, or what was expected instead. Never repeats the text: it may be a secret that was
    /// put into the wrong variable.
    pub(super) fn read(self, text: &str) -> Result<Value, &'static str> {
        let text = text.trim();
        match self {
            Self::Text => Ok(text.into()),
            Self::Manager => match text {
                "auto" | "launchd" | "systemd" | "embedded" => Ok(text.into()),
                _ => Err("auto, launchd, systemd or embedded"),
            },
            Self::Seconds => text
                .parse::<Span>()
                .map(|span| span.to_string().into())
                .map_err(|_| "a number of seconds, or a length of time like \"30s\""),
            Self::Hours => {
                let hours: u64 = text.parse().map_err(|_| "a number of hours")?;
                let seconds = hours.checked_mul(3600).ok_or("a number of hours")?;
                Ok(Span::secs(seconds).to_string().into())
            }
            Self::Megabytes => {
                let megabytes: u64 = text.parse().map_err(|_| "a number of megabytes")?;
                let bytes = megabytes.checked_mul(1 << 20).ok_or("a number of megabytes")?;
                Ok(Size::bytes(bytes).to_string().into())
            }
            Self::Count => text
                .parse::<u32>()
                .ok()
                .filter(|n| (1..=100).contains(n))
                .map(Value::from)
                .ok_or("a number from 1 to 100"),
            Self::Port | Self::Listen => {
                let port = text.parse::<u16>().ok().filter(|port| *port != 0);
                let port = port.ok_or("a port from 1 to 65535")?;
                Ok(match self {
                    Self::Listen => format!("127.0.0.1:{port}").into(),
                    _ => port.into(),
                })
            }
            Self::List => Ok(text
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .map(|word| Value::from(word.to_ascii_lowercase()))
                .collect()),
            Self::Provider => Ok(Value::from(vec![match text {
                "openai" => "codex",
                other => other,
            }])),
            Self::ClaudeProgram => Ok(Value::from(vec![text])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_files_placeholders_are_not_values() {
        for text in [
            "https://discord.com/api/webhooks/YOUR_WEBHOOK_ID/YOUR_WEBHOOK_TOKEN",
            "https://hooks.slack.com/services/YOUR/SLACK/WEBHOOK_PATH",
            "YOUR_BOT_TOKEN",
            "YOUR_CHAT_ID",
            "your_gateway_token",
            "sk-...",
            "<token>",
            "",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["https://discord.com/api/webhooks/123/aYOURb", "-100123", "sk-ant-abc"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn values_in_the_predecessors_units() {
        assert_eq!(Form::Seconds.read("90"), Ok("1m 30s".into()));
        assert_eq!(Form::Hours.read("6"), Ok("6h".into()));
        assert_eq!(Form::Megabytes.read("1536"), Ok("1536MB".into()));
        assert_eq!(Form::Port.read("18800"), Ok(18800.into()));
        assert!(Form::Port.read("0").is_err() && Form::Port.read("65536").is_err());
        assert!(Form::Count.read("0").is_err() && Form::Hours.read("99999999999999999999").is_err());
        assert_eq!(
            Form::List.read("Discord, slack"),
            Ok(serde_json::json!(["discord", "slack"]))
        );
    }
}
