//! What scripts rely on: the JSON answers match the schema; no byte sequence as configuration makes any command fail
//! other than by its exit table, and no secret of it ever shows. `OC_FUZZ_SECONDS=600 cargo test --test contract -- --ignored`
//! goes on for ten minutes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    dead_code,
    reason = "tests"
)]

#[path = "table/world.rs"]
mod world;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use std::time::{Duration, Instant};
use world::{Backup, World};

const SECRET: &str = "tok-hush-hush";

fn valid(text: &str) -> Value {
    let value: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
    let schema = include_str!("../../../schemas/doctor.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {text}");
    value
}

#[test]
fn every_answer_matches_the_schema_and_carries_its_own_exit_code() {
    let world = World::new(Backup::LastGood);
    world.write(world.good.replace("'loopback',", "'loopback'").as_bytes());
    for args in [
        &["check"][..],
        &["preflight"],
        &["fix", "-n"],
        &["fix"],
        &["undo"],
        &["fix"],
        &["commit"],
        &["rollback", "-1"],
    ] {
        let output = world.doctor(args).args(["--json"]).run();
        let value = valid(&output.stdout);
        assert_eq!(value["exit"], output.code, "{args:?}: {value}");
        assert!(!output.stdout.contains("hush"), "{args:?}: {value}");
    }
    assert!(valid(&world.doctor(&["check", "--json"]).run().stdout)["findings"].is_array());
}

#[test]
fn what_a_person_went_back_to_is_not_taken_back_because_it_does_not_serve() {
    let world = World::new(Backup::LastGood);
    world.doctor(&["snapshot"]).run().expect_code(0);
    let changed = world.good.replace("'loopback'", "'lan'");
    assert_ne!(changed, world.good);
    world.write(changed.as_bytes());
    world.doctor(&["rollback", "-1"]).run().expect_code(0);
    // As the guardian does it every few minutes; nothing serves here.
    world.doctor(&["snapshot", "--auto"]).run().expect_code(0);
    assert_eq!(world.read(), world.good);
}

#[test]
fn errors_are_named_and_explained() {
    let world = World::new(Backup::None);
    world.doctor(&["explain", "config.required_key"]).run().expect_code(0);
    world.doctor(&["explain", "no.such"]).run().expect_code(64);
    world.doctor(&["rollback", "nothing"]).run().expect_code(64);
    world.doctor(&["apply"]).run().expect_code(64);
    world
        .doctor(&["check", "--probe", "/no/such/file"])
        .run()
        .expect_code(74);
}

/// Ways to damage the good configuration, and plain noise.
fn damage(good: String) -> impl Strategy<Value = Vec<u8>> {
    let len = good.len();
    let bytes = good.into_bytes();
    let cut = bytes.clone();
    let flip = bytes.clone();
    let insert = bytes.clone();
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        (0..len).prop_map(move |at| cut[..at].to_vec()),
        (0..len, any::<u8>()).prop_map(move |(at, byte)| {
            let mut bytes = flip.clone();
            bytes[at] = byte;
            bytes
        }),
        (0..len, "[\\[\\]{}:,'\"/*a ]{1,5}").prop_map(move |(at, text)| {
            let mut bytes = insert.clone();
            bytes.splice(at..at, text.bytes());
            bytes
        }),
        (0..len, 0..len).prop_map(move |(a, b)| {
            let mut bytes = bytes.clone();
            bytes.drain(a.min(b)..a.max(b));
            bytes
        }),
    ]
}

fn survives(world: &World, bytes: &[u8]) {
    world.write(bytes);
    let shown = || String::from_utf8_lossy(bytes).into_owned();
    for args in [&["check", "--json"][..], &["fix", "--json"], &["commit"]] {
        let output = world.doctor(args).run();
        assert!(
            matches!(output.code, 0..=2),
            "{args:?} exits with {}: {}\n{}",
            output.code,
            shown(),
            output.stderr
        );
        for said in [&output.stdout, &output.stderr] {
            assert!(!said.contains(SECRET), "{args:?} shows a secret of {}: {said}", shown());
        }
    }
    // Whatever it was, the gateway has something to start with now, and the old bytes are kept.
    world.doctor(&["preflight"]).run().expect_code(0);
    let kept = std::fs::read_dir(world.env.watchdog().join("generations/objects"))
        .unwrap()
        .flatten()
        .any(|object| std::fs::read(object.path()).unwrap() == bytes);
    assert!(kept || world.read().as_bytes() == bytes, "lost: {}", shown());
}

fn run(enough: impl Fn(u32) -> bool) {
    let world = World::new(Backup::None);
    world
        .env
        .oc_config(&serde_json::json!({"doctor": {"own_doctor": false}}));
    // What was once a secret stays one, wherever damage puts it.
    world.doctor(&["snapshot"]).run().expect_code(0);
    let mut runner = TestRunner::deterministic();
    let strategy = damage(world.good.clone());
    let mut n = 0;
    while !enough(n) {
        n += 1;
        survives(&world, &strategy.new_tree(&mut runner).unwrap().current());
    }
}

#[test]
fn no_bytes_as_configuration_bring_it_down_or_a_secret_out() {
    run(|n| n >= 25);
}

#[test]
#[ignore = "make fuzz"]
fn fuzz() {
    let seconds = std::env::var("OC_FUZZ_SECONDS")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(60);
    let begun = Instant::now();
    run(|_| begun.elapsed() >= Duration::from_secs(seconds));
}
