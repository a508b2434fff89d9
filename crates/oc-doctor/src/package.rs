//! The installed package: version, supported node versions, entry point. Read from its package.json, no node started.

use oc_core::fsx;
use oc_core::world::World;
use serde::Deserialize;
use std::path::PathBuf;

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

/// The package whose program the service's commands name; `None` when it cannot be found.
#[must_use]
pub fn installed(world: &World) -> Option<Package> {
    let service = &world.config.service;
    let dirs = match &service.package_dir {
        Some(dir) => vec![dir.clone()],
        None => {
            let program = service.command.first().or(service.doctor_command.first())?;
            let program = std::fs::canonicalize(oc_core::proc::which(program)?).ok()?;
            program
                .ancestors()
                .skip(1)
                .take(4)
                .map(std::path::Path::to_owned)
                .collect()
        }
    };
    dirs.into_iter().find_map(|dir| {
        let bytes = fsx::read_capped(&dir.join("package.json"), 1 << 20).ok()??;
        let manifest: Manifest = serde_json::from_slice(&bytes).ok()?;
        manifest.name.as_ref()?;
        Some(Package {
            version: manifest.version?,
            engines_node: manifest.engines.get("node").cloned(),
            entry: manifest.main.map(|main| dir.join(main)),
            dir,
        })
    })
}
