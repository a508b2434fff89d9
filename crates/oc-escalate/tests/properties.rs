//! What must hold whatever happens, over random worlds and histories.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod support;

use oc_core::class::Class;
use oc_core::clock::Stamp;
use oc_core::report::{Action, Method};
use oc_escalate::history::{Attempt, Event, History, Outcome};
use oc_escalate::policy::{self, Context, Store, Verdict};
use oc_escalate::simulate::stamp_at;
use proptest::prelude::*;
use std::time::Duration;
use support::trouble::mendable;
use support::world::{Cure, Done, Fault, World};
use support::{HOUR, MIN, SEC, Scene, who};

fn any_class() -> impl Strategy<Value = Class> {
    proptest::sample::select(&Class::ALL[..])
}

fn any_cure() -> impl Strategy<Value = Cure> {
    prop_oneof![
        (1..600_u64).prop_map(|s| Cure::Itself { after_ms: s * SEC }),
        Just(Cure::Restart),
        Just(Cure::Doctor),
        Just(Cure::Agent),
        Just(Cure::Nothing),
    ]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    (any_class(), any_cure(), 0..3600_u64).prop_map(|(class, cure, s)| Fault {
        class,
        cure,
        after_ms: s * SEC,
    })
}

/// The highest number of things done in any window of this length.
fn most_in_any_window(done: &[Done], window: Duration, what: impl Fn(&Done) -> bool) -> usize {
    let times: Vec<&Stamp> = done.iter().filter(|d| what(d)).map(|d| &d.at).collect();
    (0..times.len())
        .map(|i| times[i..].iter().take_while(|at| at.since(times[i]) < window).count())
        .max()
        .unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bounds_hold_in_every_window_of_every_world(faults in prop::collection::vec(any_fault(), 1..12), signed_in: bool) {
        let mut world = World::new(faults);
        world.scene.consent = true;
        world.session_starts = signed_in;
        world.run(Duration::from_secs(2 * 24 * 3600), Duration::from_secs(30));
        let policy = world.scene.policy.clone();
        let session = |d: &Done| d.action == Action::Agent;
        let acts = |d: &Done| matches!(d.action, Action::Restart | Action::Doctor);
        prop_assert!(most_in_any_window(&world.done, policy.agent.cooldown.get(), session) <= 1, "two sessions in the cooldown");
        prop_assert!(most_in_any_window(&world.done, Duration::from_secs(86_400), session) <= policy.agent.per_day as usize);
        prop_assert!(most_in_any_window(&world.done, policy.restarts.window.get(), acts) <= policy.restarts.limit as usize);
        for done in &world.done {
            prop_assert!(
                done.method != Some(Method::Kill) || done.unclean_before < 2,
                "a KILL after two unclean boots: {done:?}"
            );
            prop_assert!(done.class > Class::Starting, "acted upon {}", done.class);
            prop_assert!(!matches!(done.class, Class::NewerConfig | Class::Auth | Class::StateDb | Class::NotReady));
        }
        let memory = |d: &Done| matches!(d.class, Class::MemoryHigh | Class::MemoryLeak);
        prop_assert!(most_in_any_window(&world.done, policy.memory.restart_spacing.get(), memory) <= 1);
        // Whatever happens for ever, a person hears of it now and then and not all the time.
        prop_assert!(world.notices.len() <= 40, "{} notices", world.notices.len());
    }

    #[test]
    fn it_never_gives_up_for_ever(class in mendable(), hours in 1..40_u64) {
        let mut world = World::new(vec![Fault { class, cure: Cure::Nothing, after_ms: MIN }]);
        world.run(Duration::from_secs(hours * 3600), Duration::from_secs(30));
        prop_assert!(world.humans > 0, "a person was asked");
        let done = world.done.len();
        world.run(Duration::from_secs(4 * 3600), Duration::from_secs(30));
        let tries = world.done.len() - done;
        prop_assert!((6..=9).contains(&tries), "half-open: one try in half an hour, {tries} in four hours");
    }

    #[test]
    fn what_can_be_mended_is_mended_and_then_there_is_nothing_to_do(
        class in mendable(),
        cure in prop_oneof![Just(Cure::Restart), Just(Cure::Doctor), Just(Cure::Agent)],
    ) {
        let mut world = World::new(vec![Fault { class, cure, after_ms: MIN }]);
        world.scene.consent = true;
        world.run(Duration::from_secs(3600), Duration::from_secs(30));
        prop_assert!(world.healthy());
        prop_assert!(world.scene.history.incident.is_none());
        prop_assert_eq!(world.pass(Duration::from_secs(30)).decision.action, Action::None);
    }

    #[test]
    fn after_the_success_threshold_it_is_always_back_to_nothing(faults in prop::collection::vec(any_fault(), 0..6), passes in 1..400_u32) {
        let mut world = World::new(faults);
        world.scene.consent = true;
        for _ in 0..passes {
            world.pass(Duration::from_secs(30));
        }
        // From here on the process that is there serves: even one that was to be replaced closes the incident then.
        let scene = &mut world.scene;
        for _ in 0..14 {
            scene.after(30 * SEC).pass(None, 9999);
        }
        prop_assert!(scene.history.incident.is_none());
        let mut last = scene.after(30 * SEC).pass(None, 9999).0;
        if last.action == Action::Hold {
            last = scene.after(30 * SEC).pass(None, 9999).0;
        }
        prop_assert_eq!(last.action, Action::None, "{}", last.reason);
    }

    #[test]
    fn more_failures_never_lower_the_level(class in mendable(), more in 1..12_usize, consent: bool) {
        let mut scene = Scene::new();
        scene.consent = consent;
        scene.pass(None, 100);
        scene.after(30 * SEC);
        let mut level = Action::None;
        for _ in 0..more {
            let decision = scene.after(30 * SEC).pass(class, None).0;
            let report = scene.see(class, None);
            let Some(now) = policy::rung(&scene.policy, &scene.history, &report, &scene.ctx()) else { continue };
            prop_assert!(now >= level, "{now:?} after {level:?}, decided {:?}", decision.action);
            level = now;
        }
    }

    #[test]
    fn one_more_failure_at_the_same_instant_never_lowers_the_level(
        class in mendable(),
        actions in prop::collection::vec(prop_oneof![Just(Action::Restart), Just(Action::Doctor)], 0..6),
        one_more in prop_oneof![Just(Action::Restart), Just(Action::Doctor)],
    ) {
        let mut scene = Scene::new();
        scene.consent = true;
        let report = scene.see(class, None);
        for event in policy::observe(&scene.policy, &scene.history, &report, &scene.ctx()) {
            scene.history.record(&scene.policy, event);
        }
        for action in actions {
            fail(&mut scene, class, action);
        }
        let before = policy::rung(&scene.policy, &scene.history, &report, &scene.ctx());
        fail(&mut scene, class, one_more);
        let after = policy::rung(&scene.policy, &scene.history, &report, &scene.ctx());
        prop_assert!(after >= before, "{after:?} after {before:?}");
    }

    #[test]
    fn time_going_backwards_never_shortens_a_wait(class in mendable(), passes in 1..12_u64, back_ms in 0..(400 * 24 * HOUR), reboot: bool) {
        let mut scene = Scene::new();
        for _ in 0..passes {
            scene.after(20 * SEC).pass(class, None);
        }
        let acts = |action| matches!(action, Action::Restart | Action::Doctor | Action::Agent);
        let report = scene.see(class, None);
        let straight = scene.peek(&report).action;
        // Only the wall clock goes back; or everything, with a new boot.
        let mut now = scene.now.clone();
        now.wall_ms -= i64::try_from(back_ms).unwrap();
        if reboot {
            now.boot = "another".to_owned();
            now.boot_ms = 1000;
            now.awake_ms = 1000;
        }
        let ctx = Context { previous: None, ..Context::plain(&now, Duration::from_secs(30)) };
        let back = policy::decide(&scene.policy, &scene.history, &report, &ctx).action;
        prop_assert!(acts(straight) || !acts(back), "{straight:?} became {back:?}");
        if !reboot {
            prop_assert_eq!(straight, back);
        }
    }

    #[test]
    fn a_wall_clock_a_year_ahead_skips_no_wait(class in mendable(), passes in 1..12_u64) {
        let mut scene = Scene::new();
        for _ in 0..passes {
            scene.after(20 * SEC).pass(class, None);
        }
        let report = scene.see(class, None);
        let straight = scene.peek(&report).action;
        let mut now = scene.now.clone();
        now.wall_ms += 365 * 24 * 3_600_000;
        let ctx = Context { previous: None, ..Context::plain(&now, Duration::from_secs(30)) };
        prop_assert_eq!(policy::decide(&scene.policy, &scene.history, &report, &ctx).action, straight);
    }

    #[test]
    fn an_unreadable_history_is_always_a_humans_matter_and_never_the_agents(class in prop::option::of(any_class()), passes in 0..20_u64, consent: bool) {
        let mut scene = Scene::new();
        scene.consent = consent;
        for _ in 0..passes {
            scene.after(30 * SEC).pass(class, 100);
        }
        let report = scene.see(class, 100);
        let ctx = Context { store: Store::Unreadable, ..scene.ctx() };
        let decision = policy::decide(&scene.policy, &scene.history, &report, &ctx);
        prop_assert_eq!(decision.action, Action::Human);
        prop_assert!(decision.command.is_some());
        prop_assert!(policy::attempt(&scene.policy, &decision, &ctx).is_none());
        prop_assert_eq!(policy::settle(&scene.policy, &scene.history, &report, &ctx).verdict, Verdict::Exhausted);
    }

    #[test]
    fn written_and_read_again_the_history_is_the_same(faults in prop::collection::vec(any_fault(), 0..6)) {
        let mut world = World::new(faults);
        world.scene.consent = true;
        world.run(Duration::from_secs(6 * 3600), Duration::from_secs(30));
        let history = &world.scene.history;
        let text = serde_json::to_string(history).unwrap();
        prop_assert_eq!(&serde_json::from_str::<History>(&text).unwrap(), history);
        prop_assert!(text.len() < 300_000, "{} bytes", text.len());
    }

    #[test]
    fn deciding_is_total(class in prop::option::of(any_class()), others in prop::collection::vec(any_class(), 0..4), pid in prop::option::of(2..99_999_i32), jitter: u16) {
        let mut scene = Scene::new();
        for step in 0..6 {
            let mut report = scene.after(step * 17 * SEC).see(class, pid);
            report.conditions.extend(&others);
            let ctx = Context { jitter_permille: jitter, ..scene.ctx() };
            let decision = policy::decide(&scene.policy, &scene.history, &report, &ctx);
            prop_assert!(!decision.reason.is_empty());
            prop_assert_eq!(decision.action == Action::None, class.is_none() && scene.history.incident.is_none());
            scene.decide(&report);
            scene.settle(&report);
        }
    }
}

