//! No-fault controls (X1 to X7): a gateway with nothing wrong, or with something that passes, is never touched.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod support;

use oc_core::class::Class;
use oc_core::report::Action;
use oc_escalate::simulate::{Line, Setup, Summary, parse_line, run};
use support::{HOUR, MIN, SEC, Scene};

fn simulate(trace: &str) -> Summary {
    let lines: Vec<Line> = trace
        .lines()
        .enumerate()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(n, text)| parse_line(n + 1, text).unwrap())
        .collect();
    let setup = Setup {
        consent: true,
        ..Setup::default()
    };
    run(&setup, &lines, |pass| {
        assert!(pass.decision.budget.is_empty() || pass.decision.action != Action::None);
    })
}

fn untouched(name: &str, trace: &str) -> Summary {
    let summary = simulate(trace);
    assert_eq!(summary.actions(), 0, "{name}: {summary:?}");
    assert_eq!(summary.humans, 0, "{name}: {summary:?}");
    summary
}

#[test]
fn x1_a_healthy_year_has_zero_actions_and_not_a_single_hold() {
    let summary = untouched(
        "year",
        r#"{"pid": 100, "repeat": 1051200, "rss_mb": 700, "uptime_s": 60}"#,
    );
    assert_eq!(summary.passes, 1_051_200);
    assert_eq!(summary.holds, 0);
}

#[test]
fn x2_a_boot_of_four_minutes() {
    let summary = untouched(
        "boot",
        r#"{"class": "starting", "pid": 100, "repeat": 8}
           {"pid": 100, "repeat": 10}"#,
    );
    assert_eq!(summary.notices, 0);
}

#[test]
fn x3_a_drain_of_minutes() {
    untouched(
        "drain",
        r#"{"pid": 100, "repeat": 10}
           {"class": "draining", "pid": 100, "repeat": 33, "every_s": 10}
           {"class": "starting", "pid": 101, "repeat": 2}
           {"pid": 101, "repeat": 10}"#,
    );
}

#[test]
fn x4_a_block_of_30_s_and_load() {
    untouched(
        "block",
        r#"{"pid": 100, "repeat": 10}
           {"class": "slow", "pid": 100, "repeat": 4, "every_s": 10}
           {"class": "inconclusive", "repeat": 3}
           {"pid": 100, "repeat": 10}"#,
    );
}

#[test]
fn x5_a_deliberate_stop_for_a_week_and_maintenance_with_everything_broken() {
    let summary = untouched(
        "stop",
        r#"{"pid": 100, "repeat": 10}
           {"class": "process_gone", "stopped": true, "repeat": 20160}
           {"pid": 101, "repeat": 10}
           {"class": "hung", "pid": 101, "maintenance": true, "repeat": 100}
           {"pid": 102, "repeat": 10}"#,
    );
    assert!((6..=7).contains(&summary.notices), "a daily reminder: {summary:?}");
}

#[test]
fn x6_a_suspended_laptop_whatever_the_first_probes_say() {
    for class in [
        "hung",
        "http_error",
        "refused",
        "crash_loop",
        "exit_config",
        "config_invalid",
    ] {
        untouched(
            class,
            &format!(
                r#"{{"pid": 100, "repeat": 10}}
                   {{"class": "{class}", "pid": 100, "slept_s": 28800, "repeat": 4}}
                   {{"pid": 100, "repeat": 10}}"#
            ),
        );
    }
}

#[test]
fn x6_a_watcher_that_was_stopped_for_ten_minutes() {
    untouched(
        "watcher",
        r#"{"pid": 100, "repeat": 10}
           {"class": "hung", "pid": 100, "after_s": 600, "repeat": 4}
           {"pid": 100, "repeat": 10}"#,
    );
}

#[test]
fn x7_an_upgrade_under_way() {
    untouched(
        "upgrade",
        r#"{"pid": 100, "repeat": 10}
           {"class": "upgrading", "conditions": ["process_gone"], "repeat": 28}
           {"class": "starting", "pid": 101, "repeat": 2}
           {"pid": 101, "repeat": 10}"#,
    );
}

