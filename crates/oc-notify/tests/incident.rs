//! One incident from its first pass to its end, as oc-heal would tell it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod support;

use oc_core::journal::Kind;
use oc_testkit::providers::{Taken, Trouble};
use serde_json::{Value, json};
use support::World;

const ID: &str = "20260227T203252-0001";

fn settle(verdict: &str, reason: &str, closed: bool, notices: Value) -> Value {
    let exit = match verdict {
        "healthy" => 0,
        "failing" => 1,
        _ => 2,
    };
    json!({"schema": "oc.settlement/1", "tool": "oc-escalate", "version": "0.1.0", "instance": "default", "run": "r",
        "at": support::START, "verdict": verdict, "exit": exit, "reason": reason, "incident": ID, "closed": closed,
        "command": (exit == 2).then_some("oc-doctor explain config_invalid"), "notices": notices})
}

fn probe(class: Option<&str>, summary: &str) -> Value {
    json!({"schema": "oc.probe/1", "verdict": "down", "exit": 2, "class": class, "summary": summary})
}

fn doctor() -> Value {
    json!({"schema": "oc.doctor/1", "verdict": "fixed", "exit": 0, "dry_run": false,
        "findings": [{"id": "mode_missing", "severity": "error", "subject": "gateway.mode", "message": "was missing; set to \"local\"",
            "applied": true, "remedy": "set", "undo": null}],
        "diff": "+  \"mode\": \"local\",", "generation_before": "3f2a", "generation_after": "91bc"})
}

fn open(world: &World) {
    world.env.write(
        ".openclaw/watchdog/state.json",
        json!({"version": 1, "incident": {"id": ID}}).to_string(),
    );
    world.journal(
        0,
        Kind::IncidentOpened,
        ID,
        "config_invalid: gateway.mode is missing",
        json!({"class": "config_invalid"}),
    );
}

fn attempt(world: &World, at: i64, action: &str, outcome: Option<&str>) {
    world.journal(
        at,
        Kind::Attempt,
        ID,
        action,
        json!({"action": action, "method": "start", "class": "config_invalid"}),
    );
    if let Some(outcome) = outcome {
        world.journal(at + 5, Kind::Outcome, ID, outcome, json!({"outcome": outcome}));
    }
}

fn close(world: &World, at: i64) {
    world
        .env
        .write(".openclaw/watchdog/state.json", json!({"version": 1}).to_string());
    world.journal(at, Kind::IncidentClosed, ID, "healed", json!({"by_us": true}));
}

