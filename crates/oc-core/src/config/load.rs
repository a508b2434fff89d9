//! Builds the configuration in layers: default, the service's own port, config.json, `.env`, environment, flags.

use super::dotenv;
use super::names::{Form, NAMES, Name, SECRET_KEYS, is_placeholder};
use super::origin::{Origin, Origins};
use super::stamp::{Cache, Stamp};
use super::{Config, ConfigType, Kind, Secret, validate};
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::paths::{DEFAULT_INSTANCE, Paths, Places};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};

/// No configuration file of ours is larger.
const CONFIG_CAP: u64 = 1 << 20;
/// OpenClaw's may hold many agents.
const SERVICE_CONFIG_CAP: u64 = 8 << 20;

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

/// The process's environment, as a value.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<OsString, OsString>);

impl Env {
    /// The real one.
    #[must_use]
    pub fn process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// The raw value of a variable; an empty one counts as not set.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0
            .get(OsStr::new(name))
            .map(OsString::as_os_str)
            .filter(|value| !value.is_empty())
    }

    /// Names and values that are text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)))
    }
}

impl fmt::Debug for Env {
    /// Names only: a value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect())
    }
}

/// A configuration with what is known about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The values.
    pub config: Config,
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
        let (paths, file) = Locator { request, env }.locate()?;
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
        let config = layers.config();
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

/// Which config.json speaks for an instance.
#[derive(Debug)]
enum Source {
    /// Its own (or the default instance's for itself): the whole file.
    Own(PathBuf),
    /// The default instance's: shared sections, and `instances.NAME`.
    Shared {
        file: PathBuf,
        name: String,
        dotenv: PathBuf,
    },
}

struct Locator<'a> {
    request: &'a Request,
    env: &'a Env,
}

impl Locator<'_> {
    fn locate(&self) -> Result<(Paths, Source)> {
        let mut places = self.request.places.clone();
        if places.instance.is_none() {
            places.instance = self
                .env
                .get("OC_INSTANCE")
                .map(|name| name.to_string_lossy().into_owned());
        }
        let name = places.instance.clone().unwrap_or_else(|| DEFAULT_INSTANCE.to_owned());
        let given = match (&self.request.config, self.env.get("OC_CONFIG")) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(path)) if !places.enumerated => Some(PathBuf::from(path)),
            _ => None,
        };
        if name == DEFAULT_INSTANCE {
            let paths = self.resolve(&places)?;
            let file = given.unwrap_or_else(|| paths.config());
            return Ok((paths, Source::Own(file)));
        }
        let default = self.resolve(&Places::default())?;
        let root = given.clone().unwrap_or_else(|| default.config());
        // Only the two fields that say where the instance lives; what is wrong with the rest is told later.
        let declared = read_json(&root)
            .ok()
            .flatten()
            .and_then(|content| content.get("instances")?.get(&name).cloned());
        if let Some(declared) = &declared {
            let text = |key: &str| declared.get(key).and_then(Value::as_str).map(str::to_owned);
            places.profile = text("profile");
            places.openclaw_dir = text("openclaw_dir").map(PathBuf::from);
        }
        let paths = self.resolve(&places)?;
        let own = paths.config();
        if declared.is_none() && (given.is_some() || own == root) {
            return Ok((paths, Source::Own(root)));
        }
        if given.is_none() && own.exists() {
            return Ok((paths, Source::Own(own)));
        }
        let (file, dotenv) = (root, default.dotenv());
        Ok((paths, Source::Shared { file, name, dotenv }))
    }

    fn resolve(&self, places: &Places) -> Result<Paths> {
        Paths::resolve(places, |name| self.env.get(name).map(OsStr::to_owned))
    }
}

impl Source {
    fn path(&self) -> &Path {
        match self {
            Self::Own(file) | Self::Shared { file, .. } => file,
        }
    }

    /// The sections that apply to the instance (none when there is no file), and the fault when not all of them fit.
    fn read(&self, cache: &mut Cache) -> (Map<String, Value>, Option<Fault>) {
        // The stamp is taken before reading: a change in between then only costs another check.
        let stamp = Stamp::of(self.path());
        let content = match read_json(self.path()) {
            Ok(Some(content)) => content,
            Ok(None) => return (Map::new(), None),
            Err(fault) => return (Map::new(), Some(fault)),
        };
        let fits = content.is_object() && Config::deserialize(without_schema(&content)).is_ok();
        let mut fault = None;
        if !fits || stamp.is_none() || cache.valid != stamp {
            fault = validate::check(self.path(), &content).err();
            cache.valid = stamp.filter(|_| fault.is_none());
        }
        let Value::Object(sections) = without_schema(&content) else {
            return (Map::new(), fault);
        };
        let sections = if fault.is_some() {
            let fits = |part: &Value| validate::check(self.path(), part).is_ok();
            fitting(sections, fits)
        } else {
            sections
        };
        (self.for_instance(sections), fault)
    }

    /// What applies to the instance: everything, or the shared sections with the instance's differences laid over them.
    fn for_instance(&self, mut sections: Map<String, Value>) -> Map<String, Value> {
        if let Self::Shared { name, .. } = self {
            sections.remove("service");
            sections.remove("probe");
            let declared = sections.get("instances").and_then(|all| all.get(name)).cloned();
            if let Some(Value::Object(mut declared)) = declared {
                declared.remove("profile");
                declared.remove("openclaw_dir");
                if declared.get("language").is_some_and(Value::is_null) {
                    declared.remove("language");
                }
                for (section, part) in declared {
                    merge(sections.entry(section).or_insert(Value::Null), part);
                }
            }
        }
        sections
    }
}

