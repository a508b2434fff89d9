//! oc-guardian, as a person and cron call it.

use super::{Field, SCENARIO, Scenario, words};
use oc_testkit::{Crontab, Signal};
use serde_json::json;

pub(crate) const STOP: Scenario = Scenario {
    name: "stop",
    what: "a person stops the service",
    prepare: Field::serve,
    command: |_| words(&["oc-guardian", "stop"]),
    recover: |field| {
        // Half of a will is a will, or none: a pass touches nothing either way.
        let code = field.pass();
        if code != 0 {
            panic!("the pass after it exits with {code}");
        }
        field.must(&["oc-guardian", "stop"]);
        field.wait("it is down", |field| field.gateways().is_empty());
        field.pass();
    },
    verify: |field| {
        let mut found = Vec::new();
        if !field.gateways().is_empty() || field.boots() != 1 {
            found.push("a stopped service was started".to_owned());
        }
        found
    },
    ..SCENARIO
};

pub(crate) const START: Scenario = Scenario {
    name: "start",
    what: "a person starts the stopped service",
    prepare: |field| {
        field.serve();
        field.must(&["oc-guardian", "stop"]);
    },
    command: |_| words(&["oc-guardian", "start"]),
    recover: |field| {
        field.must(&["oc-guardian", "start"]);
        field.passes();
    },
    verify: |field| field.one_gateway(2),
    ..SCENARIO
};

pub(crate) const RESTART: Scenario = Scenario {
    name: "restart",
    what: "a person restarts the service",
    prepare: Field::serve,
    command: |_| words(&["oc-guardian", "restart"]),
    verify: |field| field.one_gateway(2),
    ..SCENARIO
};

pub(crate) const ENSURE: Scenario = Scenario {
    name: "ensure",
    what: "cron puts back the supervisor that was killed; the gateway outlived it",
    tool: "oc-guardian",
    prepare: |field| {
        field.serve();
        kill_supervisor(field);
    },
    command: |_| words(&["oc-guardian", "ensure"]),
    recover: Field::ensure_until_well,
    verify: |field| field.one_gateway(2),
    ..SCENARIO
};

fn kill_supervisor(field: &mut Field) {
    if let Some(supervisor) = field.service.supervisor() {
        supervisor.signal(Signal::KILL);
        Field::wait_end(supervisor);
    }
}

const PERSONS: &str = "# mine\n0 5 * * * true\n";

fn crontab(field: &Field) -> String {
    std::fs::read_to_string(field.env().path(".stand-in-crontab")).unwrap_or_default()
}

fn jobs(field: &Field) -> Vec<String> {
    let dir = std::fs::read_dir(field.env().path("Library/LaunchAgents"));
    let names = dir.into_iter().flatten().flatten().map(|entry| entry.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// launchd, cron and a gateway that is registered there.
fn register(field: &mut Field) {
    let env = &mut field.service.env;
    env.use_launchd();
    env.crontab(Crontab::Works);
    env.write(".stand-in-crontab", PERSONS);
    let port = env.gateway_agent();
    field
        .env()
        .configure(&json!({"probe": {"url": format!("http://127.0.0.1:{port}")}}));
    field.config = std::fs::read(field.env().config_path()).ok();
}

pub(crate) const INSTALL: Scenario = Scenario {
    name: "install",
    what: "a person installs the jobs at launchd and cron",
    prepare: register,
    command: |_| words(&["oc-guardian", "install"]),
    recover: |field| field.must(&["oc-guardian", "install"]),
    verify: |field| {
        let mut found = Vec::new();
        let (table, jobs) = (crontab(field), jobs(field));
        if !table.starts_with(PERSONS) || table.matches("# BEGIN oc-guardian").count() != 1 {
            found.push(format!("the crontab is not as it should be: {table}"));
        }
        field.call(&["oc-guardian", "uninstall"]);
        if crontab(field) != PERSONS {
            found.push(format!("the crontab is not as it was: {}", crontab(field)));
        }
        let left = self::jobs(field);
        if jobs.len() <= left.len() || left.len() != 1 {
            found.push(format!("installed {jobs:?}, left {left:?}"));
        }
        found
    },
    ..SCENARIO
};

pub(crate) const UNINSTALL: Scenario = Scenario {
    name: "uninstall",
    what: "a person takes the jobs away again",
    prepare: |field| {
        register(field);
        field.must(&["oc-guardian", "install"]);
    },
    command: |_| words(&["oc-guardian", "uninstall"]),
    recover: |field| field.must(&["oc-guardian", "uninstall"]),
    verify: |field| {
        let (table, jobs) = (crontab(field), jobs(field));
        (table != PERSONS || jobs.len() != 1)
            .then(|| format!("left behind: {jobs:?}, {table}"))
            .into_iter()
            .collect()
    },
    ..SCENARIO
};
