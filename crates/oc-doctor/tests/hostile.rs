//! Neighbours that mean harm or know no better: doctors that delete, hang, flood and lie; a writer at the same moment; our
//! own death at every step.
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

use std::time::{Duration, Instant};
use world::{Backup, World};

/// A configuration that nothing of ours can explain or mend: the service says 78.
fn refused() -> World {
    let world = World::new(Backup::None);
    world
        .env
        .oc_config(&serde_json::json!({"doctor": {"own_doctor_timeout": "2s"}}));
    world
}

fn fix(world: &World) -> serde_json::Value {
    let report = world.exited(78);
    let output = world.doctor(&["fix", "--json", "--probe", &report]).run();
    assert!(output.stdout.len() < 1 << 20);
    serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {} {}", output.stdout, output.stderr))
}

/// The script runs as `openclaw doctor --fix --non-interactive`.
fn doctor_is(world: &World, script: &str) {
    world.env.stub(
        "openclaw",
        &format!("case $1 in doctor) ;; *) exit 1 ;; esac\n{script}"),
    );
}

#[test]
fn a_doctor_that_harms_is_taken_back() {
    for harm in [
        ": deletes the file\nrm \"$OPENCLAW_CONFIG_PATH\"",
        ": empties it\n: > \"$OPENCLAW_CONFIG_PATH\"",
        ": deletes keys\nprintf '{ gateway: { port: 1 } }' > \"$OPENCLAW_CONFIG_PATH\"; echo Doctor complete",
        ": writes garbage and fails\nprintf '}}}' > \"$OPENCLAW_CONFIG_PATH\"; exit 1",
        ": exits 0 without fixing\necho Doctor complete",
    ] {
        let world = refused();
        doctor_is(&world, harm);
        let body = fix(&world);
        assert_eq!(world.read(), world.good, "{harm}: {body:#}");
        assert_eq!(body["exit"], 2, "{harm}: what is wrong is still wrong");
        assert!(
            body["actions"].to_string().contains("openclaw doctor"),
            "{harm}: it is reported: {body:#}"
        );
    }
}

#[test]
fn a_doctor_that_hangs_asks_or_floods_is_bounded() {
    for endless in [
        "sleep 600 & wait",
        "read answer; sleep 600",
        "yes hush | head -c 1000000000; sleep 600",
    ] {
        let world = refused();
        doctor_is(&world, endless);
        let begun = Instant::now();
        let body = fix(&world);
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "{endless}: {:?}",
            begun.elapsed()
        );
        assert!(
            body["actions"].to_string().contains("ended after 2 s"),
            "{endless}: {body:#}"
        );
        assert_eq!(world.read(), world.good);
    }
}

#[test]
fn a_doctor_that_helps_keeps_only_what_helps() {
    let world = World::new(Backup::None);
    // Two faults: one that needs the service's own word, and nobody gives it; its doctor repairs it among other edits.
    let broken = world.good.replace("    mode: 'local',\n", "");
    world.write(broken.as_bytes());
    world
        .env
        .oc_config(&serde_json::json!({"doctor": {"disabled_remedies": ["required_key"]}}));
    doctor_is(
        &world,
        r#"printf '{"gateway":{"mode":"local","port":%s,"bind":"loopback","auth":{"mode":"token","token":"tok-hush-hush"}},"logging":{"level":"debug"},"skills":{"entries":{"x":{"enabled":false}}},"wizard":{"ran":1}}' "$OPENCLAW_GATEWAY_PORT" > "$OPENCLAW_CONFIG_PATH""#,
    );
    let body = fix(&world);
    assert_eq!(body["exit"], 0, "{body:#}");
    let text = world.read();
    let without: String = text
        .lines()
        .filter(|l| !l.contains("\"mode\""))
        .map(|l| format!("{l}\n"))
        .collect();
    assert_eq!(without, broken, "comments and everything else as they were: {body:#}");
    assert!(body["actions"].to_string().contains("taken back"), "{body:#}");
}

