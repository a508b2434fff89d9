//! `make e2e`: the real Alertmanager, where it is installed (apt-get install prometheus-alertmanager).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use oc_core::journal::Kind;
use oc_testkit::{Asked, ask, free_port, wait_for};
use serde_json::{Value, json};
use std::time::Duration;
use support::World;

const ID: &str = "20260227T203252-0001";

#[test]
#[ignore = "needs prometheus-alertmanager"]
fn a_real_alertmanager_takes_the_alert_and_resolves_it() {
    let mut world = World::new(&[]);
    // Alertmanager judges by its own clock.
    world.env.unset("OC_NOW");
    let port = free_port();
    let config = world
        .env
        .write("am.yml", "route: {receiver: none}\nreceivers: [{name: none}]\n");
    let storage = world.env.path("am");
    let alertmanager = world
        .env
        .foreign("prometheus-alertmanager")
        .args([
            "--config.file",
            config.to_str().unwrap(),
            "--storage.path",
            storage.to_str().unwrap(),
        ])
        .args([
            "--cluster.listen-address=",
            &format!("--web.listen-address=127.0.0.1:{port}"),
        ])
        .spawn();
    let alerts = || -> Option<Vec<Value>> {
        match ask(port, "/api/v2/alerts?active=true") {
            Asked::Answered(answer) => serde_json::from_slice(answer.body.as_ref()).ok(),
            _ => None,
        }
    };
    wait_for("alertmanager", Duration::from_secs(30), alerts);
    world.env.oc_config(
        &json!({"notify": {"alertmanager": {"url": format!("http://127.0.0.1:{port}")}, "opened_after": "0s"}}),
    );
    world.env.write(
        ".openclaw/watchdog/state.json",
        json!({"version": 1, "incident": {"id": ID}}).to_string(),
    );
    let now = oc_core::clock::Stamp::now();
    let offset = (now.wall_ms - world.stamp(0).wall_ms) / 1000;
    world.journal(
        offset,
        Kind::IncidentOpened,
        ID,
        "gone",
        json!({"class": "process_gone"}),
    );
    let settle =
        |exit: u8| json!({"verdict": "x", "exit": exit, "reason": "r \"quoted\"\n", "incident": ID, "notices": []});
    world.tell(&[("settle.json", settle(2))]).expect_code(0);
    let active = wait_for("the alert", Duration::from_secs(10), || {
        alerts().filter(|a| a.len() == 2)
    });
    assert!(
        active
            .iter()
            .any(|a| a["labels"]["alertname"] == "OpenClawNeedsHuman" && a["labels"]["severity"] == "critical")
    );
    world
        .env
        .write(".openclaw/watchdog/state.json", json!({"version": 1}).to_string());
    world.journal(offset + 1, Kind::IncidentClosed, ID, "healed", json!({"by_us": true}));
    world.tell(&[("settle.json", settle(0))]).expect_code(0);
    wait_for("its end", Duration::from_secs(10), || alerts().filter(Vec::is_empty));
    drop(alertmanager);
}