fn fail(scene: &mut Scene, class: Class, action: Action) {
    let incident = scene.history.incident.clone().map(|i| (i.id, i.attempts + 1));
    let (incident, number) = incident.unwrap_or_else(|| ("first".to_owned(), 1));
    let attempt = Attempt {
        incident,
        number,
        at: scene.now.clone(),
        action,
        method: Some(Method::Start),
        class,
        identity: Some(who(1)),
        outcome: Outcome::Pending,
        cents: 0,
    };
    scene.history.record(&scene.policy, Event::Attempted { attempt });
    scene.history.record(
        &scene.policy,
        Event::Ended {
            outcome: Outcome::Failed,
            why: None,
        },
    );
}

#[test]
fn a_hang_that_comes_back_at_once_is_killed_twice_in_300_s_and_then_waited_for() {
    let faults = (0..20)
        .map(|_| Fault {
            class: Class::Hung,
            cure: Cure::Restart,
            after_ms: 20 * SEC,
        })
        .collect();
    let mut world = World::new(faults);
    world.run(Duration::from_secs(3600), Duration::from_secs(10));
    let kills: Vec<_> = world.done.iter().filter(|d| d.method == Some(Method::Kill)).collect();
    assert!(kills.len() >= 18, "each KILL counts once: {}", kills.len());
    assert!(kills.iter().all(|k| k.unclean_before < 2));
}

