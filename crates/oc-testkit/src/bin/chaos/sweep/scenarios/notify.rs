//! oc-notify: what was taken is delivered, at least once, and twice only with the same id.

use super::{Field, SCENARIO, Scenario, words};
use oc_testkit::providers::Trouble;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

const SEND: &[&str] = &[
    "oc-notify",
    "send",
    "--severity",
    "warning",
    "--title",
    "a title",
    "--text",
    "a text",
    "--key",
    "one",
];

fn delivered(field: &Field, distinct: RangeInclusive<usize>) -> Vec<String> {
    let bodies = field.hook.accepted().into_iter().map(|taken| taken.body);
    let ids: Vec<String> = bodies.map(|body| body["id"].to_string()).collect();
    let different = ids.iter().collect::<BTreeSet<_>>().len();
    let mut found = Vec::new();
    if !distinct.contains(&different) || ids.len() > different + 1 {
        found.push(format!("delivered: {ids:?}"));
    }
    let channels = outbox(field);
    if channels.is_empty() || channels.iter().any(|channel| channel["waiting"] != 0) {
        found.push(format!("still in the outbox: {channels:?}"));
    }
    found
}

fn outbox(field: &Field) -> Vec<serde_json::Value> {
    let outbox = field.call(&["oc-notify", "outbox", "--json"]).json();
    outbox["channels"].as_array().cloned().unwrap_or_default()
}

fn flush(field: &mut Field) {
    field.wait("the outbox is empty", |field| {
        field.call(&["oc-notify", "flush"]).code == 0
    });
}

pub(crate) const SENDING: Scenario = Scenario {
    name: "send",
    what: "a message is sent; who was killed while sending sends it again",
    command: |_| words(SEND),
    recover: |field| {
        flush(field);
        field.must(SEND);
        flush(field);
        field.upkeep();
    },
    // Killed after it was taken and before that was remembered, the second one is another message.
    verify: |field| delivered(field, 1..=2),
    ..SCENARIO
};

pub(crate) const FLUSH: Scenario = Scenario {
    name: "flush",
    what: "two messages that could not be delivered are delivered",
    prepare: |field| {
        field.hook.trouble(Trouble::RateLimited(1.0));
        field.call(SEND);
        field.call(&[
            "oc-notify",
            "send",
            "--severity",
            "critical",
            "--title",
            "another",
            "--text",
            "x",
            "--key",
            "two",
        ]);
        field.hook.trouble(Trouble::None);
        field.wait("it may be tried again", |field| {
            outbox(field).iter().all(|channel| channel["state"] != "waiting")
        });
    },
    command: |_| words(&["oc-notify", "flush"]),
    recover: |field| {
        flush(field);
        field.upkeep();
    },
    verify: |field| delivered(field, 2..=2),
    ..SCENARIO
};
