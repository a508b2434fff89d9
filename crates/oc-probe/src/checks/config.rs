//! Would the service start with its configuration file? A running one ignores a broken edit for hours; the next start
//! does not.
//!
//! Unchanged files are not read again: what was found out travels in the report (`config_seen`), and whoever keeps it
//! hands it to the next probe.

use super::check;
use crate::package::{self, Package};
use oc_core::class::Class;
use oc_core::config::{ConfigType, Service};
use oc_core::exit::Exit;
use oc_core::fsx;
use oc_core::report::{Check, CheckStatus};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::cmp::Ordering;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The largest configuration that is read.
const CAP: u64 = 8 << 20;

/// What was found out about one state of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigSeen {
    /// Which state of the file.
    pub stamp: Option<FileStamp>,
    /// SHA-256 of its content, in hex; null when it cannot be read.
    pub hash: Option<String>,
    /// The version of the service that wrote it last, where it says so.
    pub written_by: Option<String>,
    /// What is wrong.
    pub problem: Option<Problem>,
}

/// One state of a file, as far as the file system tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub size: u64,
    /// Time of the last change, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// The same of the last change of mode, owner or name.
    pub ctime_ns: i64,
    /// Number of the file.
    pub ino: u64,
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its class.
    pub class: Class,
    /// In words.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(class: Class, what: String) -> Self {
        Self { class, what }
    }
}

impl ConfigSeen {
    /// The line of the report.
    #[must_use]
    pub fn check(&self, path: &Path) -> Check {
        let (status, actual) = match &self.problem {
            None => (CheckStatus::Ok, "parses, required keys are there".to_owned()),
            Some(problem) => (CheckStatus::Warn, problem.what.clone()),
        };
        check("config", status, format!("{} usable", path.display()), actual)
    }
}

/// Looks at the file; reads it only when it is not in the state that is remembered. `None` when the service has none, or
/// when we could not read it for a reason of our own.
#[must_use]
pub fn look(path: &Path, service: &Service, remembered: Option<&Value>) -> Option<ConfigSeen> {
    if service.config_type == ConfigType::None {
        return None;
    }
    // The stamp is taken before reading: a change in between then only costs another read.
    let stamp = FileStamp::of(path);
    if let Some(before) = remembered.and_then(|seen| ConfigSeen::deserialize(seen).ok())
        && stamp.is_some()
        && before.stamp == stamp
    {
        return Some(before);
    }
    examine(path, service, stamp)
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        let nanos = |s: i64, ns: i64| s.saturating_mul(1_000_000_000).saturating_add(ns);
        Some(Self {
            size: meta.size(),
            mtime_ns: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime_ns: nanos(meta.ctime(), meta.ctime_nsec()),
            ino: meta.ino(),
        })
    }
}

/// `None` when it is there and we could not read it for a reason of our own, such as no descriptor left.
fn examine(path: &Path, service: &Service, stamp: Option<FileStamp>) -> Option<ConfigSeen> {
    let mut seen = ConfigSeen {
        stamp,
        hash: None,
        written_by: None,
        problem: None,
    };
    match fsx::read_capped(path, CAP) {
        Ok(Some(bytes)) => {
            seen.hash = Some(hex(&Sha256::digest(&bytes)));
            match judge(&bytes, service) {
                Ok(written_by) => seen.written_by = written_by,
                Err(problem) => seen.problem = Some(problem),
            }
        }
        Ok(None) => {
            let what = format!("{} is not there", path.display());
            seen.problem = Some(Problem::new(Class::ConfigMissing, what));
        }
        Err(fault) if fault.exit == Exit::Io && path.is_file() => return None,
        Err(fault) => seen.problem = Some(Problem::new(Class::ConfigInvalid, fault.what)),
    }
    Some(seen)
}

/// Whether the service could start with this content. Returns the version that wrote it, where it says so.
fn judge(bytes: &[u8], service: &Service) -> Result<Option<String>, Problem> {
    let content = parse(bytes, service.config_type).map_err(|what| Problem::new(Class::ConfigInvalid, what))?;
    if let Some(key) = missing_key(&content, &service.required_keys) {
        let what = format!("the required key {key} is missing");
        return Err(Problem::new(Class::ConfigInvalid, what));
    }
    let Some(written_by) = content.pointer("/meta/lastTouchedVersion").and_then(Value::as_str) else {
        return Ok(None);
    };
    let installed = Package::find(service).and_then(|package| package.version);
    match installed {
        Some(installed) if package::compare(written_by, &installed) == Some(Ordering::Greater) => {
            let what = format!("written by version {written_by}, but {installed} is installed");
            Err(Problem::new(Class::NewerConfig, what))
        }
        _ => Ok(Some(written_by.to_owned())),
    }
}

