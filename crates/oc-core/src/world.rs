//! What a tool knows once its flags are read: the instance's places, its configuration, its journal.

use crate::config::{Config, Env, Loaded, Request, Secret};
use crate::fault::Result;
use crate::intent::Intent;
use crate::journal::{Event, Journal, Kind};
use crate::paths::{Paths, Places};
use crate::redact::Redactor;
use crate::run::Common;
use std::sync::{Arc, OnceLock};

/// The instance a tool works on.
#[derive(Debug, Clone)]
pub struct World {
    /// The common flags.
    pub common: Common,
    /// Where everything lies.
    pub paths: Paths,
    /// Every setting.
    pub config: Arc<Config>,
    /// What happened.
    pub journal: Journal,
    secrets: Arc<Secrets>,
    tool: &'static str,
}

/// The secrets that must never leave: read and compiled only when there is something to write.
#[derive(Debug)]
pub struct Secrets {
    loaded: Loaded,
    redactor: OnceLock<Redactor>,
}

impl Secrets {
    /// Knows the exact values in config.json, `.env`, the environment and the service's own configuration, and the shapes
    /// that secrets have.
    pub fn redactor(&self) -> &Redactor {
        self.redactor.get_or_init(|| self.loaded.redactor(&Env::process()))
    }
}

impl World {
    /// Loads the configuration. `may_write` lets it remember which config.json was found valid.
    ///
    /// # Errors
    /// 78 when our configuration is wrong or nobody says where home is, 64 for a bad instance name, 74 or 77.
    pub fn open(tool: &'static str, common: &Common, may_write: bool) -> Result<Self> {
        let loaded = Config::load(&request(common, may_write))?;
        Ok(Self::new(tool, common, loaded))
    }

    /// For what must go on whatever is wrong with our own files (keeping the service running): what cannot be understood is
    /// left out and told.
    ///
    /// # Errors
    /// 78 when nobody says where home is, 64 for a bad instance name.
    pub fn open_whatever(tool: &'static str, common: &Common) -> Result<Self> {
        let (loaded, fault) = Config::load_or_safe(&request(common, false), &Env::process())?;
        if let Some(fault) = fault {
            crate::out::talk(format_args!("going on without what is wrong here: {fault}"));
        }
        Ok(Self::new(tool, common, loaded))
    }

    /// The world of a configuration that is loaded already.
    #[must_use]
    pub fn new(tool: &'static str, common: &Common, loaded: Loaded) -> Self {
        if common.verbose > 0 {
            loaded.notes.iter().for_each(crate::out::talk);
        }
        let (paths, config) = (loaded.paths.clone(), Arc::clone(&loaded.config));
        let secrets = Arc::new(Secrets {
            loaded,
            redactor: OnceLock::new(),
        });
        Self {
            common: common.clone(),
            journal: Journal::of(&paths, Arc::clone(&secrets)),
            paths,
            config,
            secrets,
            tool,
        }
    }

    /// The instance's name.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.paths.instance()
    }

    /// Takes secrets out of whatever is written, sent or shown.
    #[must_use]
    pub fn redactor(&self) -> &Redactor {
        self.secrets.redactor()
    }

    /// A variable for a program that is started with an environment of its own: from our environment, else from `.env`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<Secret> {
        std::env::var(name)
            .ok()
            .filter(|value| !value.is_empty())
            .map(Secret::new)
            .or_else(|| self.secrets.loaded.variable(name).cloned())
    }

    /// Whether anybody chose the value of a dotted key, such as `agent.enabled`: false where it is only the default.
    #[must_use]
    pub fn chosen(&self, key: &str) -> bool {
        *self.secrets.loaded.origins.of(key) != crate::config::Origin::Default
    }

    /// An event of this tool that happens now.
    #[must_use]
    pub fn event(&self, kind: Kind, text: impl Into<String>) -> Event {
        Event::now(kind, self.tool, self.instance(), text)
    }

    /// A person's will at this moment.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be read.
    pub fn intent(&self) -> Result<Intent> {
        Intent::load(&self.paths.intent())
    }
}

/// What the common flags ask of the loader.
#[must_use]
pub fn request(common: &Common, may_write: bool) -> Request {
    Request {
        places: Places {
            instance: Some(common.instance.clone()),
            state_dir: common.state_dir.clone(),
            ..Places::default()
        },
        config: common.config.clone(),
        flags: Vec::new(),
        may_write: may_write && !common.dry_run,
    }
}
