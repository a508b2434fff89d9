//! config.json and everything that may overrule it: flag > environment > `.env` > config.json > default.

mod agent;
mod doctor;
mod dotenv;
mod env;
mod instances;
mod layers;
mod lean;
mod load;
mod names;
mod notify;
mod origin;
mod policy;
mod probe;
mod report;
mod secret;
mod secrets;
mod service;
mod size;
mod source;
mod span;
mod stamp;
mod url;
mod validate;

pub use agent::{Agent, Driver};
pub use doctor::{Docker, Doctor, Network, Preflight};
pub use env::Env;
pub use instances::Instance;
pub use load::{Loaded, Request};
pub use notify::{Alertmanager, Discord, Notify, Ntfy, Routes, Slack, Telegram, Webhook};
pub use origin::{Origin, Origins};
pub use policy::{
    AgentBounds, Backoff, Flapping, HealthyAgain, Hold, KillBound, Ladder, MemoryPolicy, Policy, RestartBound, Warn,
};
pub use probe::{Deep, DeepAction, Expect, Leak, MaxAge, Probe};
pub use report::{Digest, Report};
pub use secret::Secret;
pub use service::{ConfigType, Kind, Manager, Service, Supervise};
pub use size::Size;
pub use span::Span;
pub use validate::SCHEMA;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The language of messages to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

/// The whole configuration of one instance. `Config::default()` is complete: an empty or absent config.json works.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `en` or `ko`.
    pub language: Language,
    /// What is kept alive, and who starts it.
    pub service: Service,
    /// What counts as healthy.
    pub probe: Probe,
    /// When to act, how often, and when to leave it alone.
    pub policy: Policy,
    /// Repairs of configuration and surroundings.
    pub doctor: Doctor,
    /// The AI doctor.
    pub agent: Agent,
    /// Who is told, and through what.
    pub notify: Notify,
    /// What is kept and shown.
    pub report: Report,
    /// Further instances by name.
    pub instances: BTreeMap<String, Instance>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_at_all_is_a_complete_configuration() {
        assert_eq!(serde_json::from_str::<Config>("{}").unwrap(), Config::default());
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = serde_json::to_string(&Config::default()).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
    }
}
