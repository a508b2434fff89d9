//! The table of the policy, row by row: what each class leads to, and when.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod support;

use oc_core::class::Class;
use oc_core::report::{Action, Method, ServiceState};
use oc_escalate::history::Event;
use oc_escalate::policy::{Context, Maintenance, Stopped, Store, Verdict};
use support::{Disk, HOUR, MIN, SEC, Scene, held_by, killed, service, serving};

fn after_good() -> Scene {
    let mut scene = Scene::new();
    scene.pass(None, 100);
    scene.after(30 * SEC);
    scene
}

#[test]
fn every_class_first_sight() {
    use Action::{Doctor, Hold, Human, Restart};
    let table = [
        (Class::StoppedOnPurpose, None, Hold, None),
        (Class::Maintenance, Some(100), Hold, None),
        (Class::Upgrading, Some(100), Hold, None),
        (Class::Inconclusive, None, Hold, None),
        (Class::Draining, Some(100), Hold, None),
        (Class::Starting, Some(100), Hold, None),
        (Class::NewerConfig, None, Human, None),
        (Class::StateDb, None, Human, None),
        (Class::DiskFull, None, Doctor, Some(Method::Start)),
        (Class::ForeignListener, None, Human, None),
        (Class::ConfigMissing, None, Doctor, Some(Method::Start)),
        (Class::ConfigInvalid, None, Doctor, Some(Method::Start)),
        (Class::ExitConfig, None, Doctor, Some(Method::Start)),
        (Class::Auth, None, Human, None),
        (Class::StartLimit, None, Restart, Some(Method::Register)),
        (Class::Unregistered, None, Restart, Some(Method::Register)),
        (Class::CrashLoop, None, Doctor, Some(Method::Start)),
        (Class::Hung, Some(100), Restart, Some(Method::Kill)),
        (Class::ProcessGone, None, Hold, None),
        (Class::Refused, None, Hold, None),
        (Class::Refused, Some(100), Restart, Some(Method::Graceful)),
        (Class::HttpError, Some(100), Hold, None),
        (Class::WrongBody, Some(100), Hold, None),
        (Class::NotReady, Some(100), Hold, None),
        (Class::SafeMode, Some(100), Hold, None),
        (Class::MemoryHigh, Some(100), Restart, Some(Method::Graceful)),
        (Class::MemoryLeak, Some(100), Restart, Some(Method::Graceful)),
        (Class::Slow, Some(100), Hold, None),
        (Class::DeepFailed, Some(100), Hold, None),
    ];
    for class in Class::ALL {
        assert!(table.iter().any(|row| row.0 == class), "{class} has no row here");
    }
    for (class, pid, action, method) in table {
        let decision = after_good().pass(class, pid).0;
        assert_eq!((decision.action, decision.method), (action, method), "{class}");
        assert!(decision.reason.ends_with('.'), "{class}: {}", decision.reason);
        assert_eq!(decision.command.is_some(), action == Human, "{class}");
        assert_eq!(
            decision.attempt.is_some(),
            matches!(action, Restart | Doctor),
            "{class}"
        );
        assert!(decision.attempt.is_none() || decision.incident.is_some(), "{class}");
    }
}

#[test]
fn a_gone_process_is_left_to_its_manager_for_20_s_then_started() {
    let mut scene = after_good();
    assert_eq!(scene.pass(Class::ProcessGone, None).0.action, Action::Hold);
    assert_eq!(
        scene.after(10 * SEC).pass(Class::ProcessGone, None).0.action,
        Action::Hold
    );
    let decision = scene.after(10 * SEC).pass(Class::ProcessGone, None).0;
    assert_eq!(
        (decision.action, decision.method),
        (Action::Restart, Some(Method::Start))
    );
}

