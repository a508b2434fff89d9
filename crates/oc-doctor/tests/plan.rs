//! An agent's plan: applied like any repair, refused when it is no better, held back when a person must decide.
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

use serde_json::Value;
use world::{Backup, World};

/// A broken configuration and the copy of it that the agent gets.
fn incident() -> World {
    let world = World::new(Backup::None);
    world.write(world.good.replace("    mode: 'local',\n", "").as_bytes());
    world.doctor(&["work", &dir(&world, "work")]).run().expect_code(0);
    world
}

fn dir(world: &World, name: &str) -> String {
    world.env.path("incident").join(name).display().to_string()
}

fn copy(world: &World) -> String {
    std::fs::read_to_string(dir(world, "work/openclaw.json")).unwrap()
}

fn edit(world: &World, change: impl Fn(&str) -> String) {
    std::fs::write(dir(world, "work/openclaw.json"), change(&copy(world))).unwrap();
}

fn apply(world: &World, extra: &[&str], code: i32) -> Value {
    let plan = dir(world, "plan.json");
    let output = world.doctor(&["apply", &plan, "--json"]).args(extra).run();
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    serde_json::from_str(&output.stdout).unwrap_or_default()
}

#[test]
fn the_copy_holds_no_secret_and_an_edit_of_it_is_applied_with_the_secrets_back() {
    let world = incident();
    assert!(!copy(&world).contains("hush"), "{}", copy(&world));
    edit(&world, |text| {
        text.replace("    // runs here\n", "    // runs here\n    mode: 'local',\n")
    });
    let body = apply(&world, &[], 0);
    assert_eq!(world.read(), world.good);
    assert!(!body.to_string().contains("hush"), "{body}");
    world.doctor(&["undo"]).run().expect_code(0);
    assert_ne!(world.read(), world.good);
}

#[test]
fn an_edit_that_is_no_better_is_refused() {
    let world = incident();
    let before = world.read();
    edit(&world, |text| text.replace("'info'", "'debug'"));
    apply(&world, &[], 2);
    edit(&world, |_| "{ broken".to_owned());
    apply(&world, &[], 2);
    assert_eq!(world.read(), before);
}

#[test]
fn opening_the_gateway_waits_for_a_person_who_gets_the_one_command() {
    let world = incident();
    let before = world.read();
    edit(&world, |text| {
        text.replace("    // runs here\n", "    mode: 'local',\n")
            .replace("'loopback'", "'lan'")
    });
    let body = apply(&world, &[], 1);
    assert_eq!(world.read(), before);
    assert!(body["human_steps"].to_string().contains("--approve"), "{body}");
    // A pass cannot approve; a person can.
    let plan = dir(&world, "plan.json");
    world
        .doctor(&["apply", &plan, "--approve"])
        .env("OC_RUN_DIR", "/tmp")
        .run()
        .expect_code(64);
    apply(&world, &["--approve"], 0);
    assert!(world.read().contains("'lan'"));
}

#[test]
fn a_users_edit_made_while_the_agent_worked_stands() {
    let world = incident();
    edit(&world, |text| {
        text.replace("    // runs here\n", "    mode: 'local',\n")
    });
    let theirs = world.good.replace("'info'", "'warn'");
    world.write(theirs.as_bytes());
    apply(&world, &[], 2);
    assert_eq!(world.read(), theirs);
}

#[test]
fn only_the_closed_verbs_are_understood() {
    let world = incident();
    std::fs::write(
        dir(&world, "plan.json"),
        r#"{"steps":[{"verb":"run","command":"touch $HOME/owned"}]}"#,
    )
    .unwrap();
    apply(&world, &[], 65);
    let steps = r#"{"steps":[{"verb":"human_step","command":"openclaw login","why":"the token expired"}]}"#;
    std::fs::write(dir(&world, "plan.json"), steps).unwrap();
    let body = apply(&world, &[], 2);
    assert_eq!(body["human_steps"][0], "the token expired: openclaw login");
    assert!(!world.env.path("owned").exists());
}

#[test]
fn a_generation_is_restored_and_a_plugin_turned_off() {
    let world = World::new(Backup::None);
    let output = world.doctor(&["snapshot", "--json"]).run().expect_code(0);
    let id = output.json()["generation"].as_str().unwrap().to_owned();
    world.write(b"{ nothing: ");
    let steps = format!(
        r#"{{"steps":[{{"verb":"restore_generation","generation":"{id}"}},{{"verb":"disable_plugin","plugin":"bad"}}]}}"#
    );
    world.env.write("incident/plan.json", steps);
    apply(&world, &[], 0);
    let text = world.read();
    assert!(text.starts_with("// my gateway") && text.contains("\"bad\""), "{text}");
}
