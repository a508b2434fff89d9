//! The layers of the configuration, laid one over the other, with the origin of each value.

use super::dotenv;
use super::env::Env;
use super::load::Request;
use super::names::{Form, NAMES, Name, SECRET_KEYS, is_placeholder};
use super::origin::{Origin, Origins};
use super::source::{CONFIG_CAP, Source, fitting, merge};
use super::stamp::{Cache, Stamp};
use super::url::{split_url, with_port};
use super::{Config, ConfigType, Kind, Probe, Secret};
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::paths::Paths;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// OpenClaw's may hold many agents.
const SERVICE_CONFIG_CAP: u64 = 8 << 20;

/// The values so far, where each came from, and what went wrong.
#[derive(Default)]
pub(super) struct Layers {
    value: Value,
    pub(super) origins: Origins,
    pub(super) notes: Vec<String>,
    pub(super) fault: Option<Fault>,
}

impl Layers {
    /// Remembers the first fault.
    pub(super) fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault.get_or_insert(fault);
                None
            }
        }
    }

    /// Defaults that differ from the built-in ones: another kind of service, another profile.
    pub(super) fn base(&mut self, paths: &Paths, sections: &Map<String, Value>) {
        let kind = sections
            .get("service")
            .and_then(|service| service.get("kind").cloned())
            .and_then(|kind| Kind::deserialize(kind).ok())
            .unwrap_or_default();
        self.value = match (kind, paths.profile()) {
            (Kind::Generic, _) => json!({
                "service": {
                    "label": "", "unit": "", "config_type": "none", "required_keys": [], "doctor_command": [],
                    "restart_signal": null
                },
                "probe": {
                    "url": "", "liveness_path": "/", "liveness": {}, "startup_path": null, "readiness_path": null
                }
            }),
            (Kind::Openclaw, Some(profile)) => json!({
                "service": {
                    "label": format!("ai.openclaw.{profile}"),
                    "unit": format!("openclaw-gateway-{profile}.service")
                }
            }),
            (Kind::Openclaw, None) => json!({}),
        };
    }

    /// config.json; a section that does not fit its type is left out (its fault is already known).
    pub(super) fn file(&mut self, paths: Paths, path: &Path, sections: Map<String, Value>, env: &Env) -> Paths {
        let mut sections = Value::Object(sections);
        let origin = Origin::File { file: path.to_owned() };
        for key in SECRET_KEYS {
            let text = get(&sections, key).and_then(Value::as_str);
            if text.is_some_and(is_placeholder) {
                self.notes
                    .push(format!("{key} in {} is a placeholder, hence not set", path.display()));
                set(&mut sections, key, Value::Null);
            }
        }
        self.origins.set_all(&sections, &origin);
        if sections.as_object().is_some_and(|map| !map.is_empty()) {
            merge(&mut self.value, sections);
        }
        let Some(file) = get(&self.value, "service.config_file").and_then(Value::as_str) else {
            return paths;
        };
        let home = env.get("HOME").map(Path::new);
        let file = crate::paths::expand(PathBuf::from(file), home);
        if file.is_absolute() {
            return paths.with_service_config(file);
        }
        let fault = Fault::config(format_args!(
            "{}: service.config_file is not an absolute path: {}",
            path.display(),
            file.display()
        ));
        self.keep::<()>(Err(fault.hint("write it in full, or beginning with ~/")));
        paths
    }

    /// A gateway told by its own configuration to listen elsewhere is found there; also after somebody has broken or removed
    /// that configuration: the gateway that runs does not read it, and looked for on the usual port it would seem down.
    pub(super) fn service_port(&mut self, paths: &Paths, cache: &mut Cache) {
        let is_openclaw = get(&self.value, "service.kind").is_none_or(|kind| kind == "openclaw");
        if !is_openclaw || get(&self.value, "probe.url").is_some() {
            return;
        }
        let path = paths.service_config();
        let stamp = Stamp::of(path);
        let port = match (&cache.service, &stamp) {
            (Some((known, port)), Some(stamp)) if known == stamp => *port,
            (last, _) => {
                let last = last.as_ref().filter(|(known, _)| known.is_of(path));
                let port = gateway_port(path).unwrap_or_else(|| last.and_then(|(_, port)| *port));
                if let Some(stamp) = &stamp {
                    cache.service = Some((stamp.clone(), port));
                }
                port
            }
        };
        if let Some(url) = port.and_then(|port| with_port(Probe::DEFAULT_URL, port)) {
            set(&mut self.value, "probe.url", url.into());
            let file = path.to_owned();
            self.origins.set("probe.url", Origin::Service { file });
        }
    }

    /// The `.env` files (another instance's for what is shared, then its own) and the environment.
    pub(super) fn environment(
        &mut self,
        paths: &Paths,
        source: &Source,
        request: &Request,
        env: &Env,
    ) -> Vec<(String, Secret)> {
        let mut all = Vec::new();
        let root = match source {
            Source::Shared { dotenv, .. } => Some(dotenv.clone()),
            Source::Own(_) => None,
        };
        let own = paths.dotenv();
        for (file, is_own) in root
            .filter(|root| *root != own)
            .map(|root| (root, false))
            .into_iter()
            .chain([(own, true)])
        {
            let Some(Some(bytes)) = self.keep(fsx::read_capped(&file, CONFIG_CAP)) else {
                continue;
            };
            let found = dotenv::parse(&bytes);
            if !found.malformed.is_empty() {
                let numbers: Vec<String> = found.malformed.iter().take(10).map(usize::to_string).collect();
                self.notes.push(format!(
                    "{}: passed over what is no KEY=VALUE, line {}",
                    file.display(),
                    numbers.join(", ")
                ));
            }
            let look = |name: &str| {
                let hit = found.values.iter().rev().find(|(n, _)| n == name);
                hit.map(|(_, value)| Ok(value.clone()))
            };
            self.names(look, is_own, Some(&file));
            all.extend(found.values.into_iter().map(|(name, value)| (name, Secret::new(value))));
        }
        let look = |name: &str| {
            let value = env.get(name)?;
            Some(value.to_str().map(str::to_owned).ok_or("text in UTF-8"))
        };
        self.names(look, !request.places.enumerated, None);
        all
    }

    fn names(
        &mut self,
        look: impl Fn(&str) -> Option<Result<String, &'static str>>,
        is_own: bool,
        dotenv: Option<&Path>,
    ) {
        let place = dotenv.map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
        let is_generic = get(&self.value, "service.kind").is_some_and(|kind| kind == "generic");
        for row in NAMES {
            let skipped = (row.own && !is_own) || (row.openclaw && is_generic);
            let Some(text) = look(row.name).filter(|text| !skipped && text.as_ref().map_or(true, |t| !t.is_empty()))
            else {
                continue;
            };
            let value = text.and_then(|text| {
                if row.key.is_empty() {
                    self.notes
                        .push(format!("{} in {place} has no effect: {}", row.name, row.remark));
                    return Ok(None);
                }
                if SECRET_KEYS.contains(&row.key) && is_placeholder(&text) {
                    let name = row.name;
                    self.notes
                        .push(format!("{name} in {place} is a placeholder, hence not set"));
                    return Ok(None);
                }
                if dotenv.is_some() && !row.shipped.is_empty() && text == row.shipped {
                    self.notes.push(format!(
                        "{}={} in {place} is what the example file says, not a choice: {} stays as it is",
                        row.name, row.shipped, row.key
                    ));
                    return Ok(None);
                }
                self.read(row, &text, dotenv)
            });
            match value {
                Ok(None) => {}
                Ok(Some(value)) => {
                    set(&mut self.value, row.key, value);
                    let name = row.name.to_owned();
                    let origin = match dotenv {
                        Some(file) => Origin::Dotenv {
                            file: file.to_owned(),
                            name,
                        },
                        None => Origin::Environment { name },
                    };
                    self.origins.set(row.key, origin);
                }
                Err(expected) => {
                    let fault = Fault::config(format_args!("{} in {place}: expected {expected}", row.name));
                    self.keep::<()>(Err(fault.hint(format_args!("correct {}, or remove it", row.name))));
                }
            }
        }
    }

    /// The value of one name. `None` for a port beside a URL that names its own.
    fn read(&self, row: &Name, text: &str, dotenv: Option<&Path>) -> Result<Option<Value>, &'static str> {
        let value = row.form.read(text)?;
        if row.key != "probe.url" {
            return Ok(Some(value));
        }
        if row.form != Form::Port {
            // As strict as the schema is about config.json.
            let url = text.trim().trim_end_matches('/');
            return match split_url(url) {
                Some((_, Some(_))) => Ok(Some(url.into())),
                // The predecessor's names come in pairs: the URL without a port means the port beside it, or the usual.
                Some((_, None)) if url.starts_with("http://") => Ok(with_port(url, 18789).map(Value::from)),
                Some((_, None)) => Ok(Some(url.into())),
                None => Err("a URL like http://127.0.0.1:18789"),
            };
        }
        let same_layer = match (self.origins.of("probe.url"), dotenv) {
            (Origin::Dotenv { file, .. }, Some(this)) => file == this,
            (Origin::Environment { .. }, None) => true,
            _ => false,
        };
        let url = get(&self.value, "probe.url").and_then(Value::as_str);
        let url = url.unwrap_or(Probe::DEFAULT_URL);
        let port = value
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .unwrap_or_default();
        // 18789 in a URL is the example's; a port of its own beside it is the choice.
        let chosen = same_layer
            && split_url(url)
                .and_then(|(_, port)| port)
                .is_some_and(|port| port != 18789);
        Ok(if chosen {
            None
        } else {
            with_port(url, port).map(Value::from)
        })
    }

    pub(super) fn flags(&mut self, request: &Request) {
        for (flag, key, value) in &request.flags {
            set(&mut self.value, key, value.clone());
            let name = (*flag).to_owned();
            self.origins.set(key, Origin::Flag { name });
        }
    }

    /// The typed configuration. Should a layer not fit after all, it goes on without that section.
    pub(super) fn config(&mut self) -> Config {
        let config = match Config::deserialize(&self.value) {
            Ok(config) => config,
            Err(e) => {
                self.keep::<()>(Err(Fault::config(format_args!("configuration: {e}"))));
                let sections = match std::mem::take(&mut self.value) {
                    Value::Object(sections) => fitting(sections, |part| Config::deserialize(part).is_ok()),
                    _ => Map::new(),
                };
                Config::deserialize(Value::Object(sections)).unwrap_or_default()
            }
        };
        self.consistent(config)
    }

    /// What holds between fields.
    fn consistent(&mut self, mut config: Config) -> Config {
        config.probe.url.truncate(config.probe.url.trim_end_matches('/').len());
        if config.probe.url.is_empty() {
            let fault = Fault::config("probe.url is missing: a generic service has no usual port");
            self.keep::<()>(Err(
                fault.hint("set probe.url in config.json, such as \"http://127.0.0.1:8080\"")
            ));
        }
        for deep in &config.probe.deep {
            if deep.url.is_some() == deep.command.is_some() {
                let fault = Fault::config(format_args!("probe.deep: {:?} needs either url or command", deep.name));
                self.keep::<()>(Err(fault.hint("give exactly one of the two")));
            }
        }
        if config.service.config_type == ConfigType::None && !config.service.required_keys.is_empty() {
            let fault = Fault::config("service.required_keys are named, but service.config_type is \"none\"");
            self.keep::<()>(Err(fault.hint("set service.config_type to \"json5\" or \"json\"")));
        }
        if config
            .service
            .config_schema
            .as_ref()
            .is_some_and(|path| !path.is_absolute())
        {
            let fault = Fault::config("service.config_schema is not an absolute path");
            self.keep::<()>(Err(fault.hint("write it in full")));
        }
        config
    }
}

/// `gateway.port` of OpenClaw's configuration, if it names one; `None` when it cannot be told: that is the doctor's business,
/// not ours.
fn gateway_port(path: &Path) -> Option<Option<u16>> {
    let bytes = fsx::read_capped(path, SERVICE_CONFIG_CAP).ok()??;
    let content: Value = json5::from_str(std::str::from_utf8(&bytes).ok()?).ok()?;
    let Some(port) = get(&content, "gateway.port") else {
        return Some(None);
    };
    // JSON5 knows one kind of number.
    let port = port.as_u64().or_else(|| {
        let port = port.as_f64()?;
        (port.fract() == 0.0 && (1.0..=65535.0).contains(&port)).then_some(port as u64)
    })?;
    u16::try_from(port).ok().filter(|port| *port != 0).map(Some)
}

fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(value, |value, part| value.get(part))
}

fn set(value: &mut Value, key: &str, new: Value) {
    let nested = key.rsplit('.').fold(new, |inner, part| json!({part: inner}));
    merge(value, nested);
}