#[test]
fn the_grace_begins_when_the_manager_saw_the_exit_and_lasts_while_it_is_about_to_start() {
    let mut scene = after_good();
    let exit = killed(&scene.now);
    scene.after(25 * SEC);
    let mut report = scene.see(Class::ProcessGone, None);
    report.service = Some(service(ServiceState::Failed, vec![exit.clone()]));
    assert_eq!(scene.peek(&report).action, Action::Restart);
    report.service = Some(service(ServiceState::Starting, vec![exit.clone()]));
    assert_eq!(scene.peek(&report).action, Action::Hold);
    scene.after(300 * SEC);
    report.service = Some(service(ServiceState::Starting, vec![exit]));
    assert_eq!(scene.peek(&report).action, Action::Restart);
}

#[test]
fn upgrading_holds_15_min_and_then_hides_nothing() {
    let mut scene = after_good();
    let mut report = scene.see(Class::Upgrading, None);
    report.conditions.push(Class::ProcessGone);
    assert_eq!(scene.decide(&report).action, Action::Hold);
    scene.after(14 * MIN).previous = None;
    assert_eq!(scene.decide(&report).action, Action::Hold);
    scene.after(MIN);
    assert_eq!(scene.decide(&report).action, Action::Restart);
}

#[test]
fn a_drain_holds_345_s_and_is_then_killed() {
    let mut scene = after_good();
    assert!(scene.passes(340 * SEC, 10 * SEC, Class::Draining, 100).is_empty());
    let decision = scene.after(20 * SEC).pass(Class::Draining, 100).0;
    assert_eq!(
        (decision.action, decision.method),
        (Action::Restart, Some(Method::Kill))
    );
    let incident = scene.history.incident.as_ref().unwrap();
    let lasted = scene.now.since(&incident.opened);
    assert!(
        lasted.as_secs() >= 345,
        "the outage is told from its beginning: {lasted:?}"
    );
}

#[test]
fn broken_config_beside_a_healthy_gateway_is_told_once_and_never_acted_upon() {
    let mut scene = after_good();
    let mut told = 0;
    for _ in 0..(25 * 120) {
        let report = serving(scene.after(30 * SEC).see(Class::ConfigInvalid, 100));
        let decision = scene.decide(&report);
        assert_eq!(decision.action, Action::Hold);
        assert!(decision.incident.is_none());
        let settlement = scene.settle(&report);
        assert_eq!(settlement.verdict, Verdict::Healthy);
        told += settlement.notices.len();
    }
    assert_eq!(told, 2, "after a minute, and again after a day");
}

#[test]
fn errors_count_like_a_hang_after_45_s_if_they_are_ours_and_a_stranger_is_named_not_killed() {
    let mut scene = after_good();
    assert!(scene.passes(40 * SEC, 10 * SEC, Class::HttpError, 100).is_empty());
    let decision = scene.after(20 * SEC).pass(Class::HttpError, 100).0;
    assert_eq!(
        (decision.action, decision.method),
        (Action::Restart, Some(Method::Kill))
    );

    let mut scene = after_good();
    let mut report = scene.see(Class::WrongBody, None);
    report.holder = Some(held_by(4711, false));
    let decision = scene.decide(&report);
    assert_eq!(decision.action, Action::Human);
    assert!(
        decision.reason.contains("4711") && decision.reason.contains("http.server"),
        "{}",
        decision.reason
    );
    assert_eq!(decision.command.as_deref(), Some("kill 4711"));
    assert!(
        scene
            .passes(6 * HOUR, 30 * SEC, Class::ForeignListener, None)
            .iter()
            .all(|a| *a == Action::Human)
    );
}

#[test]
fn a_verified_stale_gateway_of_ours_is_ended_and_named_as_the_target() {
    let scene = after_good();
    let mut report = scene.see(Class::ForeignListener, None);
    report.holder = Some(held_by(4711, true));
    let decision = scene.peek(&report);
    assert_eq!(
        (decision.action, decision.method),
        (Action::Restart, Some(Method::EndStale))
    );
    assert_eq!(decision.identity, Some(support::who(4711)));
}