/// The sections that are right, each looked at alone.
fn fitting(sections: Map<String, Value>, is_right: impl Fn(&Value) -> bool) -> Map<String, Value> {
    sections
        .into_iter()
        .filter(|(name, part)| is_right(&json!({name.as_str(): part})))
        .collect()
}

/// Parses a JSON file of ours; `None` when it is not there.
fn read_json(path: &Path) -> Result<Option<Value>> {
    let Some(bytes) = fsx::read_capped(path, CONFIG_CAP).map_err(|mut fault| {
        if fault.exit == crate::Exit::Data {
            fault.exit = crate::Exit::Config;
        }
        fault
    })?
    else {
        return Ok(None);
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map(Some).map_err(|e| {
        Fault::config(format_args!("{}: not valid JSON: {e}", path.display()))
            .hint("correct that place, or move the file away to use the defaults")
    })
}

/// `$schema` is for editors.
fn without_schema(content: &Value) -> Value {
    let mut content = content.clone();
    if let Some(map) = content.as_object_mut() {
        map.remove("$schema");
    }
    content
}

/// Lays `over` over `under`, key by key; anything that is not a section on both sides is replaced.
fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

fn get<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(value, |value, part| value.get(part))
}

fn set(value: &mut Value, key: &str, new: Value) {
    let nested = key.rsplit('.').fold(new, |inner, part| json!({part: inner}));
    merge(value, nested);
}

/// The values so far, where each came from, and what went wrong.
#[derive(Default)]
struct Layers {
    value: Value,
    origins: Origins,
    notes: Vec<String>,
    fault: Option<Fault>,
}

impl Layers {
    /// Remembers the first fault.
    fn keep<T>(&mut self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                self.fault.get_or_insert(fault);
                None
            }
        }
    }

    /// Defaults that differ from the built-in ones: another kind of service, another profile.
    fn base(&mut self, paths: &Paths, sections: &Map<String, Value>) {
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
    fn file(&mut self, paths: Paths, path: &Path, sections: Map<String, Value>, env: &Env) -> Paths {
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

    /// A gateway told by its own configuration to listen elsewhere is found there.
    fn service_port(&mut self, paths: &Paths, cache: &mut Cache) {
        let is_openclaw = get(&self.value, "service.kind").is_none_or(|kind| kind == "openclaw");
        if !is_openclaw || get(&self.value, "probe.url").is_some() {
            return;
        }
        let path = paths.service_config();
        let stamp = Stamp::of(path);
        let port = match (&cache.service, &stamp) {
            (_, None) => None,
            (Some((known, port)), Some(stamp)) if known == stamp => *port,
            (_, Some(stamp)) => {
                let port = gateway_port(path);
                cache.service = Some((stamp.clone(), port));
                port
            }
        };
        if let Some(url) = port.and_then(|port| with_port(super::Probe::DEFAULT_URL, port)) {
            set(&mut self.value, "probe.url", url.into());
            let file = path.to_owned();
            self.origins.set("probe.url", Origin::Service { file });
        }
    }

    /// The `.env` files (another instance's for what is shared, then its own) and the environment.
    fn environment(&mut self, paths: &Paths, source: &Source, request: &Request, env: &Env) -> Vec<(String, Secret)> {
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
        let url = url.unwrap_or(super::Probe::DEFAULT_URL);
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

    fn flags(&mut self, request: &Request) {
        for (flag, key, value) in &request.flags {
            set(&mut self.value, key, value.clone());
            let name = (*flag).to_owned();
            self.origins.set(key, Origin::Flag { name });
        }
    }

    /// The typed configuration. Should a layer not fit after all, it goes on without that section.
    fn config(&mut self) -> Config {
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
        config
    }
}

/// `gateway.port` of OpenClaw's configuration; anything unreadable is the doctor's business, not ours.
fn gateway_port(path: &Path) -> Option<u16> {
    let bytes = fsx::read_capped(path, SERVICE_CONFIG_CAP).ok()??;
    let content: Value = json5::from_str(std::str::from_utf8(&bytes).ok()?).ok()?;
    let port = content.get("gateway")?.get("port")?;
    // JSON5 knows one kind of number.
    let port = port.as_u64().or_else(|| {
        let port = port.as_f64()?;
        (port.fract() == 0.0 && (1.0..=65535.0).contains(&port)).then_some(port as u64)
    })?;
    u16::try_from(port).ok().filter(|port| *port != 0)
}

/// Everything before the port, and the port. `None` when it is no http(s) URL with a host.
fn split_url(url: &str) -> Option<(&str, Option<u16>)> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/') {
        return None;
    }
    let (before, port) = match rest.rfind(']') {
        Some(end) if rest.starts_with('[') => match &rest[end + 1..] {
            "" => (url, None),
            port => (&url[..url.len() - port.len()], Some(port.strip_prefix(':')?)),
        },
        _ => match rest.rsplit_once(':') {
            Some((host, port)) => {
                if host.is_empty() {
                    return None;
                }
                (&url[..url.len() - port.len() - 1], Some(port))
            }
            None => (url, None),
        },
    };
    match port {
        None => Some((before, None)),
        Some(port) => Some((before, Some(port.parse().ok().filter(|port: &u16| *port != 0)?))),
    }
}

fn with_port(url: &str, port: u16) -> Option<String> {
    let (before, _) = split_url(url.trim_end_matches('/'))?;
    Some(format!("{before}:{port}"))
}