fn texts(taken: &[Taken]) -> Vec<(String, String)> {
    taken
        .iter()
        .map(|t| {
            let embed = &t.body["embeds"][0];
            let fields: Vec<String> = embed["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|f| format!("{}: {}", f["name"].as_str().unwrap(), f["value"].as_str().unwrap()))
                .collect();
            let title = embed["title"].as_str().unwrap().replace('\\', "");
            (
                format!("{} {title}", t.method),
                format!("{}\n{}", embed["description"].as_str().unwrap(), fields.join("\n")),
            )
        })
        .collect()
}

#[test]
fn one_incident_is_one_thread_with_everything_a_person_needs() {
    let mut world = World::new(&["discord"]);
    open(&world);
    attempt(&world, 2, "restart", Some("failed"));
    let failing = settle("failing", "a restart did not help", false, json!([]));
    let down = probe(Some("config_invalid"), "gateway.mode is missing");
    // 30 s: not worth a message yet.
    world.at(30);
    let quiet = world
        .tell(&[("probe.json", down.clone()), ("settle.json", failing.clone())])
        .expect_code(0)
        .json();
    assert_eq!(quiet["suppressed_by"], "nothing new");
    assert!(world.providers.taken().is_empty());
    // 95 s: it lasts.
    world.at(95);
    world
        .tell(&[("probe.json", down.clone()), ("settle.json", failing.clone())])
        .expect_code(0);
    // The doctor repairs.
    attempt(&world, 100, "doctor", Some("failed"));
    world.at(120);
    world
        .tell(&[
            ("probe.json", down.clone()),
            ("doctor.json", doctor()),
            ("settle.json", failing),
        ])
        .expect_code(0);
    // The end of the ladder.
    let human = settle("human", "two repairs did not help", false, json!([]));
    world.at(200);
    let answer = world
        .tell(&[("verify.json", down.clone()), ("settle.json", human.clone())])
        .expect_code(0)
        .json();
    assert_eq!(answer["key"], format!("default/{ID}"));
    world.at(230);
    world
        .tell(&[("verify.json", down.clone()), ("settle.json", human.clone())])
        .expect_code(0);
    // Four hours later it still is.
    world.at(200 + 4 * 3600);
    world
        .tell(&[("verify.json", down), ("settle.json", human)])
        .expect_code(0);
    close(&world, 15_000);
    world.at(15_010);
    world
        .tell(&[("settle.json", settle("healthy", "healthy", true, json!([])))])
        .expect_code(0);

    let told = texts(&world.providers.accepted());
    let titles: Vec<&str> = told.iter().map(|(title, _)| title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "POST ⚠️ OpenClaw gateway: its configuration is broken",
            "PATCH ⚠️ OpenClaw gateway: restarts did not help, the doctor repairs",
            "POST 🚨 OpenClaw gateway needs you: its configuration is broken",
            "PATCH 🚨 OpenClaw gateway needs you: its configuration is broken",
            "POST 🚨 OpenClaw gateway still needs you: its configuration is broken",
            "POST ✅ OpenClaw gateway is healthy again",
            "PATCH ✅ OpenClaw gateway is healthy again",
        ]
    );
    assert!(
        world.providers.accepted()[1].path.ends_with("/messages/1"),
        "the opening message is the one that is edited"
    );
    let repaired = &told[1].1;
    for part in ["gateway.mode", "\"mode\": \"local\"", "oc-doctor rollback 3f2a"] {
        assert!(repaired.contains(part), "{part} in {repaired}");
    }
    let call = &told[2].1;
    for part in [
        "oc-doctor explain config_invalid",
        "start: did not help",
        "doctor: repair and start: did not help",
        &format!("incidents/{ID}"),
        "watchdog.log",
        "gateway.mode is missing",
    ] {
        assert!(call.contains(part), "{part} in {call}");
    }
    assert!(
        told[5].1.contains("4 h 10 min") && told[5].1.contains("level 2"),
        "{}",
        told[5].1
    );
}

#[test]
fn what_the_machine_heals_in_a_minute_wakes_nobody_unless_it_changed_something() {
    for edited in [false, true] {
        let mut world = World::new(&["discord"]);
        open(&world);
        attempt(&world, 2, "doctor", None);
        world.at(20);
        let mut files = vec![("settle.json", settle("failing", "first good probe", false, json!([])))];
        if edited {
            files.push(("doctor.json", doctor()));
        }
        world.tell(&files).expect_code(0);
        close(&world, 50);
        world.at(50);
        world
            .tell(&[("settle.json", settle("healthy", "healthy", true, json!([])))])
            .expect_code(0);
        let told = texts(&world.providers.accepted());
        if edited {
            assert_eq!(told.len(), 1);
            assert!(
                told[0].1.contains("oc-doctor rollback 3f2a") && told[0].1.contains("level 2"),
                "{}",
                told[0].1
            );
        } else {
            assert!(told.is_empty(), "{told:?}");
            world.at(86_400 + 60);
            world.notify(&["heartbeat"]).expect_code(0);
            let told = texts(&world.providers.accepted());
            assert!(told[0].0.contains("1 short interruptions"), "{told:?}");
        }
    }
}

#[test]
fn a_repair_that_was_undone_is_not_announced() {
    let mut world = World::new(&["discord"]);
    open(&world);
    world.at(10);
    let undone = json!({"schema": "oc.doctor/1", "verdict": "undone", "exit": 0});
    world
        .tell(&[
            ("doctor.json", doctor()),
            ("close.json", undone),
            ("settle.json", settle("failing", "x", false, json!([]))),
        ])
        .expect_code(0);
    close(&world, 40);
    world.at(40);
    world
        .tell(&[("settle.json", settle("healthy", "healthy", true, json!([])))])
        .expect_code(0);
    assert!(world.providers.taken().is_empty());
}