#[test]
fn hung_with_a_broken_config_is_repaired_first_then_killed() {
    let scene = after_good();
    let report = scene.see(Class::Hung, 100);
    let ctx = Context {
        preflight_ok: Some(false),
        ..scene.ctx()
    };
    let decision = oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx);
    assert_eq!((decision.action, decision.method), (Action::Doctor, Some(Method::Kill)));
    let mut both = scene.see(Class::ConfigInvalid, 100);
    both.conditions.push(Class::Hung);
    let decision = scene.peek(&both);
    assert_eq!((decision.action, decision.method), (Action::Doctor, Some(Method::Kill)));
}

#[test]
fn memory_is_one_graceful_restart_in_6_h_and_never_the_ladder() {
    let mut scene = after_good();
    let mut restarts = 0;
    for pass in 0..(12 * 120) {
        // Even when the restart changes nothing, not even the process.
        let (decision, _) = scene.after(30 * SEC).pass(Class::MemoryHigh, 100);
        match decision.action {
            Action::Restart => {
                assert_eq!(decision.method, Some(Method::Graceful));
                restarts += 1;
            }
            other => assert_eq!(other, Action::Hold, "pass {pass}"),
        }
    }
    assert_eq!(restarts, 2, "one in each six hours");
    assert_eq!(
        oc_escalate::policy::restarts_without_success(&scene.policy, &scene.history, &scene.now),
        0
    );
}

#[test]
fn memory_with_a_broken_config_is_a_humans_matter() {
    let scene = after_good();
    let mut report = serving(scene.see(Class::ConfigInvalid, 100));
    report.conditions.push(Class::MemoryHigh);
    assert_eq!(scene.peek(&report).action, Action::Human);
}

#[test]
fn safe_mode_waits_warns_restarts_once_then_asks_a_human() {
    let mut scene = after_good();
    assert!(scene.passes(6 * MIN, 30 * SEC, Class::SafeMode, 100).is_empty());
    let (decision, settlement) = scene.after(30 * SEC).pass(Class::SafeMode, 100);
    assert_eq!(
        (decision.action, decision.method),
        (Action::Restart, Some(Method::Graceful))
    );
    assert!(settlement.notices.iter().any(|n| n.key == "safe_mode"));
    assert!(scene.passes(6 * MIN, 30 * SEC, Class::SafeMode, 101).is_empty());
    assert_eq!(scene.after(MIN).pass(Class::SafeMode, 101).0.action, Action::Human);
    assert!(
        scene.history.incident.is_some(),
        "it is not over while channels are down"
    );
    scene.after(30 * SEC).pass(None, 101);
    assert!(scene.after(30 * SEC).pass(None, 101).1.closed);
}

#[test]
fn not_ready_is_told_after_10_min_and_never_acted_upon() {
    let mut scene = after_good();
    let mut told = Vec::new();
    for pass in 0..240_u64 {
        let (decision, settlement) = scene.after(30 * SEC).pass(Class::NotReady, 100);
        assert_eq!(decision.action, Action::Hold);
        told.extend(settlement.notices.iter().map(|_| pass * 30));
    }
    assert_eq!(told, [600]);
}

#[test]
fn unloaded_again_after_we_put_it_back_is_a_person() {
    let mut scene = after_good();
    assert_eq!(scene.pass(Class::Unregistered, None).0.method, Some(Method::Register));
    scene.after(30 * SEC).pass(None, 101);
    scene.after(30 * SEC).pass(None, 101);
    assert!(scene.history.incident.is_none());
    let (decision, settlement) = scene.after(2 * MIN).pass(Class::Unregistered, None);
    assert_eq!(decision.action, Action::Hold);
    assert!(settlement.notices.iter().any(|n| n.key == "unloaded_by_person"));
    assert!(scene.passes(5 * HOUR, 30 * SEC, Class::Unregistered, None).is_empty());
    // Once it serves again, whoever started it, the matter is forgotten.
    scene.after(30 * SEC).pass(None, 102);
    scene.after(30 * SEC).pass(None, 102);
    assert_eq!(
        scene.after(HOUR).pass(Class::Unregistered, None).0.action,
        Action::Hold,
        "the first pass after a gap concludes nothing"
    );
    assert_eq!(
        scene.after(3 * MIN).pass(Class::Unregistered, None).0.action,
        Action::Restart
    );
}

