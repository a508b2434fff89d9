//! The programs in docs/notifications.md, run as they stand there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use serde_json::{Value, json};
use support::World;

const DOCS: &str = include_str!("../../../docs/notifications.md");

/// Puts the program into the world and names it in `notify.exec`.
fn with_example(name: &str) -> World {
    let world = World::new(&[]);
    let script = DOCS
        .split("```sh\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .find(|script| script.contains(&format!("# {name}\n")))
        .unwrap_or_else(|| panic!("{name} is not in the docs"));
    let program = world.env.stub(name, script.trim_start_matches("#!/bin/sh\n"));
    world.env.oc_config(&json!({"notify": {"exec": [program]}}));
    world
}

/// The programs need jq, as the docs say. A developer's machine without it cannot tell; CI must have it.
fn without_jq() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let missing = !std::env::split_paths(&path).any(|dir| dir.join("jq").is_file());
    assert!(!missing || std::env::var_os("CI").is_none(), "jq is not installed");
    missing
}

const SEND: [&str; 10] = [
    "send",
    "--severity",
    "critical",
    "--title",
    "it's \"down\" 한국어",
    "--text",
    "line 1\n$(touch /tmp/x) `id` \\n",
    "--key",
    "k",
    "-q",
];

#[test]
fn apprise() {
    if without_jq() {
        return;
    }
    let world = with_example("oc-apprise");
    let out = world.env.path("out");
    world.env.stub(
        "apprise",
        &format!("printf '%s\\n' \"$@\" >{0}.argv; cat >{0}", out.display()),
    );
    world.notify(&SEND).expect_code(0);
    assert_eq!(
        std::fs::read_to_string(world.env.path("out.argv")).unwrap(),
        "--title\nit's \"down\" 한국어\n"
    );
    assert_eq!(
        std::fs::read_to_string(out).unwrap(),
        "line 1\n$(touch /tmp/x) `id` \\n\n"
    );
}

#[test]
fn pagerduty() {
    if without_jq() {
        return;
    }
    let world = with_example("oc-pagerduty");
    world
        .env
        .write(".config/pagerduty.key", "0123456789abcdef0123456789abcdef\n");
    let out = world.env.path("out");
    world.env.stub(
        "curl",
        &format!("printf '%s\\n' \"$@\" >{0}.argv; cat >{0}", out.display()),
    );
    world.notify(&SEND).expect_code(0);
    let sent: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    assert_eq!(sent["routing_key"], "0123456789abcdef0123456789abcdef");
    assert_eq!(
        (&sent["event_action"], &sent["dedup_key"]),
        (&json!("trigger"), &json!("default/k"))
    );
    assert_eq!(sent["payload"]["summary"], "it's \"down\" 한국어");
    assert_eq!(sent["payload"]["severity"], "critical");
    let argv = std::fs::read_to_string(world.env.path("out.argv")).unwrap();
    assert!(!argv.contains("0123456789abcdef") && argv.contains("https://events.pagerduty.com/v2/enqueue"));
    // The service refuses: the message waits.
    world.env.stub("curl", "cat >/dev/null; exit 22");
    world
        .notify(&["send", "--severity", "critical", "--title", "t", "--text", "x"])
        .expect_code(2);
}

#[test]
fn mail() {
    if without_jq() {
        return;
    }
    let world = with_example("oc-mail");
    let out = world.env.path("out");
    world.env.stub("sendmail", &format!("cat >{}", out.display()));
    world.notify(&SEND).expect_code(0);
    let mail = std::fs::read_to_string(out).unwrap();
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.contains("To: root\n") && head.is_ascii(), "{head}");
    assert!(
        head.contains("Subject: =?UTF-8?B?aXQncyAiZG93biIg7ZWc6rWt7Ja0?="),
        "{head}"
    );
    let decoded = world
        .env
        .foreign("base64")
        .arg("-d")
        .stdin(body)
        .run()
        .expect_code(0)
        .stdout;
    assert_eq!(decoded, "line 1\n$(touch /tmp/x) `id` \\n\n");
}
