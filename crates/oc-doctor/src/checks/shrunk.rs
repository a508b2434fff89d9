//! A configuration that lost much since it was last known good: a hint that something clobbered it.

use crate::document::Document;
use crate::finding::Finding;
use crate::generations::Store;
use crate::scene::Scene;

/// config.shrunk
pub(crate) fn check(scene: &Scene<'_>, findings: &mut Vec<Finding>) {
    let (Some(document), Some(bytes)) = (scene.document(), scene.file.bytes()) else {
        return;
    };
    let store = Store::new(&scene.world.paths);
    let Ok(index) = store.index() else { return };
    let Some(old) = index.good().and_then(|g| store.bytes(g.main_hash()?)) else {
        return;
    };
    let Ok(good) = Document::parse(&old, scene.world.config.service.config_type) else {
        return;
    };
    let gone: Vec<&str> = good
        .value
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .filter(|key| document.value.get(key.as_str()).is_none())
        .map(String::as_str)
        .collect();
    if bytes.len() * 2 < old.len() || !gone.is_empty() {
        let lost = if gone.is_empty() {
            String::new()
        } else {
            format!("; gone: {}", gone.join(", "))
        };
        findings.push(
            Finding::warning(
                "config.shrunk",
                scene.file.path.display().to_string(),
                format!(
                    "{} bytes, where the last good configuration has {}{lost}",
                    bytes.len(),
                    old.len()
                ),
            )
            .command("oc-doctor diff good"),
        );
    }
}