#[test]
fn a_registration_that_failed_is_no_person() {
    let mut scene = after_good();
    assert_eq!(scene.pass(Class::Unregistered, None).0.action, Action::Restart);
    assert_eq!(
        scene.after(30 * SEC).pass(Class::Unregistered, None).0.action,
        Action::Restart
    );
    assert_eq!(
        scene.after(30 * SEC).pass(Class::Unregistered, None).0.action,
        Action::Doctor
    );
}

#[test]
fn masked_is_a_persons_decision_with_the_command_that_undoes_it() {
    let scene = after_good();
    let mut report = scene.see(Class::ProcessGone, None);
    report.service = Some(service(ServiceState::Masked, Vec::new()));
    let decision = scene.peek(&report);
    assert_eq!(decision.action, Action::Human);
    assert_eq!(
        decision.command.as_deref(),
        Some("systemctl --user unmask openclaw-gateway && oc-guardian start")
    );
}

#[test]
fn a_manager_that_cannot_be_asked_is_no_reason_for_repairs_but_a_live_process_still_is() {
    let scene = after_good();
    let mut report = scene.see(Class::ProcessGone, None);
    report.service = Some(service(ServiceState::Unknown, Vec::new()));
    let decision = scene.peek(&report);
    assert_eq!(
        (decision.action, decision.command.as_deref()),
        (Action::Human, Some("oc-guardian status"))
    );
    let mut report = scene.see(Class::Hung, 100);
    report.service = Some(service(ServiceState::Unknown, Vec::new()));
    assert_ne!(scene.peek(&report).action, Action::Human);
}

#[test]
fn the_backoff_is_10_30_90_180_300_600_and_the_doctor_is_exempt() {
    let mut scene = after_good();
    scene.policy.ladder.restarts_before_doctor = 100;
    scene.policy.hold.manager = oc_core::config::Span::secs(0);
    let mut times = Vec::new();
    for second in 0..2500_u64 {
        let decision = scene.after(SEC).pass(Class::ProcessGone, None).0;
        if decision.action == Action::Restart {
            times.push(second);
        }
    }
    let waits: Vec<_> = times.windows(2).map(|w| w[1] - w[0]).collect();
    assert_eq!(waits[..7], [10, 30, 90, 180, 300, 600, 600]);

    let mut scene = after_good();
    let actions: Vec<_> = (0..3)
        .map(|_| scene.after(SEC).pass(Class::CrashLoop, None).0.action)
        .collect();
    assert_eq!(actions, [Action::Doctor, Action::Doctor, Action::Human]);
}

#[test]
fn the_whole_ladder_in_order_with_one_agent_session() {
    let mut scene = after_good();
    scene.consent = true;
    let actions = scene.passes(4 * MIN, 30 * SEC, Class::Unregistered, None);
    assert_eq!(
        actions[..6],
        [
            Action::Restart,
            Action::Restart,
            Action::Doctor,
            Action::Doctor,
            Action::Agent,
            Action::Human
        ]
    );
    assert!(actions[6..].iter().all(|a| *a == Action::Human));
}

#[test]
fn without_consent_the_human_is_told_which_setting_gives_it() {
    let mut scene = after_good();
    scene.passes(2 * MIN, 30 * SEC, Class::CrashLoop, None);
    let (decision, settlement) = scene.after(30 * SEC).pass(Class::CrashLoop, None);
    assert_eq!(decision.action, Action::Human);
    assert!(decision.reason.contains("agent.enabled"), "{}", decision.reason);
    assert_eq!(settlement.verdict, Verdict::Exhausted);
}

