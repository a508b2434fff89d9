//! The playbook: what a plan healed once is healed again without anybody being asked.
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

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use world::{Backup, World};

const MODE: &str = "    mode: 'local',\n";

/// A gateway without its mode, which our own remedies are told not to mend.
fn beyond_us() -> World {
    let world = World::new(Backup::None);
    world
        .env
        .oc_config(&json!({"doctor": {"own_doctor": false, "disabled_remedies": ["required_key", "restore"]}}));
    world.write(world.good.replace(MODE, "").as_bytes());
    world
}

fn fix(world: &World, code: i32) -> Value {
    let report = world.exited(78);
    let output = world.doctor(&["fix", "--json", "--probe", &report]).run();
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

/// What an agent does: it edits the copy and writes a plan. No agent is needed for that.
fn plan(world: &World, change: impl Fn(&str) -> String) -> String {
    let incident = world.env.path("incident");
    let _old = std::fs::remove_dir_all(&incident);
    let work = incident.join("work").display().to_string();
    world.doctor(&["work", &work]).run().expect_code(0);
    let copy = incident.join("work/openclaw.json");
    let text = change(&std::fs::read_to_string(&copy).unwrap());
    std::fs::write(&copy, text).unwrap();
    let said = r#"{"steps":[],"summary":"put it back; the token is tok-hush-hush \u001b[31m"}"#;
    world.env.write("incident/plan.json", said).display().to_string()
}

fn lessons(world: &World) -> Vec<Value> {
    let report = world.exited(78);
    let output = world
        .doctor(&["playbook", "list", "--json", "--probe", &report])
        .run()
        .expect_code(0);
    assert!(!output.stdout.contains("hush"), "{}", output.stdout);
    let body = output.json();
    let schema = include_str!("../../../schemas/doctor-playbook.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<String> = validator.iter_errors(&body).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?} in {body:#}");
    body["lessons"].as_array().unwrap().clone()
}

/// The plan is applied, the gateway serves, the repair is kept.
fn heal_by_plan(world: &World, extra: &[&str], change: impl Fn(&str) -> String) {
    let plan = plan(world, change);
    world.doctor(&["apply", &plan]).args(extra).run().expect_code(0);
    let _serving = world.gateway().start();
    world.doctor(&["commit"]).run().expect_code(0);
}

fn with_mode(text: &str) -> String {
    text.replace("    // runs here\n", "    // runs here\n    mode: 'local',\n")
}

#[test]
fn the_second_time_it_is_healed_without_a_session() {
    let world = beyond_us();
    fix(&world, 2);
    heal_by_plan(&world, &[], with_mode);
    assert_eq!(world.read(), world.good);

    // Edited since, and broken in the same way: the lesson fits, and touches nothing else.
    let grown = world.good.replace("'info'", "'warn'");
    world.write(grown.replace(MODE, "").as_bytes());
    let known = lessons(&world);
    assert_eq!(
        (known.len(), &known[0]["match"], &known[0]["healed"]),
        (1, &json!("same"), &json!(1))
    );
    let body = fix(&world, 0);
    assert_eq!(body["findings"][0]["remedy"], "playbook", "{body:#}");
    let _serving = world.gateway().start();
    world.doctor(&["commit"]).run().expect_code(0);
    let text = world.read();
    assert_eq!(
        text.replace("    \"mode\": \"local\",\n", ""),
        grown.replace(MODE, ""),
        "{text}"
    );
    assert_eq!(lessons(&world)[0]["healed"], 2);
}

#[test]
fn a_lesson_that_does_not_help_is_taken_back_and_not_repeated() {
    let world = beyond_us();
    heal_by_plan(&world, &[], with_mode);
    let broken = world.good.replace(MODE, "");
    world.write(broken.as_bytes());
    fix(&world, 0);
    world.doctor(&["undo"]).run().expect_code(0);
    assert_eq!(world.read(), broken);
    assert_eq!(lessons(&world)[0]["retired"], true);
    fix(&world, 2);
    let id = lessons(&world)[0]["id"].as_str().unwrap().to_owned();
    world.doctor(&["playbook", "accept", &id]).run().expect_code(0);
    fix(&world, 0);
}

#[test]
fn what_did_not_heal_teaches_nothing() {
    let world = beyond_us();
    let path = plan(&world, with_mode);
    world.doctor(&["apply", &path]).run().expect_code(0);
    world.doctor(&["commit"]).run().expect_code(0);
    assert!(lessons(&world).is_empty(), "nobody saw it serve");
    world.write(world.good.replace(MODE, "").as_bytes());
    fix(&world, 2);
}

#[test]
fn who_may_do_what_is_repeated_only_after_accept() {
    let world = beyond_us();
    let open = |text: &str| with_mode(text).replace("'loopback'", "'lan'");
    heal_by_plan(&world, &["--approve"], open);
    let broken = world.good.replace(MODE, "");
    world.write(broken.as_bytes());
    let body = fix(&world, 2);
    let id = lessons(&world)[0]["id"].as_str().unwrap().to_owned();
    let said = body["human_steps"].to_string();
    assert!(
        said.contains(&format!("oc-doctor playbook accept {id}")) && said.contains("gateway.bind"),
        "{said}"
    );
    assert_eq!(world.read(), broken);
    world
        .doctor(&["playbook", "accept", &id])
        .env("OC_RUN_DIR", "/tmp")
        .run()
        .expect_code(64);
    world.doctor(&["playbook", "accept", &id[..6]]).run().expect_code(0);
    fix(&world, 0);
    assert!(world.read().contains("lan"), "{}", world.read());
}

#[test]
fn it_is_kept_privately_without_secrets_and_can_be_forgotten() {
    let world = beyond_us();
    heal_by_plan(&world, &[], with_mode);
    let dir = world.env.watchdog().join("playbook");
    let files: Vec<_> = std::fs::read_dir(&dir).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(!text.contains("hush") && !text.contains("\\u001b"), "{text}");
    let id = lessons(&world)[0]["id"].as_str().unwrap().to_owned();
    let shown = world.doctor(&["playbook", "show", &id]).run().expect_code(0).stdout;
    assert!(shown.contains("edit: gateway.mode: (nothing) -> \"local\""), "{shown}");
    world.doctor(&["playbook", "show", "nothing"]).run().expect_code(64);
    world
        .doctor(&["playbook", "forget", &id, "--dry-run"])
        .run()
        .expect_code(0);
    assert_eq!(lessons(&world).len(), 1);
    world.doctor(&["playbook", "forget", &id]).run().expect_code(0);
    assert!(lessons(&world).is_empty());
    world.write(world.good.replace(MODE, "").as_bytes());
    fix(&world, 2);
}

/// A damaged lesson is said and left; the others count.
#[test]
fn garbage_in_the_playbook_keeps_nobody_from_healing() {
    let world = beyond_us();
    heal_by_plan(&world, &[], with_mode);
    world.env.write(".openclaw/watchdog/playbook/bad.json", "{ no");
    world.write(world.good.replace(MODE, "").as_bytes());
    fix(&world, 0);
}
