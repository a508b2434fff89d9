//! The installed package: version, supported node versions, entry point. Read from its package.json, no node started.

use oc_core::fsx;
use oc_core::world::World;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The installed package.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its directory.
    pub dir: PathBuf,
    /// Its version.
    pub version: String,
    /// `engines.node` of its package.json.
    pub engines_node: Option<String>,
    /// The file that its program runs.
    pub entry: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Manifest {
    name: Option<String>,
    version: Option<String>,
    main: Option<String>,
    #[serde(default)]
    engines: std::collections::BTreeMap<String, String>,
}

/// The service's package: the configured directory, else that of its program on PATH; `None` when it cannot be found.
#[must_use]
pub fn installed(world: &World) -> Option<Package> {
    let service = &world.config.service;
    let dirs = match &service.package_dir {
        Some(dir) => vec![dir.clone()],
        None => {
            let program = std::fs::canonicalize(oc_core::proc::which(service.doctor_command.first()?)?).ok()?;
            program.ancestors().skip(1).take(4).map(Path::to_owned).collect()
        }
    };
    dirs.into_iter().find_map(|dir| {
        let manifest = manifest(&dir)?;
        // Any directory above may be a package of its own.
        (service.package_dir.is_some() || manifest.name.as_deref() == Some("openclaw")).then_some(())?;
        Some(Package {
            version: manifest.version?,
            engines_node: manifest.engines.get("node").cloned(),
            entry: manifest.main.map(|main| dir.join(main)),
            dir,
        })
    })
}

fn manifest(dir: &Path) -> Option<Manifest> {
    let bytes = fsx::read_capped(&dir.join("package.json"), 1 << 20).ok()??;
    serde_json::from_slice(&bytes).ok()
}

/// The version of the node on PATH, by what lies around it: starting it costs 50 ms. `None` when nothing tells.
#[must_use]
pub fn node_version() -> Option<String> {
    let node = std::fs::canonicalize(oc_core::proc::which("node")?).ok()?;
    let prefix = node.parent()?.parent()?;
    // Installed from npm: .../node_modules/node/bin/node
    if let Some(found) = manifest(prefix).filter(|m| m.name.as_deref().is_some_and(|n| n.starts_with("node"))) {
        return found.version;
    }
    let header = fsx::read_capped(&prefix.join("include/node/node_version.h"), 1 << 20).ok()??;
    let text = String::from_utf8_lossy(&header).into_owned();
    let part = |name: &str| {
        text.lines().find_map(|line| {
            line.strip_prefix("#define ")?
                .strip_prefix(name)?
                .trim()
                .parse::<u32>()
                .ok()
        })
    };
    Some(format!(
        "{}.{}.{}",
        part("NODE_MAJOR_VERSION ")?,
        part("NODE_MINOR_VERSION ")?,
        part("NODE_PATCH_VERSION ")?
    ))
}