#[test]
fn a_session_that_could_not_start_spends_nothing_and_leads_to_a_human() {
    let mut scene = after_good();
    scene.consent = true;
    let mut decision = scene.pass(Class::CrashLoop, None).0;
    while decision.action != Action::Agent {
        decision = scene.after(30 * SEC).pass(Class::CrashLoop, None).0;
    }
    let report = scene.see(Class::CrashLoop, None);
    let ctx = Context {
        rung: oc_escalate::policy::RungResult::NoSession("not signed in".into()),
        ..scene.ctx()
    };
    let settlement = oc_escalate::policy::settle(&scene.policy, &scene.history, &report, &ctx);
    for event in settlement.events {
        scene.history.record(&scene.policy, event);
    }
    let decision = scene.after(30 * SEC).pass(Class::CrashLoop, None).0;
    assert_eq!(decision.action, Action::Human);
    assert!(decision.reason.contains("not signed in"), "{}", decision.reason);
    assert_eq!(decision.budget["agent_in_day"]["used"], 0);
    assert_eq!(decision.budget["agent_month_cents"]["used"], 0);
}

#[test]
fn disk_full_is_the_doctors_then_a_humans_never_the_agents() {
    let mut scene = after_good();
    scene.consent = true;
    let actions = scene.passes(3 * MIN, 30 * SEC, Class::DiskFull, None);
    assert_eq!(actions[..3], [Action::Doctor, Action::Doctor, Action::Human]);
    assert!(!actions.contains(&Action::Agent));
}

#[test]
fn classes_that_need_a_human_are_only_probed_and_reminded_of() {
    for class in [Class::NewerConfig, Class::Auth, Class::StateDb] {
        let mut scene = after_good();
        scene.consent = true;
        let mut reminders = 0;
        for _ in 0..(50 * 120) {
            let (decision, settlement) = scene.after(30 * SEC).pass(class, None);
            assert_eq!(decision.action, Action::Human, "{class}");
            assert!(decision.command.is_some());
            reminders += settlement.notices.len();
        }
        assert_eq!(reminders, 3, "{class}: at once and daily");
    }
}

#[test]
fn a_deliberate_stop_closes_the_incident_and_is_recalled_daily() {
    let mut scene = after_good();
    scene.pass(Class::Hung, 100);
    assert!(scene.history.incident.is_some());
    let stopped = Stopped {
        since: scene.now.clone(),
        reason: "by hand".into(),
    };
    let mut reminders = 0;
    for _ in 0..(49 * 60) {
        scene.after(MIN);
        let report = scene.see(Class::ProcessGone, None);
        let ctx = Context {
            stopped: Some(&stopped),
            ..scene.ctx()
        };
        let decision = oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx);
        assert_eq!(decision.action, Action::Hold);
        let settlement = oc_escalate::policy::settle(&scene.policy, &scene.history, &report, &ctx);
        assert_eq!(settlement.verdict, Verdict::Healthy);
        reminders += settlement.notices.len();
        for event in settlement.events {
            scene.history.record(&scene.policy, event);
        }
    }
    assert!(scene.history.incident.is_none());
    assert_eq!(reminders, 2);
}

#[test]
fn maintenance_holds_two_hours_unless_said_otherwise() {
    let mut scene = after_good();
    let maintenance = Maintenance {
        since: scene.now.clone(),
        lasts: None,
        reason: "upgrade".into(),
    };
    for (after, expected) in [(0, Action::Hold), (119 * MIN, Action::Hold), (2 * MIN, Action::Restart)] {
        scene.after(after);
        let report = scene.see(Class::Hung, 100);
        let ctx = Context {
            maintenance: Some(&maintenance),
            ..Context::plain(&scene.now, std::time::Duration::from_secs(30))
        };
        let decision = oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx);
        assert_eq!(decision.action, expected, "{after}");
    }
}