#[test]
fn korean_is_complete() {
    let mut world = World::new(&["discord"]);
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    config["language"] = json!("ko");
    world.env.oc_config(&config);
    open(&world);
    attempt(&world, 2, "doctor", Some("failed"));
    world.at(200);
    world
        .tell(&[("settle.json", settle("human", "", false, json!([])))])
        .expect_code(0);
    let told = texts(&world.providers.accepted());
    assert!(told[0].0.contains("수동 개입 필요: 설정 파일이 손상됨"), "{told:?}");
    for part in ["다음 단계", "시도한 조치", "닥터: 수리 후 시작: 효과 없음", "로그"] {
        assert!(told[0].1.contains(part), "{part}: {}", told[0].1);
    }
}

#[test]
fn warnings_that_would_otherwise_be_silent_are_told_once() {
    let mut world = World::new(&["discord"]);
    let notices =
        json!([{"key": "inconclusive", "severity": "warning", "text": "It could not be measured for 10 minutes."}]);
    let body = |notices: Value| {
        let mut settle = settle("failing", "x", false, notices);
        settle["incident"] = Value::Null;
        settle
    };
    for at in [600, 630] {
        world.at(at);
        world.tell(&[("settle.json", body(notices.clone()))]).expect_code(0);
    }
    let told = texts(&world.providers.accepted());
    assert_eq!(told.len(), 1);
    assert!(
        told[0].0.contains("could not be measured") && told[0].1.contains("10 minutes"),
        "{told:?}"
    );
}

#[test]
fn after_a_sleep_nothing_is_sent_for_five_minutes_and_nothing_is_lost() {
    let mut world = World::new(&["discord"]);
    world.journal(0, Kind::IncidentOpened, ID, "x", json!({"class": "refused"}));
    let woke = world.stamp(100);
    let state = json!({"version": 1, "incident": {"id": ID}, "woke": woke});
    world.env.write(".openclaw/watchdog/state.json", state.to_string());
    let notices = json!([{"key": "slow", "severity": "warning", "text": "It is slow."}]);
    world.at(200);
    world
        .tell(&[("settle.json", settle("human", "x", false, notices))])
        .expect_code(2);
    assert!(world.providers.taken().is_empty());
    world.at(402);
    world
        .tell(&[("settle.json", settle("human", "x", false, json!([])))])
        .expect_code(0);
    let titles: Vec<String> = texts(&world.providers.accepted())
        .into_iter()
        .map(|(title, _)| title)
        .collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
}

#[test]
fn alertmanager_hears_again_before_the_alert_expires_and_at_the_end() {
    let mut world = World::new(&["alertmanager"]);
    open(&world);
    let failing = settle("failing", "x", false, json!([]));
    for at in [100, 130, 190, 370] {
        world.at(at);
        world.tell(&[("settle.json", failing.clone())]).expect_code(0);
    }
    world.at(550);
    world.notify(&["heartbeat"]).expect_code(0);
    close(&world, 600);
    world.at(600);
    world
        .tell(&[("settle.json", settle("healthy", "x", true, json!([])))])
        .expect_code(0);
    let alerts: Vec<Value> = world.providers.accepted().iter().map(|t| t.body[0].clone()).collect();
    let ends: Vec<&str> = alerts.iter().map(|a| a["endsAt"].as_str().unwrap()).collect();
    assert_eq!(
        alerts.len(),
        1 + 3 + 2,
        "opened, three refreshes, resolved (both alerts): {ends:?}"
    );
    assert!(alerts.iter().take(5).all(|a| a["labels"] == alerts[0]["labels"]));
    assert_eq!(ends[4], "2026-02-27T20:42:52.000Z", "resolved now");
    world.at(700);
    world.notify(&["heartbeat"]).expect_code(0);
    assert_eq!(world.providers.accepted().len(), 6, "and then silence");
}