#[test]
fn crashes_by_others_count_towards_the_kill_bound() {
    let mut scene = Scene::new();
    scene.pass(None, 100);
    let crash = support::killed(&scene.now);
    scene.after(30 * SEC);
    let other = support::killed(&scene.now);
    scene.after(30 * SEC);
    let mut report = scene.see(Class::Hung, 102);
    report.service = Some(support::service(
        oc_core::report::ServiceState::Running,
        vec![crash, other],
    ));
    let decision = scene.decide(&report);
    assert_eq!(decision.action, Action::Hold);
    assert_eq!(decision.budget["unclean_boots"]["used"], 2);
    scene.after(245 * SEC);
    let report = scene.see(Class::Hung, 102);
    let ctx = Context::plain(&scene.now, Duration::from_secs(300));
    assert_eq!(
        policy::decide(&scene.policy, &scene.history, &report, &ctx).action,
        Action::Restart
    );
}

#[test]
fn the_agents_money_is_charged_in_advance_and_bounded_by_the_month() {
    let mut scene = Scene::new();
    scene.consent = true;
    scene.policy.agent.month_cents = 120;
    let mut sessions = 0;
    for day in 0..29_u64 {
        scene.now = stamp_at(day * 24 * HOUR);
        scene.previous = None;
        let pid = i32::try_from(day).unwrap() + 100;
        let actions = scene.passes(5 * MIN, 30 * SEC, Class::CrashLoop, None);
        sessions += actions.iter().filter(|a| **a == Action::Agent).count();
        for _ in 0..3 {
            scene.after(30 * SEC).pass(None, pid);
        }
        assert!(scene.history.incident.is_none());
    }
    assert_eq!(sessions, 2, "two of 50 cents in a month of 120");
}

