//! What is looked at: one instance with its settings, as the flags changed them.

use crate::cli::{CheckName, Cli};
use oc_core::config::{Config, Env, Loaded, Span};
use oc_core::fault::Result;
use oc_core::http::Target;
use oc_core::paths::{DEFAULT_INSTANCE, Paths, Places};
use oc_core::redact::Redactor;
use oc_core::report::ManagerKind;
use oc_core::{service, world};
use std::sync::Arc;

/// One instance.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Where everything lies.
    pub paths: Paths,
    /// Every setting.
    pub config: Arc<Config>,
    /// Where the service answers.
    pub target: Target,
    /// The settings with all their sources.
    loaded: Loaded,
    /// Checks asked for by name; empty means all that are of use.
    named: Vec<CheckName>,
}

impl Subject {
    /// Loads one instance: the named one, else the one that the flags mean.
    ///
    /// # Errors
    /// 78 when our configuration is wrong, 64 for a bad instance name, 74 or 77 when it cannot be read.
    pub fn open(cli: &Cli, name: Option<&str>) -> Result<Self> {
        let mut request = world::request(&cli.common, false);
        if let Some(name) = name {
            // The environment and --state-dir speak about the one instance that a command is about.
            let enumerated = name != DEFAULT_INSTANCE;
            request.places = Places {
                instance: Some(name.to_owned()),
                state_dir: request.places.state_dir.filter(|_| !enumerated),
                enumerated,
                ..Places::default()
            };
        }
        if let Some(timeout) = cli.common.timeout {
            let value = Span::from(timeout).to_string().into();
            request.flags.push(("--timeout", "probe.timeout", value));
        }
        let loaded = Config::load(&request)?;
        if cli.common.verbose > 0 {
            loaded.notes.iter().for_each(oc_core::out::talk);
        }
        Self::new(loaded, cli.checks.clone())
    }

    /// An instance whose settings are loaded already.
    ///
    /// # Errors
    /// 78 when `probe.url` is no URL.
    pub fn new(loaded: Loaded, named: Vec<CheckName>) -> Result<Self> {
        Ok(Self {
            target: Target::parse(&loaded.config.probe.url)?,
            paths: loaded.paths.clone(),
            config: Arc::clone(&loaded.config),
            loaded,
            named,
        })
    }

    /// Takes the secrets that this instance knows out of foreign texts. Reads files: not for a healthy pass.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        self.loaded.redactor(&Env::process())
    }

    /// The instance's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.paths.instance()
    }

    /// Whether a check is to be done where it is of use.
    #[must_use]
    pub fn wants(&self, check: CheckName) -> bool {
        self.named.is_empty() || self.named.contains(&check)
    }

    /// Whether a check was asked for by name, so that it is done even when all is well.
    #[must_use]
    pub fn insists(&self, check: CheckName) -> bool {
        self.named.contains(&check)
    }

    /// True when only some checks were asked for: then nothing else is looked at.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        !self.named.is_empty()
    }

    /// True when nothing but the one request is wanted.
    #[must_use]
    pub fn only_asks(&self) -> bool {
        self.named == [CheckName::Liveness]
    }

    /// Who starts the service.
    #[must_use]
    pub fn manager(&self) -> ManagerKind {
        service::chosen(self.config.service.manager, &self.paths)
    }
}