#[test]
fn an_end_that_no_pass_told_is_told_by_the_heartbeat_and_only_once() {
    let mut world = World::new(&["discord"]);
    open(&world);
    world.at(100);
    world
        .tell(&[("settle.json", settle("failing", "x", false, json!([])))])
        .expect_code(0);
    // The repair of the last pass was not told either: its oc-notify was killed.
    let filed = format!(".openclaw/watchdog/incidents/{ID}/20260227T203612-0002/doctor.json");
    world.env.write(&filed, doctor().to_string());
    world.at(150);
    world.notify(&["heartbeat"]).expect_code(0);
    assert_eq!(world.providers.accepted().len(), 1, "it is still open");
    close(&world, 200);
    for at in [210, 400, 4000] {
        world.at(at);
        world.notify(&["heartbeat"]).expect_code(0);
    }
    let mut told = texts(&world.providers.accepted());
    told.retain(|(title, _)| title.starts_with("POST"));
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].0.contains("healthy again"), "{told:?}");
    assert!(told[1].1.contains("gateway.mode: was missing"), "{told:?}");
}

#[test]
fn an_incident_of_which_no_pass_told_anything_is_told_by_the_heartbeat_unless_it_is_long_over() {
    for (at, told) in [(1300, 1), (1200 + 3700, 0)] {
        let mut world = World::new(&["discord"]);
        open(&world);
        close(&world, 1200);
        world.at(at);
        world.notify(&["heartbeat"]).expect_code(0);
        world.notify(&["heartbeat"]).expect_code(0);
        let texts = texts(&world.providers.accepted());
        assert_eq!(texts.len(), told, "{texts:?}");
    }
}

#[test]
fn a_repair_whose_message_was_killed_is_told_by_the_next_pass_and_only_once() {
    let mut world = World::new(&["discord"]);
    open(&world);
    let failing = settle("failing", "x", false, json!([]));
    world.at(100);
    world.tell(&[("settle.json", failing.clone())]).expect_code(0);
    let filed = format!(".openclaw/watchdog/incidents/{ID}/20260227T203612-0002/doctor.json");
    world.env.write(&filed, doctor().to_string());
    for (at, run) in [(150, "20260227T203622-0003"), (160, "20260227T203632-0004")] {
        world.at(at);
        let run = json!({"id": run});
        world
            .tell(&[("run.json", run), ("settle.json", failing.clone())])
            .expect_code(0);
    }
    let told = texts(&world.providers.accepted());
    let repairs = told
        .iter()
        .filter(|(_, text)| text.contains("gateway.mode: was missing"));
    assert_eq!((told.len(), repairs.count()), (2, 1), "{told:?}");
}

#[test]
fn a_repair_is_told_whatever_an_ai_left_beside_the_passes_and_whichever_of_a_second_it_was() {
    let mut world = World::new(&["discord"]);
    open(&world);
    for left in ["report.md", "work/openclaw.json"] {
        world.env.write(format!(".openclaw/watchdog/incidents/{ID}/{left}"), "");
    }
    let failing = settle("failing", "x", false, json!([]));
    for (at, run, doctor) in [
        (100, "20260227T203432-9999", json!({})),
        (100, "20260227T203432-0000", doctor()),
        (110, "20260227T203442-0000", json!({})),
    ] {
        world.at(at);
        let files = [
            ("run.json", json!({"id": run})),
            ("doctor.json", doctor),
            ("settle.json", failing.clone()),
        ];
        world.tell(&files).expect_code(0);
    }
    let told = texts(&world.providers.accepted());
    let repairs = told
        .iter()
        .filter(|(_, text)| text.contains("gateway.mode: was missing"));
    assert_eq!((told.len(), repairs.count()), (2, 1), "{told:?}");
}

