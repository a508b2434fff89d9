//! The instance a command works on: its places, its configuration, its journal.

use oc_core::config::Config;
use oc_core::fault::{Fault, Result};
use oc_core::intent::Intent;
use oc_core::journal::{Event, Journal, Kind};
use oc_core::paths::{Paths, Places};
use oc_core::run::Common;
use oc_core::service::embedded::Dir;

/// See the module.
#[derive(Debug, Clone)]
pub struct World {
    /// The common flags.
    pub common: Common,
    /// Where everything lies.
    pub paths: Paths,
    /// Every setting.
    pub config: Config,
    /// What happened.
    pub journal: Journal,
}

impl World {
    /// Reads the configuration.
    ///
    /// # Errors
    /// 78 when it is wrong.
    pub fn open(common: &Common) -> Result<Self> {
        let places = Places {
            instance: Some(common.instance.clone()),
            state_dir: common.state_dir.clone(),
            ..Places::default()
        };
        let paths = Paths::from_env(&places)?;
        let file = common.config.clone().unwrap_or_else(|| paths.config());
        let config = match oc_core::fsx::read_capped(&file, 1 << 20)? {
            Some(bytes) => {
                serde_json::from_slice(&bytes).map_err(|e| Fault::config(format_args!("{}: {e}", file.display())))?
            }
            None => Config::default(),
        };
        Ok(Self {
            common: common.clone(),
            journal: Journal::new(&paths.journal()),
            paths,
            config,
        })
    }

    /// For `supervise`: the service is started whatever is wrong with our own files.
    ///
    /// # Errors
    /// Only when the places cannot be told.
    pub fn open_whatever(common: &Common) -> Result<Self> {
        Self::open(common)
    }

    /// The instance's name.
    #[must_use]
    pub fn instance(&self) -> &str {
        self.paths.instance()
    }

    /// The embedded supervisor's directory.
    #[must_use]
    pub fn supervise_dir(&self) -> Dir {
        Dir::new(self.paths.supervise())
    }

    /// An event of ours that happens now.
    #[must_use]
    pub fn event(&self, kind: Kind, text: impl Into<String>) -> Event {
        Event::now(kind, "oc-guardian", self.instance(), text)
    }

    /// A person's will at this moment.
    ///
    /// # Errors
    /// 74 or 77 when it cannot be read.
    pub fn intent(&self) -> Result<Intent> {
        Intent::load(&self.paths.intent())
    }
}
