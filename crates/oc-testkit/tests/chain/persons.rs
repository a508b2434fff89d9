//! The rows of the table that are a person's decision: each ends in one clear alert with the command to run, and no loop.
//! The same for the stand-in and for the real gateway.

use crate::stage::Stage;
use oc_testkit::wait_for;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const CONFIG: &str = ".openclaw/openclaw.json";
const DATABASE: &str = ".openclaw/state/openclaw.sqlite";
/// What the installed gateway calls itself.
const INSTALLED: &str = r#"{"name":"openclaw","version":"2026.9.6"}"#;

/// Which of OpenClaw's own copies there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LastGood {
    None,
    Good,
    Poisoned,
}

impl LastGood {
    pub(crate) const ALL: [Self; 3] = [Self::None, Self::Good, Self::Poisoned];

    fn write(self, stage: &Stage) {
        let mut config: Value = stage.env.read_json(CONFIG);
        if self == Self::Poisoned {
            config["gateway"].as_object_mut().unwrap().remove("mode");
        }
        if self != Self::None {
            stage.env.write(".openclaw/openclaw.json.last-good", config.to_string());
        }
    }
}

/// Row o: written by a newer version than the one installed.
pub(crate) fn a_newer_configuration(stage: &mut Stage, copy: LastGood) -> Duration {
    copy.write(stage);
    let good = stage.env.read_json(CONFIG);
    let mut newer = good.clone();
    newer["meta"] = json!({"lastTouchedVersion": "2099.1.1"});
    stage.env.write(CONFIG, newer.to_string());
    let took = one_alert_and_no_loop(stage, &["newer version", "run: "]);
    assert_eq!(
        stage.env.read_json(CONFIG),
        newer,
        "the version it was written by is not stamped over"
    );
    stage.env.write(CONFIG, good.to_string());
    well_again(stage);
    took
}

/// Row p: the state database is no database.
pub(crate) fn a_damaged_database(stage: &mut Stage, copy: LastGood) -> Duration {
    copy.write(stage);
    let database = stage.env.write(DATABASE, "garbage, not a database");
    let took = one_alert_and_no_loop(stage, &["state database", "run: "]);
    assert_eq!(std::fs::read(&database).unwrap(), b"garbage, not a database");
    std::fs::remove_file(&database).unwrap();
    well_again(stage);
    took
}

/// The settings of these rows: where the installed version is written.
pub(crate) fn settings(stage: &Stage) -> Value {
    stage.env.write("package/package.json", INSTALLED);
    let dir = stage.env.path("package");
    // Fresh, it would look like an upgrade under way.
    let hour = SystemTime::now() - Duration::from_secs(3600);
    for path in [dir.join("package.json"), dir.clone()] {
        std::fs::File::open(path).unwrap().set_modified(hour).unwrap();
    }
    json!({"service": {"package_dir": dir}})
}

/// Starts what is broken, and returns how long it took until a person was asked for.
fn one_alert_and_no_loop(stage: &mut Stage, words: &[&str]) -> Duration {
    let begun = std::time::Instant::now();
    stage.supervise();
    let pass = |stage: &Stage| {
        wait_for("a pass", stage.patience, || {
            Some(stage.pass()).filter(|out| out.code != 75)
        })
    };
    let said = wait_for("a person is asked for", stage.patience, || {
        let out = pass(stage);
        (out.code == 2).then_some(out.stderr)
    });
    let took = begun.elapsed();
    for word in words {
        assert!(said.contains(word), "{word:?} in {said}");
    }
    for _ in 0..3 {
        // 1 while the next start of level 0 is under way: the real gateway takes seconds to refuse.
        let code = pass(stage).code;
        assert!([1, 2].contains(&code), "{code}");
    }
    let told = stage.events("human_needed");
    assert_eq!(told.len(), 1, "told once, not at every pass: {told:?}");
    assert!(stage.attempts().is_empty(), "nothing was tried: {:?}", stage.attempts());
    took
}

/// The person did it; what is left is ours.
fn well_again(stage: &mut Stage) {
    stage.cmd("oc-guardian").arg("start").timeout(stage.patience).run();
    stage.wait_ready();
    stage.heal_until_well();
    stage.supervisor = None;
}