#[test]
fn an_end_that_was_missed_is_told_by_the_next_pass() {
    let mut world = World::new(&["discord"]);
    open(&world);
    world.at(100);
    world
        .tell(&[("settle.json", settle("failing", "x", false, json!([])))])
        .expect_code(0);
    close(&world, 200);
    // The pass died after settling; the next one is about another incident.
    let mut other = settle("failing", "x", false, json!([]));
    other["incident"] = json!("20260227T210000-0002");
    world.at(3000);
    world.journal(
        2999,
        Kind::IncidentOpened,
        "20260227T210000-0002",
        "x",
        json!({"class": "hung"}),
    );
    world.tell(&[("settle.json", other)]).expect_code(0);
    let titles: Vec<String> = texts(&world.providers.accepted())
        .into_iter()
        .map(|(title, _)| title)
        .collect();
    assert_eq!(
        titles.iter().filter(|t| t.contains("healthy again")).count(),
        2,
        "posted, and the opening edited: {titles:?}"
    );
}

#[test]
fn what_an_ai_proposed_that_only_a_person_may_do_is_in_the_call_for_the_person() {
    let mut world = World::new(&["discord"]);
    open(&world);
    attempt(&world, 2, "agent", Some("failed"));
    // The session was in a pass before the one that gives up.
    let filed = format!(".openclaw/watchdog/incidents/{ID}/20260227T203300-0001/agent.json");
    let steps = ["the certificate has run out: openclaw channels renew @everyone"];
    let agent = json!({"outcome": "human_steps", "report": "/r/report.md", "human_steps": steps});
    world.env.write(filed, agent.to_string());
    world.at(200);
    let down = probe(Some("config_invalid"), "gateway.mode is missing");
    let human = settle("human", "an AI session did not help", false, json!([]));
    world
        .tell(&[("verify.json", down), ("settle.json", human)])
        .expect_code(0);
    let (_, text) = texts(&world.providers.accepted()).pop().unwrap();
    assert!(text.contains("The AI proposes; not done"), "{text}");
    assert!(
        text.contains("openclaw channels renew") && text.contains("/r/report.md"),
        "{text}"
    );
}

#[test]
fn a_pass_with_garbage_for_files_tells_nothing_and_breaks_nothing() {
    let world = World::new(&["discord"]);
    for garbage in [
        "",
        "{",
        "[]",
        "null",
        "{\"notices\":7,\"incident\":[],\"verdict\":{}}",
        "\u{0}\u{ff}",
    ] {
        let dir = world.pass(&[]);
        for name in [
            "settle.json",
            "probe.json",
            "decision.json",
            "doctor.json",
            "close.json",
            "agent.json",
        ] {
            std::fs::write(dir.join(name), garbage).unwrap();
        }
        world.env.write(".openclaw/watchdog/state.json", garbage);
        world.env.write(".openclaw/watchdog/journal.jsonl", garbage);
        world
            .notify(&["incident", "--run", dir.to_str().unwrap()])
            .expect_code(0);
    }
    assert!(world.providers.taken().is_empty());
}

#[test]
fn a_thousand_flaps_in_ten_minutes_are_a_handful_of_messages() {
    let mut world = World::new(&["discord"]);
    world.providers.trouble(Trouble::None);
    for n in 0..60i64 {
        let id = format!("20260227T2032-{n:04}");
        world.journal(
            n * 10,
            Kind::IncidentOpened,
            &id,
            "gone",
            json!({"class": "process_gone"}),
        );
        world.journal(n * 10 + 5, Kind::IncidentClosed, &id, "healed", json!({"by_us": true}));
        let mut body = settle("healthy", "x", true, json!([]));
        body["incident"] = json!(id);
        world.at(n * 10 + 5);
        world.tell(&[("settle.json", body)]).expect_code(0);
    }
    let titles: Vec<String> = texts(&world.providers.accepted())
        .into_iter()
        .map(|(title, _)| title)
        .collect();
    assert_eq!(titles, ["POST ⚠️ OpenClaw gateway keeps failing and coming back"]);
}