#[test]
fn not_knowing_is_not_down_however_long_and_it_is_told() {
    let summary = untouched("inconclusive", r#"{"class": "inconclusive", "repeat": 2880}"#);
    assert_eq!(summary.notices, 1);
}

#[test]
fn a_process_that_died_in_its_sleep_is_started_without_waiting_for_the_wake_grace() {
    let summary = simulate(
        r#"{"pid": 100, "repeat": 10}
           {"class": "process_gone", "slept_s": 28800, "repeat": 2}"#,
    );
    assert_eq!(summary.restarts, 1);
}

#[test]
fn passes_that_always_come_late_still_heal() {
    let mut scene = Scene::new();
    scene.pass(None, 100);
    let mut restarts = 0;
    for _ in 0..6 {
        let (decision, _) = scene.after(3 * MIN).pass(Class::Hung, 100);
        restarts += usize::from(decision.action == Action::Restart);
    }
    assert!(restarts >= 2, "a slow scheduler is no sleep: {restarts}");
}

#[test]
fn flapping_is_visible_in_20_alternating_passes() {
    let mut scene = Scene::new();
    let mut told = Vec::new();
    for pass in 0..20 {
        scene.after(30 * SEC);
        let (class, pid) = if pass % 2 == 0 {
            (Some(Class::ProcessGone), None)
        } else {
            (None, Some(100 + pass))
        };
        told.extend(scene.pass(class, pid).1.notices);
    }
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].key, "flapping");
    assert!(told[0].text.contains("5 times"), "{}", told[0].text);
}

#[test]
fn recoveries_by_level_0_that_no_pass_saw_down_are_flapping_too() {
    let mut scene = Scene::new();
    let mut told = 0;
    for pid in 100..110 {
        let (decision, settlement) = scene.after(MIN).pass(None, pid);
        // The script goes on to settle, where people are told, only when the answer is not "nothing to do".
        let tells = if decision.action == Action::Hold {
            settlement.notices.len()
        } else {
            0
        };
        assert_eq!(tells, settlement.notices.len());
        told += tells;
        assert!(scene.history.incident.is_none());
    }
    assert_eq!(told, 1);
    assert_eq!(scene.after(HOUR).pass(None, 109).0.action, Action::None);
}

#[test]
fn extreme_test_1_ten_crashes_10_s_apart_never_exhaust() {
    // With level 0: every crash is recovered by the supervisor before the next pass.
    let mut scene = Scene::new();
    for crash in 0..10 {
        scene.after(5 * SEC).pass(Class::ProcessGone, None);
        let (decision, _) = scene.after(5 * SEC).pass(None, 100 + crash);
        assert!(matches!(decision.action, Action::Hold | Action::None));
    }
    scene.after(10 * SEC).pass(None, 109);
    scene.after(10 * SEC).pass(None, 109);
    assert!(scene.history.incident.is_none());
    assert!(scene.history.attempts.is_empty());

    // Without level 0: we start it, it serves, it is killed again.
    let mut scene = Scene::new();
    for crash in 0..10 {
        let decision = loop {
            let (decision, settlement) = scene.after(10 * SEC).pass(Class::ProcessGone, None);
            assert_ne!(settlement.verdict, oc_escalate::policy::Verdict::Exhausted);
            if decision.action != Action::Hold {
                break decision;
            }
        };
        assert_eq!(decision.action, Action::Restart, "crash {crash}");
        for _ in 0..3 {
            scene.after(10 * SEC).pass(None, 100 + crash);
        }
        assert!(scene.history.incident.is_none());
    }
}

#[test]
fn time_asleep_does_not_count_as_time_drained() {
    untouched(
        "drain asleep",
        r#"{"pid": 100, "repeat": 10}
           {"class": "draining", "pid": 100, "repeat": 20, "every_s": 10}
           {"class": "draining", "pid": 100, "repeat": 30, "every_s": 10, "slept_s": 3600}
           {"pid": 101, "repeat": 10}"#,
    );
}

#[test]
fn one_probe_that_could_not_measure_does_not_reset_how_long_something_lasts() {
    let summary = untouched(
        "not ready",
        r#"{"class": "not_ready", "pid": 100, "repeat": 18}
           {"class": "inconclusive"}
           {"class": "not_ready", "pid": 100, "repeat": 2}"#,
    );
    assert_eq!(summary.notices, 1, "told after ten minutes");
}
