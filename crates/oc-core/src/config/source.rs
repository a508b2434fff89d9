//! Which config.json speaks for an instance, and what it says.

use super::env::Env;
use super::lean;
use super::load::Request;
use super::stamp::{Cache, Stamp};
use super::validate;
use crate::fault::{Fault, Result};
use crate::fsx;
use crate::paths::{DEFAULT_INSTANCE, Paths, Places};
use serde_json::{Map, Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// No configuration file of ours is larger.
pub(super) const CONFIG_CAP: u64 = 1 << 20;

/// Which config.json speaks for an instance.
#[derive(Debug)]
pub(super) enum Source {
    /// Its own (or the default instance's for itself): the whole file.
    Own(PathBuf),
    /// The default instance's: shared sections, and `instances.NAME`.
    Shared {
        file: PathBuf,
        name: String,
        dotenv: PathBuf,
    },
}

/// The places of the instance, and its config.json.
///
/// # Errors
/// As [`Paths::resolve`].
pub(super) fn locate(request: &Request, env: &Env) -> Result<(Paths, Source)> {
    let resolve = |places: &Places| Paths::resolve(places, |name| env.get(name).map(OsStr::to_owned));
    let mut places = request.places.clone();
    if places.instance.is_none() {
        places.instance = env.get("OC_INSTANCE").map(|name| name.to_string_lossy().into_owned());
    }
    let name = places.instance.clone().unwrap_or_else(|| DEFAULT_INSTANCE.to_owned());
    let given = match (&request.config, env.get("OC_CONFIG")) {
        (Some(path), _) => Some(path.clone()),
        (None, Some(path)) if !places.enumerated => Some(PathBuf::from(path)),
        _ => None,
    };
    if name == DEFAULT_INSTANCE {
        let paths = resolve(&places)?;
        let file = given.unwrap_or_else(|| paths.config());
        return Ok((paths, Source::Own(file)));
    }
    let mut default = resolve(&Places::default())?;
    let mut root = given.clone().unwrap_or_else(|| default.config());
    // Only the two fields that say where the instance lives; what is wrong with the rest is told later.
    let declaration = |root: &Path| {
        let content = read_json(root, Some(&name)).ok().flatten()?;
        content.get("instances")?.get(&name).cloned()
    };
    let mut declared = declaration(&root);
    if declared.is_none() && given.is_none() {
        // The steps of a pass are told where the state of their instance lies; who declares the instance lies elsewhere. Without
        // this they would take the instance for an OpenClaw on the usual port, and heal that.
        let get = |name: &str| env.get(name).filter(|_| name != "OC_STATE_DIR").map(OsStr::to_owned);
        let usual = Paths::resolve(&Places::default(), get)?;
        if let Some(found) = declaration(&usual.config()) {
            (declared, root, default) = (Some(found), usual.config(), usual);
        }
    }
    if let Some(declared) = &declared {
        let text = |key: &str| declared.get(key).and_then(Value::as_str).map(str::to_owned);
        places.profile = text("profile");
        places.openclaw_dir = text("openclaw_dir").map(PathBuf::from);
    }
    let paths = resolve(&places)?;
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

impl Source {
    pub(super) fn path(&self) -> &Path {
        match self {
            Self::Own(file) | Self::Shared { file, .. } => file,
        }
    }

    /// The sections that apply to the instance (none when there is no file), and the fault when not all of them fit.
    pub(super) fn read(&self, cache: &mut Cache) -> (Map<String, Value>, Option<Fault>) {
        // The stamp is taken before reading: a change in between then only costs another check.
        let stamp = Stamp::of(self.path());
        let known = stamp.is_some() && cache.valid == stamp;
        let only = match self {
            Self::Shared { name, .. } if known => Some(name.as_str()),
            _ => None,
        };
        let content = match read_json(self.path(), only) {
            Ok(Some(content)) => content,
            Ok(None) => return (Map::new(), None),
            Err(fault) => return (Map::new(), Some(fault)),
        };
        let mut fault = None;
        if !known {
            fault = validate::check(self.path(), &content).err();
            cache.valid = stamp.filter(|_| fault.is_none());
        }
        let Value::Object(mut sections) = content else {
            return (Map::new(), fault);
        };
        // For editors.
        sections.remove("$schema");
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
            let declared = sections.get_mut("instances").and_then(Value::as_object_mut);
            let declared = declared.and_then(|all| all.remove(name));
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
pub(super) fn fitting(sections: Map<String, Value>, is_right: impl Fn(&Value) -> bool) -> Map<String, Value> {
    sections
        .into_iter()
        .filter(|(name, part)| is_right(&json!({name.as_str(): part})))
        .collect()
}

/// Parses a JSON file of ours, for this instance only if so wanted; `None` when it is not there.
fn read_json(path: &Path, only: Option<&str>) -> Result<Option<Value>> {
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
    if let Some(lean) = only.and_then(|name| lean::parse(bytes, name)) {
        return Ok(Some(lean));
    }
    serde_json::from_slice(bytes).map(Some).map_err(|e| {
        Fault::config(format_args!("{}: not valid JSON: {e}", path.display()))
            .hint("correct that place, or move the file away to use the defaults")
    })
}

/// Lays `over` over `under`, key by key; anything that is not a section on both sides is replaced.
pub(super) fn merge(under: &mut Value, over: Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (key, value) in over {
                merge(under.entry(key).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_told_its_state_directory_still_finds_who_declares_its_instance() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join(".openclaw/watchdog/config.json");
        fsx::private_dir(config.parent().unwrap()).unwrap();
        fsx::replace(&config, br#"{"instances": {"web": {"language": "ko"}}}"#).unwrap();
        let own = dir.path().join(".openclaw-web/watchdog");
        let env: Env = [
            ("HOME", dir.path()),
            ("OC_STATE_DIR", &own),
            ("OC_INSTANCE", Path::new("web")),
        ]
        .into_iter()
        .collect();
        let (paths, source) = locate(&Request::default(), &env).unwrap();
        assert_eq!(paths.watchdog(), own);
        assert_eq!(source.path(), config);
        assert!(matches!(source, Source::Shared { .. }), "{source:?}");
    }
}