#[test]
fn a_lock_that_is_held_for_too_long_is_told_by_the_heartbeat() {
    let mut world = World::new(&["discord"]);
    let path = world.env.watchdog().join("locks/healing.lock");
    let lock = oc_core::lock::HealingLock::take(&path).unwrap();
    // Held by this very process, since the test's own present.
    let now = oc_core::clock::Stamp::now();
    let later = now.plus(std::time::Duration::from_secs(700));
    world.env.now(&later.rfc3339());
    world.env.set("OC_NOW_BOOT_MS", later.boot_ms);
    world.notify(&["heartbeat"]).expect_code(0);
    world.notify(&["heartbeat"]).expect_code(0);
    drop(lock);
    let told = texts(&world.providers.accepted());
    assert_eq!(told.len(), 1);
    assert!(told[0].0.contains("takes very long"), "{told:?}");
}

#[test]
fn a_full_disk_is_told_without_the_outbox_and_not_at_every_pass() {
    let mut world = World::new(&["discord"]);
    world.notify(&["heartbeat"]).expect_code(0);
    let dir = world.pass(&[
        ("settle.json", settle("human", "the disk is full", false, json!([]))),
        ("probe.json", probe(Some("disk_full"), "no space left")),
    ]);
    // No file may grow: every write fails, as on a full disk.
    let script = format!(
        "(trap '' XFSZ; ulimit -f 0; oc-notify incident --run {}) | cat",
        dir.display()
    );
    for at in [10, 40, 3600, 4 * 3600 + 60] {
        world.at(at);
        world.env.foreign("sh").args(["-c", &script]).run();
    }
    let told = texts(&world.providers.accepted());
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told[0].0.contains("needs you: the disk is full") && told[0].1.contains("no space left"),
        "{told:?}"
    );
}

/// Without a state no pass begins, so that no pass can tell it; and a dead-man's switch that hears "all is well" would lie.
#[test]
fn a_state_that_cannot_be_written_is_told_by_the_heartbeat_and_not_each_time() {
    let mut world = World::new(&["discord"]);
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    config["notify"]["heartbeat_url"] = json!(world.providers.url("/ping/switch"));
    world.env.oc_config(&config);
    // Also for root, whom no permission and no file system in a test's reach keeps from writing.
    world.env.write(".openclaw/watchdog/outbox", "in the way");
    for at in [0, 180, 3600, 4 * 3600 + 60] {
        world.at(at);
        world.notify(&["heartbeat"]).expect_code(0);
    }
    let taken = world.providers.taken();
    let pings: Vec<&str> = taken
        .iter()
        .map(|t| t.path.as_str())
        .filter(|p| p.contains("switch"))
        .collect();
    assert_eq!(pings, ["/ping/switch/74"; 4]);
    let said = taken.iter().map(|t| t.body.to_string());
    let messages: Vec<String> = said.filter(|body| body.contains("outbox")).collect();
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert!(messages[0].contains("cannot be written"), "{messages:?}");
    // As soon as it can be written again nothing is said any more.
    std::fs::remove_file(world.env.watchdog().join("outbox")).unwrap();
    world.at(9 * 3600);
    world.notify(&["heartbeat"]).expect_code(0);
    let taken = world.providers.taken();
    assert_eq!(taken.last().unwrap().path, "/ping/switch/0");
}

#[test]
fn an_incident_whose_beginning_the_journal_forgot_is_still_told() {
    let mut world = World::new(&["discord"]);
    let state = json!({"version": 1, "incident": {"id": ID, "opened": world.stamp(0), "class": "hung"}});
    world.env.write(".openclaw/watchdog/state.json", state.to_string());
    for at in [60, 100, 4 * 3600 + 200] {
        world.at(at);
        world
            .tell(&[(
                "settle.json",
                settle(if at > 60 { "human" } else { "failing" }, "x", false, json!([])),
            )])
            .expect_code(0);
    }
    let titles: Vec<String> = texts(&world.providers.accepted())
        .into_iter()
        .map(|(title, _)| title)
        .collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert!(
        titles[0].contains("needs you: it hangs") && titles[1].contains("still needs you"),
        "{titles:?}"
    );
}
