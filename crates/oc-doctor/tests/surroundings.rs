//! Around the configuration: what is a human's decision ends in one clear sentence with the command to run, and nothing is
//! touched; a stale gateway of ours is ended, a stranger never.
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

use oc_testkit::{Signal, wait_until};
use serde_json::Value;
use std::time::Duration;
use world::{Backup, World};

fn fix(world: &World, code: i32) -> Value {
    let output = world.doctor(&["fix", "--json"]).run();
    assert_eq!(output.code, code, "{}{}", output.stdout, output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

fn finding<'a>(body: &'a Value, id: &str) -> &'a Value {
    let findings = body["findings"].as_array().unwrap();
    findings
        .iter()
        .find(|f| f["id"] == id)
        .unwrap_or_else(|| panic!("no {id} in {body:#}"))
}

#[test]
fn f_a_stranger_on_the_port_is_named_and_left_alone() {
    let world = World::new(Backup::LastGood);
    let socket = std::net::TcpListener::bind(("127.0.0.1", world.port)).unwrap();
    let body = fix(&world, 2);
    let found = finding(&body, "port.foreign");
    let me = std::process::id();
    assert!(
        found["message"].as_str().unwrap().contains(&format!("pid {me}")),
        "{found}"
    );
    assert_eq!(found["command"], format!("kill {me}"));
    assert_eq!(world.read(), world.good);
    drop(socket);
}

#[test]
fn g3_a_hung_gateway_of_ours_is_ended_by_its_lock_and_a_new_one_starts() {
    let world = World::new(Backup::LastGood);
    let mut stale = world.env.gateway().on_port(world.port).config_untouched().start();
    stale.signal(Signal::STOP);
    let body = fix(&world, 0);
    assert_eq!(finding(&body, "port.stale_gateway")["applied"], true, "{body:#}");
    wait_until("the stale one is gone", Duration::from_secs(5), || !stale.alive());
    let _new = world.env.gateway().on_port(world.port).config_untouched().start();
    assert_eq!(world.read(), world.good);
}