#[test]
fn when_nothing_can_be_written_one_restart_in_10_min_and_no_agent() {
    let mut scene = after_good();
    scene.consent = true;
    let report = scene.see(Class::Hung, 100);
    let decide = |scene: &Scene, last| {
        let ctx = Context {
            store: Store::Unwritable { last_action: last },
            ..scene.ctx()
        };
        oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx).action
    };
    assert_eq!(decide(&scene, None), Action::Restart);
    let last = scene.now.clone();
    scene.after(9 * MIN).previous = None;
    assert_eq!(decide(&scene, Some(&last)), Action::Hold);
    scene.after(MIN);
    assert_eq!(decide(&scene, Some(&last)), Action::Restart);
    // A history that had led to the agent leads to a human meanwhile.
    let mut scene = after_good();
    scene.consent = true;
    scene.pass(Class::CrashLoop, None);
    scene.after(30 * SEC).pass(Class::CrashLoop, None);
    scene.after(30 * SEC);
    let report = scene.see(Class::CrashLoop, None);
    assert_eq!(scene.peek(&report).action, Action::Agent);
    let ctx = Context {
        store: Store::Unwritable { last_action: None },
        ..scene.ctx()
    };
    let decision = oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx);
    assert_eq!(decision.action, Action::Human);
}

#[test]
fn after_the_end_of_the_ladder_restart_and_doctor_are_tried_by_turns() {
    let mut scene = after_good();
    let first = scene.passes(10 * MIN, 30 * SEC, Class::HttpError, 100);
    assert_eq!(first.last(), Some(&Action::Human), "{first:?}");
    let mut further = scene.passes(4 * HOUR, 30 * SEC, Class::HttpError, 100);
    further.retain(|action| *action != Action::Human);
    let turns = [Action::Restart, Action::Doctor].repeat(4);
    assert_eq!(further, turns[..further.len()]);
    assert!(further.len() >= 7);
}

#[test]
fn when_nothing_can_be_written_and_it_does_not_serve_a_person_is_told_by_every_pass() {
    let mut scene = after_good();
    scene.disk = Disk::Full;
    for expected in [Action::Restart, Action::Hold, Action::Hold] {
        let (decision, settlement) = scene.after(30 * SEC).pass(Class::Hung, 100);
        assert_eq!(decision.action, expected);
        assert_eq!(settlement.verdict, Verdict::Exhausted);
        assert!(settlement.reason.contains("cannot be written"), "{}", settlement.reason);
        assert_eq!(settlement.command.as_deref(), Some("oc-doctor check"));
    }
    assert!(scene.history.incident.is_none(), "nothing was kept");
    // Neither a service that serves nor one on its way up calls for anybody.
    assert_eq!(
        scene.after(30 * SEC).pass(Class::Starting, 100).1.verdict,
        Verdict::Failing
    );
    assert_eq!(scene.after(30 * SEC).pass(None, 100).1.verdict, Verdict::Healthy);
}

#[test]
fn an_incident_closes_after_two_good_probes_of_a_new_process_or_60_s_of_the_old_one() {
    let mut scene = after_good();
    scene.pass(Class::Hung, 100);
    // The old process answering again is not what the KILL was for.
    scene.after(5 * SEC).pass(None, 100);
    assert_eq!(scene.after(90 * SEC).pass(None, 100).1.verdict, Verdict::Failing);
    scene.after(5 * SEC).pass(None, 101);
    assert_eq!(
        scene.after(5 * SEC).pass(None, 101).1.verdict,
        Verdict::Failing,
        "5 s apart"
    );
    let settlement = scene.after(5 * SEC).pass(None, 101).1;
    assert_eq!(settlement.verdict, Verdict::Healthy);
    assert!(settlement.closed);

    let mut scene = after_good();
    scene.pass(Class::HttpError, 100);
    scene.after(10 * SEC).pass(None, 100);
    assert_eq!(scene.after(50 * SEC).pass(None, 100).1.verdict, Verdict::Failing);
    assert_eq!(scene.after(10 * SEC).pass(None, 100).1.verdict, Verdict::Healthy);
    assert_eq!(scene.after(10 * SEC).pass(None, 100).0.action, Action::None);
}

