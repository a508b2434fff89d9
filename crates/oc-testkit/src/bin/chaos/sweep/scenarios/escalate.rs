//! A person's commands to oc-escalate.

use super::{Field, SCENARIO, Scenario, words};

/// Whatever came of the command: nothing is done to a service that serves, and saying it again works.
fn untouched(field: &Field) -> Vec<String> {
    let mut found = field.one_gateway(1);
    found.extend((field.count("attempt") > 0).then(|| "something was attempted".to_owned()));
    found
}

pub(crate) const MAINTENANCE_ON: Scenario = Scenario {
    name: "maintenance-on",
    what: "a person begins maintenance",
    prepare: Field::serve,
    command: |_| words(&["oc-escalate", "maintenance", "on", "--for", "1h"]),
    recover: |field| {
        field.heal_until_well();
        field.must(&["oc-escalate", "maintenance", "on", "--for", "1h"]);
        field.passes();
    },
    verify: |field| {
        let mut found = untouched(field);
        let intent = field.env().read_json(".openclaw/watchdog/intent.json");
        found.extend(
            intent["maintenance"]
                .is_null()
                .then(|| "the maintenance was forgotten".to_owned()),
        );
        found
    },
    ..SCENARIO
};

pub(crate) const MAINTENANCE_OFF: Scenario = Scenario {
    name: "maintenance-off",
    what: "a person ends maintenance",
    prepare: |field| {
        field.serve();
        field.must(&["oc-escalate", "maintenance", "on", "--for", "1h"]);
    },
    command: |_| words(&["oc-escalate", "maintenance", "off"]),
    recover: |field| {
        field.heal_until_well();
        field.must(&["oc-escalate", "maintenance", "off"]);
        field.passes();
    },
    verify: untouched,
    ..SCENARIO
};

pub(crate) const RESET: Scenario = Scenario {
    name: "reset",
    what: "a person has an open incident forgotten",
    prepare: |field| {
        field.serve();
        field.fail();
        field.wait("an incident is open", |field| {
            field.pass();
            field.count("incident_opened") > 0
        });
    },
    command: |_| words(&["oc-escalate", "reset"]),
    verify: |field| {
        let mut found = field.one_gateway(1);
        found.extend((field.count("attempt") != 1).then(|| "not exactly one attempt".to_owned()));
        found
    },
    ..SCENARIO
};
