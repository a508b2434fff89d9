//! The installed package of the service: where it is, which version, when it changed.

use oc_core::clock::Stamp;
use oc_core::config::{Kind, Service};
use oc_core::fsx;
use serde::Deserialize;
use std::cmp::Ordering;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An installed npm package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its directory.
    pub dir: PathBuf,
    /// Its version, where package.json says one.
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
}

impl Package {
    /// The configured one, else that of the `openclaw` on PATH.
    #[must_use]
    pub fn find(service: &Service) -> Option<Self> {
        if let Some(dir) = &service.package_dir {
            let version = manifest(dir).and_then(|m| m.version);
            return Some(Self {
                dir: dir.clone(),
                version,
            });
        }
        if service.kind != Kind::Openclaw {
            return None;
        }
        let path = std::env::var_os("PATH")?;
        let program = std::env::split_paths(&path)
            .map(|dir| dir.join("openclaw"))
            .find_map(|program| program.canonicalize().ok())?;
        program.ancestors().skip(1).find_map(|dir| {
            let manifest = manifest(dir)?;
            (manifest.name.as_deref() == Some("openclaw")).then(|| Self {
                dir: dir.to_owned(),
                version: manifest.version,
            })
        })
    }

    /// Time since something in its directory was replaced. By the directories' own times: installers set those of the
    /// files to whatever the package says.
    #[must_use]
    pub fn changed_ago(&self) -> Option<Duration> {
        let changed_ms = [self.dir.clone(), self.dir.join("dist")]
            .iter()
            .filter_map(|path| std::fs::metadata(path).ok())
            .map(|meta| {
                meta.mtime()
                    .saturating_mul(1000)
                    .saturating_add(meta.mtime_nsec() / 1_000_000)
            })
            .max()?;
        u64::try_from(Stamp::now().wall_ms.saturating_sub(changed_ms))
            .ok()
            .map(Duration::from_millis)
    }
}

fn manifest(dir: &Path) -> Option<Manifest> {
    let bytes = fsx::read_capped(&dir.join("package.json"), 1 << 20).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// Compares two versions like `2026.9.6`; a pre-release (`-beta.1`) is older than its release. `None` when one of them is
/// no version.
#[must_use]
pub fn compare(a: &str, b: &str) -> Option<Ordering> {
    let parse = |text: &str| -> Option<(Vec<u64>, bool)> {
        let text = text.trim().trim_start_matches('v');
        let text = text.split('+').next()?;
        let (numbers, release) = match text.split_once('-') {
            Some((numbers, _)) => (numbers, false),
            None => (text, true),
        };
        let mut numbers: Vec<u64> = numbers.split('.').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some((numbers, release))
    };
    Some(parse(a)?.cmp(&parse(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn versions_are_numbers_not_texts() {
        let table = [
            ("2026.9.10", "2026.9.6", Some(Ordering::Greater)),
            ("2026.9.6", "2026.9.6", Some(Ordering::Equal)),
            ("2026.9", "2026.9.0", Some(Ordering::Equal)),
            ("2026.9.6-beta.1", "2026.9.6", Some(Ordering::Less)),
            ("v2026.9.6+build", "2026.9.7", Some(Ordering::Less)),
            ("2099.1.1", "2026.9.6", Some(Ordering::Greater)),
            ("next", "2026.9.6", None),
            ("", "2026.9.6", None),
        ];
        for (a, b, expected) in table {
            assert_eq!(compare(a, b), expected, "{a} {b}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(a in ".{0,30}", b in ".{0,30}") {
            let _order = compare(&a, &b);
        }
    }
}
