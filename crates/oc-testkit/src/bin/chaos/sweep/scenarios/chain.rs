//! One whole pass: oc-escalate, oc-probe, oc-doctor, oc-guardian, oc-notify as scripts/oc-heal chains them.

use super::{SCENARIO, Scenario};

pub(crate) const RESTART: Scenario = Scenario {
    name: "pass-restart",
    what: "a pass ends a gateway that answers 503 and starts another",
    prepare: |field| {
        field.serve();
        field.fail();
    },
    verify: |field| field.one_incident(2),
    ..SCENARIO
};

pub(crate) const CONFIG: Scenario = Scenario {
    name: "pass-config",
    what: "a pass repairs the configuration that keeps the gateway down, starts it and keeps the repair",
    prepare: |field| field.start_broken(),
    verify: |field| {
        let mut found = field.one_incident(2);
        found.extend(field.repaired_in_place());
        let told = field.all_told();
        if !field
            .hook
            .accepted()
            .iter()
            .any(|taken| taken.body.to_string().contains("gateway.mode"))
        {
            found.push(format!("people were not told what was changed: {told:?}"));
        }
        found
    },
    ..SCENARIO
};

pub(crate) const SETTLE: Scenario = Scenario {
    name: "pass-settle",
    what: "a pass closes an incident and says so",
    prepare: |field| {
        field.serve();
        field.fail();
        field.wait("a pass heals it", |field| {
            field.pass();
            field.service.is_ready()
        });
    },
    verify: |field| {
        let mut found = field.one_incident(1);
        if field.told("opened").is_empty() || field.told("healed").is_empty() {
            found.push(format!(
                "people were not told of the beginning and the end: {:?}",
                field.all_told()
            ));
        }
        found
    },
    ..SCENARIO
};