#[test]
fn its_own_doctor_runs_once_per_content_and_never_beside_a_serving_gateway() {
    let world = refused();
    doctor_is(&world, "echo ran >> \"$HOME/ran\"");
    fix(&world);
    fix(&world);
    assert_eq!(std::fs::read_to_string(world.env.path("ran")).unwrap(), "ran\n");

    let world = refused();
    doctor_is(&world, "echo ran >> \"$HOME/ran\"");
    world
        .env
        .oc_config(&serde_json::json!({"doctor": {"disabled_remedies": ["required_key"]}}));
    let _serving = world.env.gateway().on_port(world.port).config_untouched().start();
    world.write(world.good.replace("    mode: 'local',\n", "").as_bytes());
    world.doctor(&["fix"]).run();
    assert!(!world.env.path("ran").exists(), "80 s of outage for nothing");
}

#[test]
fn with_good_and_current_both_refused_the_next_older_one_is_taken_and_then_a_human() {
    let world = refused();
    doctor_is(&world, "exit 1");
    let older = world.good.replace("'info'", "'warn'");
    for (n, text) in [&older, &world.good].into_iter().enumerate() {
        world.write(text.as_bytes());
        world
            .doctor(&["snapshot", "--note", &n.to_string()])
            .run()
            .expect_code(0);
    }
    let mut seen = Vec::new();
    world.write(world.good.replace("'info'", "'error'").as_bytes());
    for _ in 0..5 {
        fix(&world);
        seen.push(world.read());
        // The service refuses everything.
        let report = world.exited(78);
        world.doctor(&["undo", "--probe", &report]).run().expect_code(0);
    }
    assert!(
        seen.contains(&world.good) && seen.contains(&older),
        "both were tried: {seen:#?}"
    );
    assert_eq!(seen[3], seen[4], "no flip-flop: it settles");
    let report = world.exited(78);
    world.doctor(&["fix", "--probe", &report]).run().expect_code(2);
}

#[test]
fn kill_9_at_every_step_leaves_the_old_or_the_new_file_and_the_next_run_goes_on() {
    for at in ["recorded", "temp", "exchanged", "written", "closing"] {
        let world = World::new(Backup::None);
        let broken = world.good.replace("    mode: 'local',\n", "");
        world.write(broken.as_bytes());
        let args: &[&str] = if at == "closing" {
            &["fix", "--verify", "--deadline", "1ms"]
        } else {
            &["fix"]
        };
        let output = world.doctor(args).env("OC_CRASH_AT", at).run();
        assert!(output.code != 0, "{at}: it was to die");
        let text = world.read();
        let new = text.contains("\"mode\": \"local\"");
        assert!(text == broken || new, "{at}: neither old nor new: {text}");
        world.doctor(&["fix"]).run().expect_code(0);
        assert!(
            world.read().contains("\"mode\": \"local\""),
            "{at}: the next run goes on"
        );
        world.doctor(&["undo"]).run().expect_code(0);
        assert_eq!(temporary(&world), Vec::<String>::new(), "{at}");
    }
}

/// What was left beside the configuration.
fn temporary(world: &World) -> Vec<String> {
    std::fs::read_dir(world.env.state_dir())
        .unwrap()
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|n| n.contains(".oc-"))
        .collect()
}

#[test]
fn who_closes_the_repair_of_a_killed_one_says_what_was_changed() {
    let world = World::new(Backup::None);
    world.write(world.good.replace("    mode: 'local',\n", "").as_bytes());
    let killed = world.doctor(&["fix"]).env("OC_CRASH_AT", "written").run();
    assert!(killed.code != 0 && killed.stdout.is_empty(), "{killed:?}");
    let kept = world.doctor(&["commit", "--json"]).run().expect_code(0).json();
    assert!(kept["actions"][0].as_str().unwrap().contains("gateway.mode"), "{kept}");
    assert!(kept["diff"].as_str().unwrap().contains("+"), "{kept}");
    let journal = std::fs::read_to_string(world.env.watchdog().join("journal.jsonl")).unwrap();
    let repairs: Vec<&str> = journal.lines().filter(|l| l.contains("\"repair\"")).collect();
    assert_eq!(repairs.len(), 2, "what was done, and that it stays: {repairs:#?}");
    assert!(repairs[0].contains("gateway.mode"), "{repairs:#?}");
}

