//! `self-check`: what is missing is named before it is needed, each with the command that mends it; where everything is there
//! nothing is complained about.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::launchd::Launchd;
use oc_testkit::{Asked, Crontab, TestEnv, ask, wait_until};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);
const LABEL: &str = "ai.openclaw.gateway";

fn conforms(answer: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/self-check.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(answer).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{answer:#}");
}

fn check(env: &TestEnv, code: i32) -> Value {
    let answer = env
        .cmd("oc-guardian")
        .args(["self-check", "--json"])
        .run()
        .expect_code(code)
        .json();
    conforms(&answer);
    answer
}

/// Status, text and remedy of all lines of one check.
fn lines(answer: &Value, name: &str) -> Vec<(String, String, String)> {
    let text = |line: &Value, key: &str| line[key].as_str().unwrap_or_default().to_owned();
    let all = answer["checks"].as_array().unwrap().iter();
    all.filter(|line| line["name"] == name)
        .map(|line| (text(line, "status"), text(line, "found"), text(line, "mend")))
        .collect()
}

#[track_caller]
fn one(answer: &Value, name: &str) -> (String, String, String) {
    let mut found = lines(answer, name);
    assert_eq!(found.len(), 1, "{name}: {found:?}");
    found.remove(0)
}

/// A serving gateway under launchd, a channel, a program called openclaw: everything but what install does.
fn complete() -> TestEnv {
    let env = TestEnv::with_launchd();
    let port = env.gateway_agent();
    env.oc_config(&json!({
        "probe": {"url": format!("http://127.0.0.1:{port}")},
        "notify": {"exec": ["/bin/cat"]},
    }));
    for private in [".openclaw/watchdog/config.json", ".openclaw/openclaw.json"] {
        std::fs::set_permissions(env.path(private), PermissionsExt::from_mode(0o600)).unwrap();
    }
    env.stub("openclaw", "echo OpenClaw 2026.9.6");
    let plist = env
        .path(format!("Library/LaunchAgents/{LABEL}.plist"))
        .display()
        .to_string();
    env.launchd()
        .say(&["bootstrap", &Launchd::domain(), &plist])
        .expect_code(0);
    wait_until("it answers", SOON, || {
        matches!(ask(port, "/healthz"), Asked::Answered(_))
    });
    env.foreign(oc_testkit::scripts().join("oc-heal")).run();
    env
}

#[test]
fn what_is_there_is_not_complained_about_and_what_is_not_installed_is() {
    let env = complete();
    let answer = check(&env, 2);
    let wrong: Vec<&Value> = answer["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| !matches!(line["status"].as_str(), Some("ok" | "skip")))
        .collect();
    assert_eq!(wrong.len(), 1, "{wrong:#?}");
    assert_eq!(
        (wrong[0]["name"].as_str(), wrong[0]["mend"].as_str()),
        (Some("jobs"), Some("oc-guardian install"))
    );
    assert_eq!(one(&answer, "service").0, "ok");
    assert_eq!(one(&answer, "passes").0, "ok");
}

#[test]
fn after_an_install_nothing_is_left_to_mend_and_what_is_then_lost_is_named() {
    let env = complete();
    env.crontab(Crontab::Works);
    env.cmd("oc-guardian").arg("install").run().expect_code(0);
    let answer = check(&env, 0);
    assert_eq!(answer["verdict"], "ok");
    assert!(lines(&answer, "jobs").len() >= 2, "{answer:#}");
    assert_eq!(one(&answer, "cron").0, "ok");
    let watchdog = "ai.openclaw.watchdog";
    std::fs::write(env.crontab_path(), "").unwrap();
    let _accepted = env.launchd().say(&["bootout", &Launchd::target(watchdog)]);
    wait_until("it is unloaded", SOON, || env.launchd().state(watchdog).is_none());
    let answer = check(&env, 2);
    let (status, _, mend) = one(&answer, "cron");
    assert_eq!((status.as_str(), mend.as_str()), ("fail", "oc-guardian ensure"));
    let lost = lines(&answer, "jobs")
        .into_iter()
        .filter(|(status, ..)| status == "fail");
    assert_eq!(
        lost.map(|(_, found, _)| found.contains(watchdog)).collect::<Vec<_>>(),
        [true]
    );
    // The command that is shown mends both.
    env.cmd("oc-guardian")
        .arg("ensure")
        .timeout(Duration::from_secs(60))
        .run()
        .expect_code(1);
    let answer = check(&env, 0);
    assert_eq!(answer["verdict"], "ok");
}

#[test]
fn each_damage_has_its_line_and_the_command_that_mends_it() {
    let env = complete();
    std::fs::set_permissions(env.config_path(), PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::remove_file(env.path(format!("Library/LaunchAgents/{LABEL}.plist"))).unwrap();
    env.launchd().say(&["bootout", &Launchd::target(LABEL)]).expect_code(0);
    env.launchd().say(&["disable", &Launchd::target(LABEL)]).expect_code(0);
    wait_until("it is unloaded", SOON, || env.launchd().state(LABEL).is_none());
    let answer = check(&env, 2);
    let (status, found, mend) = one(&answer, "permissions");
    assert!(
        status == "warn" && found.contains("0644") && mend.starts_with("chmod go-rwx '"),
        "{found} {mend}"
    );
    assert_eq!(one(&answer, "definition").2, "openclaw gateway install --force");
    assert_eq!(
        one(&answer, "service").2,
        format!("launchctl enable gui/$(id -u)/{LABEL}")
    );
    // The mode is mended by the very command that is shown.
    env.foreign("/bin/sh").args(["-c", &mend]).run().expect_code(0);
    assert_eq!(one(&check(&env, 2), "permissions").0, "ok");
}

#[test]
fn without_anybody_to_tell_and_without_a_login_for_the_agent_it_says_so() {
    let env = TestEnv::new();
    assert_eq!(one(&check(&env, 2), "notify").0, "warn");
    assert_eq!(one(&check(&env, 2), "agent").0, "skip");
    env.oc_config(&json!({"agent": {"enabled": true, "driver": "headless"}}));
    env.stub("claude", "exit 1");
    let (status, _, mend) = one(&check(&env, 2), "agent");
    assert!(status == "fail" && mend.contains("claude auth login"), "{mend}");
    env.stub("claude", "[ \"$*\" = 'auth status' ]");
    assert_eq!(one(&check(&env, 2), "agent").0, "ok");
}

#[test]
fn a_configuration_that_is_wrong_is_a_finding_and_stops_nothing() {
    let env = TestEnv::new();
    env.write(".openclaw/watchdog/config.json", r#"{"probe":{"tries":"many"}}"#);
    let answer = check(&env, 2);
    let (status, found, _) = one(&answer, "config");
    assert!(status == "fail" && found.contains("probe.tries"), "{found}");
    assert_eq!(one(&answer, "tools").0, "ok");
}

#[test]
fn two_owners_are_a_finding() {
    let env = complete();
    let plist = env
        .path(format!("Library/LaunchAgents/{LABEL}.plist"))
        .display()
        .to_string();
    env.launchd().say(&["bootstrap", "system", &plist]).expect_code(0);
    let (status, _, mend) = one(&check(&env, 2), "owners");
    assert_eq!(
        (status.as_str(), mend),
        ("fail", format!("sudo launchctl bootout system/{LABEL}"))
    );
    let status = env.cmd("oc-guardian").arg("status").run();
    assert!(status.stdout.contains(&format!("system/{LABEL}")), "{}", status.stdout);
}

#[test]
fn the_table_lines_up() {
    let env = TestEnv::new();
    let text = env.cmd("oc-guardian").arg("self-check").run().expect_code(2).stdout;
    let starts: Vec<usize> = text
        .lines()
        .filter(|line| !line.starts_with(' '))
        .map(|line| {
            line.len()
                - line[4..]
                    .trim_start()
                    .trim_start_matches(|c: char| c != ' ')
                    .trim_start()
                    .len()
        })
        .collect();
    assert!(starts.len() > 8 && starts.iter().all(|at| *at == starts[0]), "{text}");
}

#[test]
fn the_exercise_keeps_to_its_schema() {
    let env = TestEnv::with_launchd();
    let words = ["self-check", "--exercise", "--dry-run", "--json"];
    conforms(&env.cmd("oc-guardian").args(words).run().expect_code(0).json());
}
