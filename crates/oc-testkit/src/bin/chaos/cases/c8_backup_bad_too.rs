//! C8f.

use crate::arena::{Arena, Result};
use crate::case::{CASE, Case, Class, On};
use oc_testkit::Signal;

pub(crate) const C8F: Case = Case {
    id: "C8f",
    class: Class::Config,
    fault: "the file is empty, and the newest snapshot of it is damaged, too",
    on: On::Both,
    prepare: |arena| {
        arena.person(&["oc-doctor", "snapshot"], &[0])?;
        let older = objects(arena);
        let newer = arena.good_config().replace("// mine", "// mine, newer");
        arena.write_config(&newer);
        arena.person(&["oc-doctor", "snapshot"], &[0])?;
        damage(arena, &older)
    },
    inject: |arena| {
        arena.write_config("");
        arena.signal(Signal::KILL)
    },
    verify: |arena| {
        let now = arena.config_text();
        (now != arena.good_config())
            .then(|| format!("not the older snapshot: {now:?}"))
            .into_iter()
            .collect()
    },
    actions: &["doctor start"],
    most: 1,
    level: Some(2),
    alerts: 0..=2,
    ..CASE
};

fn objects(arena: &Arena) -> Vec<std::path::PathBuf> {
    let dir = std::fs::read_dir(arena.env().watchdog().join("generations/objects"));
    dir.into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn damage(arena: &Arena, but: &[std::path::PathBuf]) -> Result<()> {
    for object in objects(arena).iter().filter(|object| !but.contains(object)) {
        std::fs::write(object, "{ garbage").map_err(|e| crate::arena::broken(&e.to_string()))?;
    }
    Ok(())
}