#[test]
fn a_restart_in_place_is_a_new_serving_epoch_of_the_same_pid() {
    let mut scene = after_good();
    assert_eq!(scene.pass(Class::MemoryHigh, 100).0.action, Action::Restart);
    let mut verdict = Verdict::Failing;
    for uptime_s in [20, 35] {
        let at = if uptime_s == 20 { 30 } else { 15 };
        let mut report = scene.after(at * SEC).see(None, 100);
        report.uptime_ms = Some(uptime_s * SEC);
        scene.decide(&report);
        verdict = scene.settle(&report).verdict;
    }
    assert_eq!(verdict, Verdict::Healthy);
}

#[test]
fn jitter_only_ever_lengthens_a_wait_and_by_ten_percent_at_most() {
    let mut scene = after_good();
    scene.pass(Class::Unregistered, None);
    for (after, jitter, expected) in [
        (9 * SEC, 0, Action::Hold),
        (SEC, 1000, Action::Hold),
        (0, 0, Action::Restart),
        (SEC, u16::MAX, Action::Restart),
    ] {
        scene.after(after);
        let report = scene.see(Class::Unregistered, None);
        let ctx = Context {
            jitter_permille: jitter,
            ..scene.ctx()
        };
        let decision = oc_escalate::policy::decide(&scene.policy, &scene.history, &report, &ctx);
        assert_eq!(decision.action, expected, "{jitter}");
    }
}

#[test]
fn a_waiting_decision_says_why_and_until_when() {
    let mut scene = after_good();
    scene.pass(Class::Unregistered, None);
    let decision = scene.after(4 * SEC).pass(Class::Unregistered, None).0;
    assert_eq!(
        decision.reason,
        "It is not loaded in its manager. Waiting 6 s: the wait after a restart that did not help."
    );
    assert_eq!(
        decision.next_allowed_at,
        Some(oc_core::clock::rfc3339(scene.now.wall_ms + 6000))
    );
}

#[test]
fn the_truth_is_the_probe_a_failed_tool_after_which_the_service_is_healthy_succeeded() {
    let mut scene = after_good();
    scene.pass(Class::Hung, 100);
    scene.after(10 * SEC);
    let good = scene.see(None, 101);
    let ctx = Context {
        rung: oc_escalate::policy::RungResult::Failed,
        ..scene.ctx()
    };
    for event in oc_escalate::policy::settle(&scene.policy, &scene.history, &good, &ctx).events {
        scene.history.record(&scene.policy, event);
    }
    assert!(scene.after(30 * SEC).pass(None, 101).1.closed);
    let without = oc_escalate::policy::restarts_without_success(&scene.policy, &scene.history, &scene.now);
    assert_eq!(without, 0);
}

#[test]
fn a_repair_that_helps_the_process_that_runs_already_is_told_as_ours_and_a_restart_that_replaced_nothing_is_not() {
    let mut scene = after_good();
    let full = serving(scene.see(Class::DiskFull, 100));
    let decision = scene.decide(&full);
    assert_eq!((decision.action, decision.method), (Action::Doctor, None));
    assert_eq!(closed_by_us(&mut scene, 100), Some(true), "the doctor made room");

    // Its manager had started it just before, and it waited for its configuration.
    let mut scene = after_good();
    let early = scene.see(Class::ExitConfig, 101);
    assert_eq!(scene.decide(&early).action, Action::Doctor);
    assert_eq!(closed_by_us(&mut scene, 101), Some(true));

    let mut scene = after_good();
    let hung = scene.see(Class::Hung, 100);
    assert_eq!(scene.decide(&hung).action, Action::Restart);
    assert_eq!(closed_by_us(&mut scene, 100), Some(false), "it came back by itself");
}

/// Good passes until the incident is closed: whether by our action.
fn closed_by_us(scene: &mut Scene, pid: i32) -> Option<bool> {
    for _ in 0..60 {
        scene.after(10 * SEC);
        let (_, settlement) = scene.pass(None, pid);
        let ends = settlement.events.iter().find_map(|event| match event {
            Event::Closed { by_us, .. } => Some(*by_us),
            _ => None,
        });
        if ends.is_some() {
            return ends;
        }
    }
    None
}
