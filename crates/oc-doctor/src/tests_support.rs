//! A configuration in a directory of its own, for unit tests.

use crate::evidence::Evidence;
use crate::scene::Scene;
use oc_core::config::{Env, Request};
use oc_core::paths::Places;
use oc_core::run::Common;
use oc_core::world::World;

/// A sound configuration.
pub(crate) const GOOD: &str = "// mine\n{\n  gateway: { mode: 'local', port: 18800, bind: 'loopback', },\n}\n";

pub(crate) struct Fixture {
    _dir: tempfile::TempDir,
    pub(crate) world: World,
}

impl Fixture {
    pub(crate) fn with(config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let env: Env = [("HOME", dir.path().as_os_str().to_owned())].into_iter().collect();
        let loaded = oc_core::config::Config::load_with(
            &Request {
                places: Places::default(),
                ..Request::default()
            },
            &env,
        )
        .unwrap();
        let world = World::new("oc-doctor", &Common::default(), loaded);
        oc_core::fsx::private_dir(world.paths.openclaw()).unwrap();
        oc_core::fsx::replace(world.paths.service_config(), config.as_bytes()).unwrap();
        Self { _dir: dir, world }
    }

    pub(crate) fn scene(&self) -> Scene<'_> {
        Scene::look(&self.world, Evidence::default())
    }
}
