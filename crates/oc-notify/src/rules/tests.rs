use super::*;
use crate::memory::Edit;
use oc_core::class::Class;
use oc_core::story::Step;
use proptest::prelude::*;

const MIN: u64 = 60;
const HOUR: u64 = 3600;

fn at(seconds: u64) -> Stamp {
    Stamp {
        wall_ms: 0,
        boot_ms: 0,
        awake_ms: 0,
        boot: "b".into(),
    }
    .plus(Duration::from_secs(seconds))
}

fn story(id: &str, opened: u64, actions: &[Action]) -> Story {
    let steps = actions
        .iter()
        .map(|action| Step {
            at: at(opened),
            action: *action,
            method: None,
            outcome: None,
            text: String::new(),
        })
        .collect();
    Story {
        id: id.into(),
        opened: at(opened),
        fault_at: None,
        class: Some(Class::Hung),
        text: String::new(),
        steps,
        repairs: Vec::new(),
        human: None,
        closed: None,
        serving: None,
        stopped: false,
        by_us: None,
        cost_usd: 0.0,
    }
}

/// A person who looks at the scene every 30 s.
struct Watch {
    memory: Memory,
    settings: Notify,
    starting: bool,
    told: Vec<(u64, Event)>,
}

impl Watch {
    fn new() -> Self {
        Self {
            memory: Memory::default(),
            settings: Notify::default(),
            starting: false,
            told: Vec::new(),
        }
    }

    fn see(&mut self, now: u64, open: Option<&Story>, over: &[Story], exhausted: bool, woke: Option<u64>) {
        let (now_stamp, woke) = (at(now), woke.map(at));
        let scene = Scene {
            now: &now_stamp,
            settings: &self.settings,
            open,
            over,
            exhausted,
            starting: self.starting,
            woke: woke.as_ref(),
        };
        let news = news(&mut self.memory, &scene);
        self.told.extend(news.into_iter().map(|n| (now, n.event)));
    }

    fn events(&self) -> Vec<Event> {
        self.told.iter().map(|(_, event)| *event).collect()
    }
}

fn closed(mut story: Story, end: u64) -> Story {
    (story.closed, story.by_us) = (Some(at(end)), Some(true));
    story
}

/// After a crash it starts again by itself, which takes its time; nobody has to know before that fails.
#[test]
fn a_slow_start_after_a_crash_is_no_news_until_something_has_to_be_done() {
    let crashed = story("a", 0, &[]);
    let mut slow = Watch::new();
    slow.starting = true;
    for now in (0..240).step_by(30) {
        slow.see(now, Some(&crashed), &[], false, None);
    }
    assert_eq!(slow.events(), []);
    slow.see(240, None, &[closed(crashed.clone(), 240)], false, None);
    assert_eq!(slow.events(), [Event::Healed], "it was away for minutes, and is back");

    let mut never = Watch::new();
    never.starting = true;
    never.see(270, Some(&crashed), &[], false, None);
    never.starting = false;
    never.see(300, Some(&crashed), &[], false, None);
    assert_eq!(never.told, [(300, Event::Opened)]);

    let mut ours = Watch::new();
    ours.starting = true;
    ours.see(120, Some(&story("a", 0, &[Action::Restart])), &[], false, None);
    assert_eq!(ours.events(), [Event::Opened], "our own restart takes long");
}

#[test]
fn an_incident_is_one_thread_with_a_happy_end() {
    let mut watch = Watch::new();
    for now in (0..=600).step_by(30) {
        let actions: &[Action] = match now {
            0..200 => &[Action::Restart],
            200..400 => &[Action::Restart, Action::Doctor],
            _ => &[Action::Restart, Action::Doctor, Action::Agent],
        };
        watch.see(now, Some(&story("a", 0, actions)), &[], now >= 500, None);
    }
    let end = [closed(story("a", 0, &[Action::Agent]), 620)];
    watch.see(620, None, &end, false, None);
    watch.see(650, None, &end, false, None);
    assert_eq!(
        watch.told,
        [
            (90, Event::Opened),
            (210, Event::Escalated),
            (420, Event::Escalated),
            (510, Event::NeedsYou),
            (620, Event::Healed)
        ]
    );
}

#[test]
fn healed_within_90_s_is_a_line_in_the_digest() {
    let mut watch = Watch::new();
    watch.see(0, Some(&story("a", 0, &[Action::Restart])), &[], false, None);
    watch.see(60, None, &[closed(story("a", 0, &[Action::Restart]), 60)], false, None);
    assert_eq!(watch.told, []);
    assert_eq!(watch.memory.quick.len(), 1);
}

#[test]
fn an_automatic_edit_is_announced_however_quickly_it_healed() {
    let mut watch = Watch::new();
    let incident = story("a", 0, &[Action::Doctor]);
    watch.see(0, Some(&incident), &[], false, None);
    let edit = Edit {
        text: "gateway.mode = local".into(),
        diff: String::new(),
        undo: String::new(),
    };
    watch.memory.threads.get_mut("a").unwrap().edits.push(edit);
    watch.see(20, None, &[closed(incident, 20)], false, None);
    assert_eq!(watch.events(), [Event::Healed]);
}

#[test]
fn an_edit_after_the_opening_is_told_at_once() {
    let mut watch = Watch::new();
    let incident = story("a", 0, &[Action::Doctor]);
    watch.see(90, Some(&incident), &[], false, None);
    let edit = Edit {
        text: "x".into(),
        diff: String::new(),
        undo: String::new(),
    };
    watch.memory.threads.get_mut("a").unwrap().edits.push(edit);
    watch.see(120, Some(&incident), &[], false, None);
    watch.see(150, Some(&incident), &[], false, None);
    assert_eq!(watch.events(), [Event::Opened, Event::Changed]);
}

