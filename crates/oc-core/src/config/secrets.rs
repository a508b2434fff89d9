//! Every secret value that this process can know, for the redactor.

use super::{Config, Env, Loaded, Secret};
use crate::fsx;
use crate::redact::{Redactor, is_secret_name, named_values};

/// The service's configuration is read up to here.
const CAP: u64 = 8 << 20;

impl Config {
    /// The secrets of the configuration by dotted key, as far as they are set.
    #[must_use]
    pub fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        let notify = &self.notify;
        [
            ("probe.token", &self.probe.token),
            ("agent.anthropic_api_key", &self.agent.anthropic_api_key),
            ("notify.discord.webhook_url", &notify.discord.webhook_url),
            ("notify.slack.webhook_url", &notify.slack.webhook_url),
            ("notify.telegram.bot_token", &notify.telegram.bot_token),
            ("notify.ntfy.url", &notify.ntfy.url),
            ("notify.ntfy.token", &notify.ntfy.token),
            ("notify.webhook.url", &notify.webhook.url),
            ("notify.webhook.hmac_secret", &notify.webhook.hmac_secret),
            ("notify.heartbeat_url", &notify.heartbeat_url),
        ]
        .into_iter()
        .filter_map(|(key, secret)| Some((key, secret.as_ref()?)))
        .collect()
    }
}

impl Loaded {
    /// What `.env` says for a name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Secret> {
        self.dotenv
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value)
    }

    /// A redactor that knows the exact secrets of config.json, `.env`, the environment and the service's configuration
    /// (which is read for that; a broken one too). Build it when there is something to redact, not at every start.
    #[must_use]
    pub fn redactor(&self, env: &Env) -> Redactor {
        let mut redactor = Redactor::patterns();
        for (name, value) in &self.dotenv {
            let value = value.expose();
            if is_secret_name(name) || looks_random(value) {
                redactor.add(name, value);
            }
        }
        for (name, value) in env.texts().filter(|(name, _)| is_secret_name(name)) {
            redactor.add(name, value);
        }
        for (key, secret) in self.config.secrets() {
            redactor.add(key, secret.expose());
        }
        for instance in self.config.instances.values() {
            for (key, value) in instance.secrets() {
                redactor.add(key, value);
            }
        }
        let service = fsx::read_capped(self.paths.service_config(), CAP)
            .ok()
            .flatten()
            .unwrap_or_default();
        for (name, value) in named_values(&String::from_utf8_lossy(&service)) {
            redactor.add(name, value);
            // As the program sees it, without the escapes of the file.
            if let Ok(plain) = serde_json::from_str::<String>(&format!("\"{value}\"")) {
                redactor.add(name, &plain);
            }
        }
        redactor
    }
}

/// A value that nobody would write but a generator, under whatever name it stands in `.env`.
fn looks_random(value: &str) -> bool {
    value.len() >= 16
        && !value.starts_with(['/', '~', '$'])
        && !value.contains("://")
        && !value.contains(char::is_whitespace)
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}
