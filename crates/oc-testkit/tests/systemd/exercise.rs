//! What `self-check --exercise` expects of systemd is what systemd does.

use oc_testkit::TestEnv;
use oc_testkit::user_manager::{UserManager, inside};
use std::time::Duration;

#[test]
#[ignore = "needs root and systemd; make e2e"]
fn the_exercise_finds_everything_as_expected_and_leaves_nothing() {
    if !inside() {
        return;
    }
    let mut env = TestEnv::new();
    let manager = UserManager::start(&mut env);
    let words = ["self-check", "--exercise", "--json"];
    let out = env
        .cmd("oc-guardian")
        .args(words)
        .timeout(Duration::from_secs(120))
        .run();
    let answer = out.expect_code(0).json();
    assert_eq!(
        (answer["manager"].as_str(), answer["verdict"].as_str()),
        (Some("systemd"), Some("as_expected"))
    );
    let units = manager.ask(&env, &["list-units", "--all", "--plain", "--no-legend"]);
    assert!(!units.contains("oc-exercise"), "{units}");
    let left = std::fs::read_dir(env.path(".config/systemd/user")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "a unit file or link was left behind");
}
