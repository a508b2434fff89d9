//! Builds the configuration in layers: default, the service's own port, config.json, `.env`, environment, flags.

use super::env::Env;
use super::layers::Layers;
use super::origin::Origins;
use super::stamp::Cache;
use super::{Config, Secret, source};
use crate::fault::{Fault, Result};
use crate::paths::{DEFAULT_INSTANCE, Paths, Places};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;

/// What is to be loaded.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--instance`, `--state-dir`; what is not given comes from `OC_INSTANCE`, `OC_STATE_DIR`.
    pub places: Places,
    /// `--config`, else `OC_CONFIG`; else the instance's own config.json, else the default instance's.
    pub config: Option<PathBuf>,
    /// What the tool's flags set: flag, dotted key, value. A flag beats everything.
    pub flags: Vec<(&'static str, &'static str, Value)>,
    /// Whether `config.cache.json` may be written. Never on a dry run, nor by a tool that changes nothing.
    pub may_write: bool,
}

/// A configuration with what is known about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Arc<Config>,
    /// The places of the instance.
    pub paths: Paths,
    /// The config.json that was read (or would have been, had it been there).
    pub file: PathBuf,
    /// Where each value came from.
    pub origins: Origins,
    /// Sentences for a person: malformed lines of `.env`, placeholders, names without a counterpart.
    pub notes: Vec<String>,
    /// Names and values of the `.env` files; the values are secrets.
    pub(crate) dotenv: Vec<(String, Secret)>,
}

impl Config {
    /// Loads the configuration of one instance from the real environment.
    ///
    /// # Errors
    /// 78 when something in our configuration is wrong, with its place and the fix; 64 for a bad instance name; 74 or 77
    /// when config.json or `.env` is there and cannot be read.
    pub fn load(request: &Request) -> Result<Loaded> {
        Self::load_with(request, &Env::process())
    }

    /// [`Config::load`] from a given environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with(request: &Request, env: &Env) -> Result<Loaded> {
        match Self::load_or_safe(request, env)? {
            (loaded, None) => Ok(loaded),
            (_, Some(fault)) => Err(fault),
        }
    }

    /// For what must go on whatever is wrong with our files (starting the service): leaves out what is wrong (a section of
    /// config.json, a variable) and returns the rest together with the first fault.
    ///
    /// # Errors
    /// Only when the places cannot be told (no `HOME`, bad instance name).
    pub fn load_or_safe(request: &Request, env: &Env) -> Result<(Loaded, Option<Fault>)> {
        let (paths, file) = source::locate(request, env)?;
        let mut layers = Layers::default();
        let mut cache = Cache::read(&paths.config_cache());
        let before = cache.clone();
        let (sections, fault) = file.read(&mut cache);
        layers.keep(fault.map_or(Ok(()), Err));
        layers.base(&paths, &sections);
        let paths = layers.file(paths, file.path(), sections, env);
        layers.service_port(&paths, &mut cache);
        let dotenv = layers.environment(&paths, &file, request, env);
        layers.flags(request);
        if request.may_write && cache != before {
            cache.write(&paths.config_cache());
        }
        let config = Arc::new(layers.config());
        let loaded = Loaded {
            config,
            paths,
            file: file.path().to_owned(),
            origins: layers.origins,
            notes: layers.notes,
            dotenv,
        };
        Ok((loaded, layers.fault))
    }

    /// The names of all instances, the default one first: for `--all`.
    #[must_use]
    pub fn instance_names(&self) -> Vec<&str> {
        std::iter::once(DEFAULT_INSTANCE)
            .chain(
                self.instances
                    .keys()
                    .map(String::as_str)
                    .filter(|name| *name != DEFAULT_INSTANCE),
            )
            .collect()
    }
}