fn again_and_again(class: Class, cure: Cure, after_ms: u64, times: usize) -> World {
    let mut world = World::new(vec![Fault { class, cure, after_ms }; times]);
    world.scene.consent = true;
    world
}

#[test]
fn an_agent_that_heals_again_and_again_is_asked_three_times_a_day_and_never_within_the_cooldown() {
    let mut world = again_and_again(Class::CrashLoop, Cure::Agent, 5 * MIN, 500);
    world.run(Duration::from_secs(3 * 86_400), Duration::from_secs(30));
    let session = |d: &Done| d.action == Action::Agent;
    let day = Duration::from_secs(86_400);
    assert_eq!(most_in_any_window(&world.done, day, session), 3);
    assert!(world.done.iter().filter(|d| session(d)).count() >= 9, "each day anew");
    let cooldown = world.scene.policy.agent.cooldown.get();
    assert_eq!(most_in_any_window(&world.done, cooldown, session), 1);
}

#[test]
fn a_service_that_dies_soon_after_each_successful_restart_is_restarted_20_times_an_hour_at_most() {
    let mut world = again_and_again(Class::ProcessGone, Cure::Restart, 15 * SEC, 1000);
    world.run(Duration::from_secs(5 * 3600), Duration::from_secs(10));
    let most = most_in_any_window(&world.done, Duration::from_secs(3600), |_| true);
    assert_eq!(most, 20);
    assert!(world.done.len() > 90, "and it goes on: {}", world.done.len());
    assert!(world.notices.contains(&"flapping"));
}

#[test]
fn the_level_of_an_incident_does_not_sink_when_its_restarts_are_forgotten() {
    let mut scene = Scene::new();
    let actions = scene.passes(90 * SEC, 30 * SEC, Class::Unregistered, None);
    assert_eq!(actions, [Action::Restart, Action::Restart, Action::Doctor]);
    scene.passes(7 * HOUR, MIN, Class::Inconclusive, None);
    assert_eq!(
        policy::restarts_without_success(&scene.policy, &scene.history, &scene.now),
        0
    );
    assert_eq!(
        scene.after(MIN).pass(Class::Unregistered, None).0.action,
        Action::Doctor
    );
}