/// Parses the file.
///
/// # Errors
/// What is wrong with it, as a sentence without its content (which may be secret).
fn parse(bytes: &[u8], kind: ConfigType) -> Result<Value, String> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err("the file is empty".to_owned());
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not text".to_owned())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let content: Value = match kind {
        ConfigType::Json => serde_json::from_str(text).map_err(|e| at_place(Some((e.line(), e.column()))))?,
        _ => json5::from_str(text).map_err(|e| at_place(e.position().map(|at| (at.line + 1, at.column + 1))))?,
    };
    if content.is_object() {
        Ok(content)
    } else {
        Err("it holds no object".to_owned())
    }
}

fn at_place(place: Option<(usize, usize)>) -> String {
    match place {
        Some((line, column)) => format!("it does not parse: line {line}, column {column}"),
        None => "it does not parse".to_owned(),
    }
}

/// The first required key that is not there. One that an `$include` may bring in counts as there.
fn missing_key<'k>(content: &Value, required: &'k [String]) -> Option<&'k String> {
    required.iter().find(|key| {
        let mut here = content;
        for part in key.split('.') {
            match here.get(part) {
                Some(Value::Null) | None => return here.get("$include").is_none() && content.get("$include").is_none(),
                Some(inner) => here = inner,
            }
        }
        false
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn see(content: &[u8]) -> ConfigSeen {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        fsx::replace(&path, content).unwrap();
        let service = Service {
            package_dir: Some(dir.path().to_owned()),
            ..Service::default()
        };
        look(&path, &service, None).unwrap()
    }

    fn class(content: &[u8]) -> Option<Class> {
        see(content).problem.map(|p| p.class)
    }

    #[test]
    fn what_people_really_write_is_accepted() {
        for good in [
            &br#"{"gateway":{"mode":"local"}}"#[..],
            b"{ // comment\n gateway: { mode: 'local', }, }",
            b"\xef\xbb\xbf{\"gateway\":{\"mode\":\"local\"}}",
            br#"{"$include":"./other.json"}"#,
            br#"{"gateway":{"$include":"./gateway.json"}}"#,
        ] {
            assert_eq!(class(good), None, "{}", String::from_utf8_lossy(good));
        }
    }

    #[test]
    fn the_broken_states_are_told_apart_from_good_ones() {
        for bad in [
            &b""[..],
            b"   \n",
            b"{\"gateway\":{\"mode\":\"lo",
            b"{\"gateway\":{\"mode\":\"local\"}}}}garbage",
            b"[]",
            b"{}",
            b"{\"gateway\":{\"port\":1}}",
            b"{\"gateway\":{\"mode\":null}}",
            b"\x00\xff\xfe",
            b"[info] started\n{\"gateway\":{\"mode\":\"local\"}}",
        ] {
            assert_eq!(
                class(bad),
                Some(Class::ConfigInvalid),
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
        let nowhere = look(Path::new("/nowhere/openclaw.json"), &Service::default(), None).unwrap();
        assert_eq!(nowhere.problem.unwrap().class, Class::ConfigMissing);
        let directory = look(Path::new("/"), &Service::default(), None).unwrap();
        assert_eq!(directory.problem.unwrap().class, Class::ConfigInvalid);
    }

    #[test]
    fn a_syntax_error_names_its_place_and_none_of_the_content() {
        let what = see(b"{\n  \"gateway\": {\n    \"token\": secret!\n")
            .problem
            .unwrap()
            .what;
        assert!(what.contains("line 3") && !what.contains("secret"), "{what}");
    }

    #[test]
    fn a_configuration_of_a_newer_version() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        fsx::replace(
            &dir.path().join("package.json"),
            br#"{"name":"openclaw","version":"2026.9.6"}"#,
        )
        .unwrap();
        let service = Service {
            package_dir: Some(dir.path().to_owned()),
            ..Service::default()
        };
        for (written, class) in [
            ("2099.1.1", Some(Class::NewerConfig)),
            ("2026.9.6", None),
            ("odd", None),
        ] {
            let content = format!(r#"{{"gateway":{{"mode":"local"}},"meta":{{"lastTouchedVersion":"{written}"}}}}"#);
            fsx::replace(&path, content.as_bytes()).unwrap();
            assert_eq!(
                look(&path, &service, None).unwrap().problem.map(|p| p.class),
                class,
                "{written}"
            );
        }
    }

    #[test]
    fn an_unchanged_file_is_not_read_again_and_a_changed_one_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("openclaw.json");
        fsx::replace(&path, b"{}").unwrap();
        let service = Service::default();
        let mut first = look(&path, &service, None).unwrap();
        // A verdict that the file cannot give shows where it came from.
        first.hash = Some("remembered".into());
        let remembered = serde_json::to_value(&first).unwrap();
        assert_eq!(
            look(&path, &service, Some(&remembered)).unwrap().hash.unwrap(),
            "remembered"
        );
        fsx::replace(&path, b"[]").unwrap();
        assert_ne!(
            look(&path, &service, Some(&remembered)).unwrap().hash.unwrap(),
            "remembered"
        );
        assert!(
            look(&path, &service, Some(&Value::Bool(true))).is_some(),
            "a strange memory is no memory"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _seen = see(&bytes);
        }
    }
}
