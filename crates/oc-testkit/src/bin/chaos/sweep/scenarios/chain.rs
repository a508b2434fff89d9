//! One whole pass: oc-escalate, oc-probe, oc-doctor, oc-guardian, oc-notify as scripts/oc-heal chains them.

use super::{SCENARIO, Scenario};

pub(crate) const HUNG: Scenario = Scenario {
    name: "pass-hung",
    what: "a pass ends a gateway that hangs and starts another",
    prepare: |field| {
        field.serve();
        field.hang();
    },
    verify: |field| field.one_incident(2),
    ..SCENARIO
};

pub(crate) const CONFIG: Scenario = Scenario {
    name: "pass-config",
    what: "a pass repairs the configuration that keeps the gateway down, starts it and keeps the repair",
    prepare: |field| {
        let broken = field
            .good_config()
            .replace("\"mode\": \"local\", // important\n    ", "");
        field.write_config(&broken);
        field.start();
        field.wait("it exits with 78", |field| {
            field
                .service
                .status()
                .is_some_and(|status| !status["exits"].as_array().is_none_or(Vec::is_empty))
        });
    },
    verify: |field| {
        let mut found = field.one_incident(2);
        if !field.config_text().contains("\"mode\": \"local\"") || !field.config_text().contains("// mine") {
            found.push("the configuration was not repaired in place".to_owned());
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
        field.hang();
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