#[test]
fn a_gateway_that_came_back_since_the_probe_looked_is_never_ended() {
    let world = World::new(Backup::LastGood);
    let report = world.exited(78);
    let mut back = world.env.gateway().on_port(world.port).config_untouched().start();
    let output = world.doctor(&["fix", "--probe", &report, "--json"]).run();
    let body: Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = body["findings"].as_array().unwrap();
    let about = |f: &Value| f["id"].as_str().unwrap().starts_with("port.");
    assert!(!findings.iter().any(about), "{body:#}");
    assert!(back.alive() && back.is_ready(), "{body:#}");
    let plan = world
        .env
        .write("plan.json", r#"{"steps": [{"verb": "end_stale_gateway"}]}"#);
    let plan = plan.display().to_string();
    let output = world.doctor(&["apply", &plan, "--probe", &report, "--json"]).run();
    assert!(back.alive() && back.is_ready(), "{}{}", output.stdout, output.stderr);
}

#[test]
fn a_serving_gateway_is_never_touched() {
    let world = World::new(Backup::LastGood);
    let mut serving = world.env.gateway().on_port(world.port).config_untouched().start();
    fix(&world, 0);
    assert!(serving.alive() && serving.is_ready());
    assert_eq!(world.read(), world.good);
}

#[test]
fn o_a_newer_configuration_is_a_humans_decision() {
    let world = World::new(Backup::LastGood);
    world
        .env
        .write("package/package.json", r#"{"name":"openclaw","version":"2026.9.6"}"#);
    let package = world.env.path("package").display().to_string();
    world
        .env
        .oc_config(&serde_json::json!({"service": {"package_dir": package}}));
    let newer = world
        .good
        .replace("  logging:", "  meta: { lastTouchedVersion: '2099.1.1' },\n  logging:");
    world.write(newer.as_bytes());
    let body = fix(&world, 2);
    assert_eq!(
        finding(&body, "config.newer_version")["command"],
        "npm install -g openclaw@2099.1.1"
    );
    assert_eq!(world.read(), newer);
}

#[test]
fn p_a_damaged_database_is_a_humans_decision() {
    let world = World::new(Backup::LastGood);
    let database = world
        .env
        .write(".openclaw/state/openclaw.sqlite", "garbage, not a database");
    let body = fix(&world, 2);
    assert!(
        finding(&body, "state.database")["command"]
            .as_str()
            .unwrap()
            .contains(".broken")
    );
    assert_eq!(std::fs::read(database).unwrap(), b"garbage, not a database");
}

#[test]
fn i_a_full_disk_costs_rotated_logs_only() {
    let world = World::new(Backup::LastGood);
    // More than any disk has: the remedy is the same.
    world
        .env
        .oc_config(&serde_json::json!({"probe": {"disk_min_free": "900000gb"}, "doctor": {"service_log_dirs": []}}));
    let old = world.env.write(".openclaw/logs/watchdog.log.1", "old");
    let current = world.env.write(".openclaw/logs/gateway.log", "current");
    let body = fix(&world, 1);
    assert!(!old.exists() && current.exists(), "{body:#}");
}

#[test]
fn check_writes_nothing_and_names_the_cause_of_the_last_exit() {
    let world = World::new(Backup::LastGood);
    world.env.write(
        ".openclaw/logs/gateway.log",
        "FATAL ERROR: JavaScript heap out of memory tok-hush-hush\n",
    );
    let report = world.exited(134);
    let output = world
        .doctor(&["check", "--probe", &report, "--json"])
        .run()
        .expect_code(0);
    let body: Value = serde_json::from_str(&output.stdout).unwrap();
    let cause = finding(&body, "exit.cause")["message"].as_str().unwrap();
    assert!(cause.contains("ran out of memory"), "{cause}");
    assert!(!output.stdout.contains("hush"), "{}", output.stdout);
    assert!(!world.env.watchdog().join("transaction.json").exists());
}

#[test]
fn preflight_says_78_for_a_fatal_configuration_only_and_survives_our_own_broken_files() {
    let world = World::new(Backup::LastGood);
    world.doctor(&["preflight"]).run().expect_code(0);
    world.env.write(".openclaw/watchdog/config.json", "{ broken");
    world.doctor(&["preflight"]).run().expect_code(0);
    world.write(world.good.replace("    mode:", "    unknown: 1,\n    mode:").as_bytes());
    world.doctor(&["preflight"]).run().expect_code(0);
    for fatal in [&b"{"[..], b"", b"{ gateway: {} }"] {
        world.write(fatal);
        world.doctor(&["preflight"]).run().expect_code(78);
    }
}

#[test]
fn another_healing_makes_fix_wait_its_turn() {
    let world = World::new(Backup::LastGood);
    let lock = world.env.watchdog().join("locks/healing.lock");
    world.doctor(&["snapshot"]).run().expect_code(0);
    let _held = oc_core::lock::HealingLock::take(&lock).unwrap();
    world.write(b"{ broken");
    for act in [&["fix"][..], &["undo"], &["rollback"], &["apply", "plan.json"]] {
        world.doctor(act).run().expect_code(75);
    }
    world.doctor(&["check"]).run().expect_code(1);
    world.doctor(&["snapshot", "--auto"]).run().expect_code(0);
    assert_eq!(world.read(), "{ broken");
}

#[test]
fn secrets_that_others_may_read_are_a_warning_that_does_not_show_them() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(Backup::None);
    let secrets = world.env.write(".openclaw/.env", "TELEGRAM_BOT_TOKEN=hush-hush\n");
    let mode = |mode| std::fs::set_permissions(&secrets, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    world.doctor(&["check"]).run().expect_code(0);
    mode(0o644);
    let body = fix(&world, 0);
    let found = finding(&body, "secrets.permissions");
    assert_eq!(found["severity"], "warning");
    assert_eq!(found["command"], format!("chmod 600 {}", secrets.display()));
    assert!(!body.to_string().contains("hush"), "{body:#}");
    assert_eq!(std::fs::metadata(&secrets).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_link_stays_a_link_and_modes_stay() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new(Backup::None);
    let real = world
        .env
        .write("dotfiles/openclaw.json", world.good.replace("    mode: 'local',\n", ""));
    std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::remove_file(world.env.config_path()).unwrap();
    std::os::unix::fs::symlink(&real, world.env.config_path()).unwrap();
    fix(&world, 0);
    assert!(std::fs::symlink_metadata(world.env.config_path()).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(std::fs::read_to_string(&real).unwrap().contains("\"mode\": \"local\""));
}

#[test]
fn a_broken_include_is_restored_from_the_generation_that_had_it() {
    let world = World::new(Backup::None);
    let with = world
        .good
        .replace("  logging:", "  '$include': './more.json5',\n  logging:");
    world.write(with.as_bytes());
    let more = world.env.write(".openclaw/more.json5", "// more\n{ ui: { x: 1 }, }\n");
    world.doctor(&["snapshot"]).run().expect_code(0);
    std::fs::write(&more, "{ ui: ").unwrap();
    let body = fix(&world, 0);
    assert_eq!(
        std::fs::read_to_string(&more).unwrap(),
        "// more\n{ ui: { x: 1 }, }\n",
        "{body:#}"
    );
    assert_eq!(world.read(), with);
    world.doctor(&["undo"]).run().expect_code(0);
    assert_eq!(std::fs::read_to_string(&more).unwrap(), "{ ui: ");
}

/// A plugin that throws: recorded from 2026.9.6.
#[test]
fn the_plugin_that_the_log_of_a_failed_start_names_is_turned_off_alone() {
    let world = World::new(Backup::None);
    let plugins = "  plugins: { entries: { weather: { enabled: true }, calm: { enabled: true } } },\n  logging:";
    let with = world.good.replace("  logging:", plugins);
    world.write(with.as_bytes());
    let report = world.exited(1);
    let fix = || world.doctor(&["fix", "--json", "--probe", &report]).run();
    fix().expect_code(0);
    assert_eq!(world.read(), with, "nobody is accused");
    let trace = "[gateway] starting HTTP server...\nError: kaputt\n    at file:///x/package-0/node_modules/weather/index.js:1:76\n";
    world.env.write(".openclaw/logs/supervise.log", trace);
    let body: Value = serde_json::from_str(&fix().expect_code(0).stdout).unwrap();
    assert_eq!(finding(&body, "plugin.broken")["remedy"], "disable_plugin", "{body:#}");
    assert!(
        body["actions"].to_string().contains("plugin weather turned off"),
        "{body:#}"
    );
    assert_eq!(world.read(), with.replacen("enabled: true", "enabled: false", 1));
    // It fails all the same: the plugin was not the cause, and is on again.
    let report = world.exited(1);
    world.doctor(&["undo", "--probe", &report]).run().expect_code(0);
    assert_eq!(world.read(), with);
}

#[test]
fn a_full_disk_also_costs_the_logs_that_the_gateway_left_elsewhere_a_day_ago() {
    let world = World::new(Backup::LastGood);
    let elsewhere = world.env.path("tmp/openclaw");
    let settings = |dirs: &[&std::path::Path]| serde_json::json!({"probe": {"disk_min_free": "900000gb"}, "doctor": {"service_log_dirs": dirs}});
    let old = world.env.write("tmp/openclaw/openclaw-2026-01-01.log", "old");
    let current = world.env.write("tmp/openclaw/openclaw-2026-01-02.log", "current");
    let strange = world.env.write("tmp/openclaw/notes.log", "not a gateway's");
    let day = std::time::Duration::from_secs(25 * 3600);
    for file in [&old, &strange] {
        let handle = std::fs::File::options().append(true).open(file).unwrap();
        handle.set_modified(std::time::SystemTime::now() - day).unwrap();
    }
    world.env.oc_config(&settings(&[]));
    fix(&world, 2);
    assert!(old.exists());
    // Through a link, or where others may write, nothing is removed.
    let link = world.env.path("link");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    world.env.oc_config(&settings(&[&link]));
    fix(&world, 2);
    assert!(old.exists());
    world.env.oc_config(&settings(&[&elsewhere]));
    fix(&world, 1);
    assert!(!old.exists() && current.exists() && strange.exists());
}

#[test]
fn what_is_missing_around_the_service_is_said_before_a_start_and_never_keeps_it_back() {
    let world = World::new(Backup::LastGood);
    let holder = std::net::TcpListener::bind(("127.0.0.1", world.port)).unwrap();
    let started = world.env.path("docker-started");
    world.env.stub("docker", &format!("test -e {}", started.display()));
    world.env.stub("start-docker", &format!("touch {}", started.display()));
    let preflight = |settings: Value| {
        world
            .env
            .oc_config(&serde_json::json!({"doctor": {"preflight": settings}}));
        let output = world.doctor(&["preflight", "--json"]).run().expect_code(0);
        let body = output.json();
        let findings = body["findings"].as_array().unwrap().clone();
        assert!(findings.iter().all(|f| f["severity"] == "warning"), "{body:#}");
        findings
            .iter()
            .map(|f| f["id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(
        preflight(serde_json::json!({})).is_empty(),
        "all of it is off by default"
    );
    let hosts = [format!("127.0.0.1:{}", world.port), "127.0.0.1:1".to_owned()];
    let all =
        serde_json::json!({"docker": {"enabled": true, "timeout": "1s"}, "network": {"hosts": hosts}, "port": true});
    assert_eq!(
        preflight(all),
        ["dependency.docker", "dependency.network", "port.foreign"]
    );
    let docker = serde_json::json!({"docker": {"enabled": true, "start": ["start-docker"]}});
    assert!(preflight(docker).is_empty() && started.exists());
    drop(holder);
}

/// Also when our own directory lies there, so that nothing at all can be written.
#[test]
#[ignore = "needs mount namespaces: make e2e"]
fn h4_a_read_only_mount_is_named_with_the_command() {
    let world = World::new(Backup::LastGood);
    let state = world.env.state_dir().display().to_string();
    let doctor = oc_testkit::bin("oc-doctor").display().to_string();
    let script = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" fix --json"#;
    let in_there = world
        .env
        .foreign("unshare")
        .args(["-rm", "sh", "-c", script, "sh", &state, &doctor]);
    let body = in_there.run().expect_code(2).json();
    let command = finding(&body, "disk.read_only")["command"].as_str().unwrap();
    assert!(command.contains("remount,rw"), "{command}");
    assert_eq!(world.read(), world.good);
}
