//! What the tests of oc-probe share.
#![allow(dead_code, reason = "not every test file needs all of it")]

use oc_core::clock::Stamp;
use oc_core::identity::Identity;
use oc_testkit::{Cmd, TestEnv};
use serde_json::{Value, json};

/// oc-probe in this environment.
pub(crate) fn probe(env: &TestEnv) -> Cmd {
    env.cmd("oc-probe")
}

/// Thresholds that a test can wait for. On a busy machine our own delays are not what these tests are about.
pub(crate) fn quick(env: &TestEnv) {
    env.oc_config(&json!({"probe": {
        "timeout": "1s", "hang_after": "1s", "interval": "50ms", "max_sched_delay": "10s"
    }}));
}

/// Writes down, as oc-escalate does, that this process has served.
pub(crate) fn remember_serving(env: &TestEnv, pid: u32) {
    let identity = Identity::of(i32::try_from(pid).unwrap()).expect("a process");
    remember(env, &identity);
}

/// As [`remember_serving`], for any identity.
pub(crate) fn remember(env: &TestEnv, identity: &Identity) {
    let state = json!({"version": 1, "served": {"identity": identity, "since": Stamp::now()}});
    env.write(".openclaw/watchdog/state.json", state.to_string());
}

/// The class of a report; empty when it is healthy.
pub(crate) fn class(report: &Value) -> &str {
    report["class"].as_str().unwrap_or("")
}

/// All conditions of a report.
pub(crate) fn conditions(report: &Value) -> Vec<String> {
    let list = report["conditions"].as_array().expect("a list");
    list.iter().map(|c| c.as_str().expect("a word").to_owned()).collect()
}

/// One check of a report.
pub(crate) fn check<'r>(report: &'r Value, name: &str) -> &'r Value {
    let checks = report["checks"].as_array().expect("a list");
    checks.iter().find(|c| c["name"] == name).unwrap_or(&Value::Null)
}