#[test]
fn reminders_come_every_4_h_three_times_and_then_daily() {
    let mut watch = Watch::new();
    let incident = story("a", 0, &[Action::Doctor]);
    for now in (0..=72 * HOUR).step_by(600) {
        watch.see(now, Some(&incident), &[], true, None);
    }
    let hours: Vec<u64> = watch.told.iter().map(|(now, _)| now / HOUR).collect();
    assert_eq!(hours, [0, 4, 8, 12, 36, 60]);
    assert!(watch.events()[1..].iter().all(|e| *e == Event::Reminder));
}

#[test]
fn nothing_is_told_within_five_minutes_of_waking_and_nothing_is_lost() {
    let mut watch = Watch::new();
    let incident = story("a", 0, &[Action::Restart]);
    for now in (0..=400).step_by(20) {
        watch.see(now, Some(&incident), &[], true, Some(0));
    }
    assert_eq!(watch.told, [(300, Event::NeedsYou)]);
}

#[test]
fn a_pass_that_died_between_settling_and_telling_still_gets_its_end_told() {
    let mut watch = Watch::new();
    watch.see(100, Some(&story("a", 0, &[])), &[], false, None);
    let next = story("b", 300, &[]);
    watch.see(330, Some(&next), &[closed(story("a", 0, &[]), 200)], false, None);
    assert_eq!(watch.events(), [Event::Opened, Event::Healed]);
}

#[test]
fn a_thousand_flaps_are_a_handful_of_messages() {
    for length in [0, 1, 5] {
        let mut watch = Watch::new();
        for n in 0..1000u64 {
            // 0.6 s each: ten minutes together. With `length` 5 the clock runs slower, the incidents last 100 s.
            let (from, to) = if length == 5 {
                (n * 120, n * 120 + 100)
            } else {
                (n * 6 / 10, n * 6 / 10 + length)
            };
            let id = format!("i{n}");
            watch.see(from, Some(&story(&id, from, &[Action::Restart])), &[], false, None);
            watch.see(to, Some(&story(&id, from, &[Action::Restart])), &[], false, None);
            watch.see(
                to + 1,
                None,
                &[closed(story(&id, from, &[Action::Restart]), to + 1)],
                false,
                None,
            );
        }
        let bound = if length == 5 { 14 } else { 3 };
        assert!((1..=bound).contains(&watch.told.len()), "{length}: {:?}", watch.told);
        assert!(watch.events().contains(&Event::Flapping));
    }
}

#[test]
fn flapping_never_hides_that_a_person_is_needed_nor_the_end_of_that() {
    let mut watch = Watch::new();
    for n in 0..10u64 {
        let id = format!("i{n}");
        watch.see(n * MIN, Some(&story(&id, n * MIN, &[])), &[], false, None);
        watch.see(
            n * MIN + 10,
            None,
            &[closed(story(&id, n * MIN, &[]), n * MIN + 10)],
            false,
            None,
        );
    }
    let last = story("last", 20 * MIN, &[Action::Doctor]);
    watch.see(22 * MIN, Some(&last), &[], false, None);
    watch.see(23 * MIN, Some(&last), &[], true, None);
    watch.see(24 * MIN, None, &[closed(last, 24 * MIN)], false, None);
    assert_eq!(watch.events(), [Event::Flapping, Event::NeedsYou, Event::Healed]);
}

#[test]
fn a_person_needed_without_an_incident_is_told_once_and_again_after_it_was_over() {
    let mut watch = Watch::new();
    for (now, exhausted) in [(0, true), (30, true), (60, false), (90, true)] {
        watch.see(now, None, &[], exhausted, None);
    }
    assert_eq!(watch.told, [(0, Event::NeedsYou), (90, Event::NeedsYou)]);
}

#[test]
fn a_storm_is_bounded_and_what_needs_a_person_has_its_own_room() {
    let (mut memory, settings) = (Memory::default(), Notify::default());
    let mut told = |event, severity| {
        (0..1000)
            .filter(|n| allowed(&mut memory, &settings, event, severity, &at(n % 500)))
            .count()
    };
    assert_eq!(told(Event::Note, Severity::Warning), 10);
    assert_eq!(told(Event::NeedsYou, Severity::Critical), 10);
    assert_eq!(memory.held, 1980);
}

proptest! {
    /// Whatever happens: never more than a bounded number of messages, a call for help is always answered by its end,
    /// and no end without a beginning that was told, long or changed something.
    #[test]
    fn every_call_for_help_has_an_end(script in proptest::collection::vec((0u64..400, 0u8..4), 1..60)) {
        let mut watch = Watch::new();
        let (mut now, mut open, mut n) = (0, None::<Story>, 0);
        for (pause, what) in script {
            now += pause;
            match (what, open.clone()) {
                (0, None) => { n += 1; open = Some(story(&format!("i{n}"), now, &[])); }
                (1, Some(incident)) => {
                    open = None;
                    watch.see(now, None, &[closed(incident, now)], false, None);
                }
                (2, _) => watch.see(now, open.as_ref(), &[], open.is_some(), None),
                _ => watch.see(now, open.as_ref(), &[], false, None),
            }
        }
        if let Some(incident) = open { watch.see(now + 1, None, &[closed(incident, now + 1)], false, None); }
        let count = |event| watch.events().iter().filter(|e| **e == event).count();
        let threads = watch.memory.threads.values().filter(|t| t.stage != Stage::Over).count();
        prop_assert_eq!(threads, 0);
        prop_assert!(count(Event::NeedsYou) <= n && count(Event::Opened) <= n && count(Event::Healed) <= n);
        prop_assert!(count(Event::NeedsYou) <= count(Event::Healed));
    }
}
