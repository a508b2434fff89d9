//! `preflight`: what level 0 runs before a start. 78 only for what lets no start succeed; a fault of ours, or something
//! missing around the service, must never keep it down.

use crate::checks;
use crate::dependencies;
use crate::evidence::Evidence;
use crate::report::Body;
use crate::scene::Scene;
use oc_core::Exit;
use oc_core::fault::Result;
use oc_core::run::{Answer, Common};
use oc_core::world::World;

/// Runs it. Whatever is wrong with our own files is said and left at that.
///
/// # Errors
/// Only when nobody says where home is.
pub(crate) fn run(common: &Common) -> Result<Answer> {
    let world = World::open_whatever("oc-doctor", common)?;
    let scene = Scene::look(&world, Evidence::default());
    let mut findings = checks::configuration(&scene);
    let fatal = !checks::fatal(&findings).is_empty();
    let (missing, actions) = dependencies::look(&scene, common.dry_run);
    findings.extend(missing);
    let body = Body {
        findings,
        actions,
        dry_run: common.dry_run,
        ..Body::default()
    };
    if fatal {
        body.answer_with(Exit::Config, "config")
    } else {
        body.answer_with(Exit::Good, "may_start")
    }
}
