//! oc-doctor, as a person calls it.

use super::{Field, SCENARIO, Scenario, words};

pub(crate) const FIX: Scenario = Scenario {
    name: "fix",
    what: "a person has the configuration repaired and verified",
    tool: "oc-doctor",
    prepare: Field::start_broken,
    command: |_| words(&["oc-doctor", "fix", "--verify"]),
    verify: |field| {
        let mut found = field.one_gateway(u64::MAX);
        found.extend(field.repaired_in_place());
        found
    },
    ..SCENARIO
};

pub(crate) const UNDO: Scenario = Scenario {
    name: "undo",
    what: "a person takes an open repair back",
    tool: "oc-doctor",
    prepare: |field| {
        field.start_broken();
        field.call(&["oc-doctor", "fix"]);
    },
    command: |_| words(&["oc-doctor", "undo"]),
    recover: |field| {
        field.must(&["oc-doctor", "undo"]);
        if Some(field.config_text().as_bytes()) != field.config.as_deref() {
            panic!("the configuration is not as the person wrote it");
        }
        field.passes();
    },
    ..SCENARIO
};

pub(crate) const SNAPSHOT: Scenario = Scenario {
    name: "snapshot",
    what: "a person keeps the configuration",
    command: |_| words(&["oc-doctor", "snapshot"]),
    recover: |field| {
        field.must(&["oc-doctor", "snapshot"]);
        let good = field.config_text();
        field.env().write(".openclaw/openclaw.json", "{ broken");
        field.must(&["oc-doctor", "rollback", "-1"]);
        if field.config_text() != good {
            panic!("what was kept is not what was there");
        }
        field.upkeep();
    },
    ..SCENARIO
};

pub(crate) const ROLLBACK: Scenario = Scenario {
    name: "rollback",
    what: "a person goes back to a generation",
    prepare: |field| {
        field.serve();
        field.must(&["oc-doctor", "snapshot"]);
        let changed = field.good_config().replace("// mine", "// changed");
        field.write_config(&changed);
    },
    command: |_| words(&["oc-doctor", "rollback", "-1"]),
    recover: |field| {
        if field.config_text().contains("// changed") {
            field.must(&["oc-doctor", "rollback", "-1"]);
        }
        field.passes();
    },
    verify: |field| {
        (field.config_text() != field.good_config())
            .then(|| format!("it is not the generation: {}", field.config_text()))
            .into_iter()
            .collect()
    },
    ..SCENARIO
};
