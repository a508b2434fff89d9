//! What every command works with: settings, places, the redactor, the journal.

use crate::channels::{self, Channel};
use crate::message::{Event, Message, Sealed, Severity};
use oc_core::clock::{Deadline, Stamp};
use oc_core::config::Config;
use oc_core::fault::Result;
use oc_core::journal::{self, Journal, Kind};
use oc_core::paths::Paths;
use oc_core::redact::Redactor;
use oc_core::run::Common;
use oc_core::world::World;
use std::sync::Arc;

/// See the module.
pub(crate) struct Desk {
    pub(crate) common: Common,
    pub(crate) config: Arc<Config>,
    pub(crate) paths: Paths,
    pub(crate) journal: Journal,
    pub(crate) redactor: Redactor,
    pub(crate) channels: Vec<Box<dyn Channel>>,
    pub(crate) now: Stamp,
    pub(crate) deadline: Deadline,
}

impl Desk {
    /// Goes on without what is wrong in our own files: that something is wrong there must not keep people from hearing.
    ///
    /// # Errors
    /// 64, 78 when nobody says where home is.
    pub(crate) fn open(common: &Common) -> Result<Self> {
        let world = World::open_whatever("oc-notify", common)?;
        let mut redactor = world.redactor().clone();
        let notify = &world.config.notify;
        // The last part of a webhook's address is its password; an API's error text may quote it alone.
        for (name, url) in [
            ("notify.discord.webhook_url", &notify.discord.webhook_url),
            ("notify.slack.webhook_url", &notify.slack.webhook_url),
            ("notify.heartbeat_url", &notify.heartbeat_url),
        ] {
            if let Some(part) = url
                .as_ref()
                .and_then(|url| url.expose().trim_end_matches('/').rsplit('/').next())
            {
                redactor.add(name, part);
            }
        }
        let (channels, complaints) = channels::configured(notify);
        complaints.iter().for_each(|c| oc_core::out::talk(redactor.redact(c)));
        let limit = common.deadline.unwrap_or_else(|| notify.timeout.get());
        Ok(Self {
            common: common.clone(),
            journal: world.journal,
            paths: world.paths,
            config: world.config,
            redactor,
            channels,
            now: Stamp::now(),
            deadline: Deadline::after(limit),
        })
    }

    /// A message of this instance that says nothing yet.
    pub(crate) fn blank(&self, event: Event, severity: Severity, key: &str) -> Message {
        Message {
            id: String::new(),
            key: format!("{}/{key}", self.paths.instance()),
            event,
            severity,
            title: String::new(),
            text: String::new(),
            facts: Vec::new(),
            at: self.now.rfc3339(),
            host: host(),
            instance: self.paths.instance().to_owned(),
            service: self.service(),
            class: None,
            incident: None,
        }
    }

    /// What the service is called in messages.
    pub(crate) fn service(&self) -> String {
        self.config
            .notify
            .service_name
            .clone()
            .unwrap_or_else(|| match self.config.service.kind {
                oc_core::config::Kind::Openclaw => "OpenClaw gateway".to_owned(),
                _ => self.paths.instance().to_owned(),
            })
    }

    pub(crate) fn seal(&self, message: Message) -> Sealed {
        message.seal(&self.redactor)
    }

    /// The names of the channels that a message of this severity goes to.
    pub(crate) fn route(&self, severity: Severity) -> Vec<&'static str> {
        let notify = &self.config.notify;
        let routes = match severity {
            Severity::Info => &notify.routes.info,
            Severity::Warning => &notify.routes.warning,
            Severity::Critical => &notify.routes.critical,
        };
        self.channels
            .iter()
            .map(|channel| channel.name())
            .filter(|name| routes.is_empty() || routes.iter().any(|r| r == name))
            .filter(|name| !notify.fallback.iter().any(|f| f == name) || notify.channels.iter().any(|c| c == name))
            .collect()
    }

    pub(crate) fn channel(&self, name: &str) -> Option<&dyn Channel> {
        self.channels
            .iter()
            .map(Box::as_ref)
            .find(|channel| channel.name() == name)
    }

    /// Adds a line to the record. A dry run leaves none.
    pub(crate) fn note(&self, kind: Kind, text: &str, with: &[(&str, serde_json::Value)]) {
        if self.common.dry_run {
            return;
        }
        let text = self.redactor.redact(text);
        let mut event = journal::Event::now(kind, "oc-notify", self.paths.instance(), text);
        for (key, value) in with {
            event = event.with(key, self.redactor.value(value));
        }
        self.journal.note(&event);
    }
}

/// This machine's name.
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