#[test]
fn an_undo_that_was_killed_over_its_half_written_file_is_done_by_the_next_one() {
    let world = World::new(Backup::None);
    let broken = world.good.replace("    mode: 'local',\n", "");
    world.write(broken.as_bytes());
    world.doctor(&["fix"]).run().expect_code(0);
    let half = world.env.config_path().with_file_name(".openclaw.json.oc-undo.new");
    std::fs::write(&half, "{ gate").unwrap();
    world.doctor(&["undo"]).run().expect_code(0);
    assert_eq!(world.read(), broken);
    assert!(!half.exists());
}

#[test]
fn an_undo_of_its_own_doctor_that_was_killed_is_finished_by_the_next_one() {
    let world = World::new(Backup::None);
    let remedies = ["commas", "cut_garbage", "close_cut", "restore", "minimal"];
    world
        .env
        .oc_config(&serde_json::json!({"doctor": {"disabled_remedies": remedies}}));
    let broken = world.good.replace("'local',", "'local'");
    world.write(broken.as_bytes());
    doctor_is(
        &world,
        r#"printf '{"gateway":{"mode":"local","port":%s,"auth":{"mode":"token","token":"t"}}}' "$OPENCLAW_GATEWAY_PORT" > "$OPENCLAW_CONFIG_PATH""#,
    );
    let body = fix(&world);
    assert!(body["actions"].to_string().contains("kept as it is"), "{body:#}");
    let killed = world.doctor(&["undo"]).env("OC_CRASH_AT", "exchanged").run();
    assert!(killed.code != 0, "it was to die");
    world.doctor(&["undo"]).run().expect_code(0);
    assert_eq!(world.read(), broken);
    assert_eq!(temporary(&world), Vec::<String>::new());
}

#[test]
fn a_users_edits_made_meanwhile_are_never_lost() {
    let world = World::new(Backup::None);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let path = world.env.config_path();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut last = String::new();
            let mut n = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                n += 1;
                last = format!("{{ gateway: {{ port: {}, }}, /* edit {n} */ }}\n", world.port);
                let temp = path.with_extension("editor");
                std::fs::write(&temp, &last).unwrap();
                std::fs::rename(&temp, &path).unwrap();
                std::thread::yield_now();
            }
            (last, n)
        });
        for _ in 0..10 {
            world.doctor(&["fix", "-q"]).run();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        let (last, n) = writer.join().unwrap();
        let comment = format!("/* edit {n} */");
        let text = world.read();
        assert!(
            text.contains(&comment),
            "the newest edit is what stands (with or without our key):\n{text}\n{last}"
        );
    });
}

#[test]
fn a_dry_run_changes_nothing_at_all() {
    let world = World::new(Backup::LastGood);
    let broken = world.good.replace("    mode: 'local',\n", "");
    world.write(broken.as_bytes());
    let listing = |world: &World| {
        let mut names: Vec<_> = std::fs::read_dir(world.env.state_dir())
            .unwrap()
            .flatten()
            .map(|e| e.file_name())
            .collect();
        names.sort();
        names
    };
    let before = listing(&world);
    let output = world.doctor(&["fix", "--dry-run"]).run().expect_code(1);
    assert!(output.stdout.contains("+    \"mode\": \"local\""), "{}", output.stdout);
    world.doctor(&["check"]).run().expect_code(1);
    assert_eq!((world.read(), listing(&world)), (broken, before));
}
