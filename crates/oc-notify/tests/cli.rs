//! What a person or script that calls oc-notify sees, against stand-ins of the real services.
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
use oc_testkit::providers::Trouble;
use oc_testkit::{Signal, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use support::World;

const ALL: [&str; 7] = [
    "discord",
    "slack",
    "telegram",
    "ntfy",
    "webhook",
    "alertmanager",
    "exec",
];
const SEND: [&str; 8] = [
    "--json",
    "send",
    "--severity",
    "warning",
    "--title",
    "disk is filling up",
    "--text",
    "91 % used",
];

fn teller(world: &World) {
    let out = world.env.path("told");
    world
        .env
        .stub("teller", &format!("echo \"$@\" >>{0}.argv; cat >>{0}", out.display()));
}

#[test]
fn a_message_reaches_every_channel_in_its_own_form() {
    let world = World::new(&ALL);
    teller(&world);
    let answer = world.notify(&SEND).expect_code(0).json();
    assert_eq!(
        (&answer["verdict"], &answer["schema"]),
        (&json!("delivered"), &json!("oc.notify/1"))
    );
    let channels: Vec<&str> = answer["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["channel"].as_str().unwrap())
        .collect();
    assert_eq!(channels.len(), 7);
    assert_eq!(world.waiting(), [""; 0]);
    let by_path: BTreeMap<String, Value> = world
        .providers
        .accepted()
        .into_iter()
        .map(|t| (t.path, t.body))
        .collect();
    assert_eq!(by_path.len(), 6, "{by_path:?}");
    let discord = &by_path["/api/v10/webhooks/1000/discord-s3cret-t0ken?wait=true"];
    assert!(
        discord["embeds"][0]["description"]
            .as_str()
            .unwrap()
            .contains("91 % used")
    );
    assert_eq!(discord["allowed_mentions"], json!({"parse": []}));
    assert!(
        by_path["/services/T0/B0/slack-s3cret-t0ken"]["text"]
            .as_str()
            .unwrap()
            .contains("disk is filling up")
    );
    assert_eq!(
        by_path["/bot110201543:telegram-s3cret-t0ken/sendMessage"]["chat_id"],
        "42"
    );
    assert_eq!(by_path["/ntfy/"]["topic"], "my-topic");
    assert_eq!(by_path["/api/v2/alerts"][0]["labels"]["alertname"], "OpenClawNotice");
    let hook = &by_path["/hook/webhook-s3cret-t0ken"];
    let told: Value = serde_json::from_slice(&std::fs::read(world.env.path("told")).unwrap()).unwrap();
    assert_eq!(hook, &told, "a program and a webhook get the same");
    let signed = world
        .providers
        .taken()
        .into_iter()
        .find(|t| t.path.starts_with("/hook"))
        .unwrap();
    assert!(
        signed.headers.iter().any(|h| h.starts_with("x-signature-256: sha256=")),
        "{:?}",
        signed.headers
    );
    assert!(
        signed
            .headers
            .iter()
            .any(|h| h.starts_with("idempotency-key: default/note/"))
    );
}

#[test]
fn a_dry_run_shows_the_exact_payload_and_sends_nothing() {
    let world = World::new(&["discord", "slack"]);
    let mut dry = SEND.to_vec();
    dry.push("--dry-run");
    let shown = world.notify(&dry).expect_code(0);
    assert!(world.providers.taken().is_empty() && world.waiting().is_empty());
    assert!(!world.env.watchdog().join("outbox").exists());
    assert!(!shown.stdout.contains("s3cret"), "{}", shown.stdout);
    world.notify(&SEND).expect_code(0);
    let sent = world.providers.taken();
    for payload in shown.json()["payloads"].as_array().unwrap() {
        assert!(sent.iter().any(|t| t.body == payload["payload"]), "{payload}");
    }
}

#[test]
fn without_network_everything_waits_and_goes_out_later_in_order_and_once() {
    let mut world = World::with(&["discord"], json!({"storm_limit": 1000}));
    let config = world.env.read_json(".openclaw/watchdog/config.json");
    let mut offline = config.clone();
    let dead = format!(
        "http://127.0.0.1:{}/api/webhooks/1000/discord-s3cret-t0ken",
        oc_testkit::free_port()
    );
    offline["notify"]["discord"]["webhook_url"] = json!(dead);
    world.env.oc_config(&offline);
    for n in 0..4 {
        let title = format!("message {n}");
        world
            .notify(&["send", "--severity", "info", "--title", &title, "--text", "x"])
            .expect_code(2);
    }
    assert_eq!(world.waiting().len(), 4);
    for name in world.waiting() {
        assert!(name.ends_with("-discord.json"), "{name}");
        let mode = std::fs::metadata(world.env.watchdog().join("outbox").join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    world.env.oc_config(&config);
    world.at(60);
    world.notify(&["flush"]).expect_code(0);
    let titles: Vec<String> = world
        .providers
        .accepted()
        .iter()
        .map(|t| t.body["embeds"][0]["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles, (0..4).map(|n| format!("ℹ️ message {n}")).collect::<Vec<_>>());
    world.notify(&["flush"]).expect_code(0);
    assert_eq!(world.providers.taken().len(), 4);
}

#[test]
fn after_a_week_offline_there_is_one_summary() {
    let mut world = World::with(&["slack", "webhook"], json!({"storm_limit": 1000}));
    world.providers.trouble(Trouble::Status(503, "down".into()));
    for n in 0..30 {
        world.at(n * 7200);
        let title = format!("message {n}");
        world
            .notify(&[
                "send",
                "--severity",
                "warning",
                "--title",
                &title,
                "--text",
                "x",
                "--key",
                "same",
            ])
            .expect_code(2);
    }
    assert!(world.waiting().len() <= 12, "bounded: {:?}", world.waiting());
    world.providers.trouble(Trouble::None);
    world.at(7 * 86_400);
    world.notify(&["flush"]).expect_code(0);
    let accepted = world.providers.accepted();
    let slack: Vec<&Value> = accepted
        .iter()
        .filter(|t| t.path.starts_with("/services"))
        .map(|t| &t.body)
        .collect();
    assert!(slack.len() <= 5, "{}", slack.len());
    assert!(
        slack
            .iter()
            .any(|b| b["text"].as_str().unwrap().contains("could not be delivered earlier"))
    );
    let hooks: Vec<&str> = accepted
        .iter()
        .filter(|t| t.path.starts_with("/hook"))
        .map(|t| t.body["title"].as_str().unwrap())
        .collect();
    assert_eq!(hooks, ["message 29"], "a program wants the last state of a key");
}

#[test]
fn retry_after_is_honoured_by_waiting_in_the_outbox_not_by_sleeping() {
    let mut world = World::new(&["discord"]);
    world.providers.trouble(Trouble::RateLimited(40.0));
    let begun = Instant::now();
    let answer = world.notify(&SEND).expect_code(2).json();
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert_eq!(answer["deliveries"][0]["status"], 429);
    assert_eq!(answer["deliveries"][0]["spooled"], true);
    world.providers.trouble(Trouble::None);
    world.at(39);
    world.notify(&["flush"]).expect_code(2);
    assert_eq!(world.providers.taken().len(), 1, "not asked again before its time");
    world.at(41);
    world.notify(&["flush"]).expect_code(0);
    assert_eq!(world.providers.accepted().len(), 1);
}

#[test]
fn a_storm_of_429_asks_less_and_less() {
    let mut world = World::with(&["slack"], json!({"storm_limit": 1000}));
    world.providers.trouble(Trouble::Status(429, String::new()));
    for pass in 0..120 {
        world.at(pass * 30);
        world.notify(&[
            "send",
            "--severity",
            "info",
            "--title",
            "t",
            "--text",
            &pass.to_string(),
        ]);
    }
    let asked = world.providers.taken().len();
    assert!((3..=12).contains(&asked), "{asked} requests in an hour");
}

#[test]
fn a_revoked_webhook_is_switched_off_for_a_day_and_the_others_say_so() {
    let mut world = World::new(&["discord"]);
    world.providers.trouble(Trouble::Gone);
    world.notify(&SEND).expect_code(2);
    // Slack works; its address is another one.
    world.configure(&["discord", "slack"], json!({}));
    world.providers.trouble(Trouble::None);
    world.at(600);
    let answer = world
        .notify(&[
            "--json",
            "send",
            "--severity",
            "warning",
            "--title",
            "second",
            "--text",
            "x",
        ])
        .expect_code(1)
        .json();
    let discord = answer["deliveries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["channel"] == "discord")
        .unwrap();
    assert!(
        discord["error"]
            .as_str()
            .unwrap()
            .contains("switched off: HTTP 404: Unknown Webhook"),
        "{discord}"
    );
    assert_eq!(
        world
            .providers
            .taken()
            .iter()
            .filter(|t| t.path.contains("webhooks"))
            .count(),
        1,
        "a 404 is not asked again"
    );
    world.at(86_400 + 60);
    world.notify(&["flush"]).expect_code(0);
    assert_eq!(
        world
            .providers
            .accepted()
            .iter()
            .filter(|t| t.path.contains("webhooks"))
            .count(),
        2
    );
}

#[test]
fn the_other_channels_hear_of_a_channel_that_is_gone_and_a_new_address_is_used_at_once() {
    let world = World::new(&["slack", "ntfy"]);
    let other = World::new(&["slack"]);
    // Slack's address answers 404 for good; ntfy is well.
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    other.providers.trouble(Trouble::Gone);
    config["notify"]["slack"]["webhook_url"] = json!(other.providers.slack());
    world.env.oc_config(&config);
    world.notify(&SEND).expect_code(1);
    let told: Vec<String> = world
        .providers
        .accepted()
        .iter()
        .map(|t| t.body["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(told, ["disk is filling up", "The channel slack does not work any more"]);
    config["notify"]["slack"]["webhook_url"] = json!(world.providers.slack());
    world.env.oc_config(&config);
    world.notify(&["flush"]).expect_code(0);
    assert_eq!(
        world
            .providers
            .accepted()
            .iter()
            .filter(|t| t.path.starts_with("/services"))
            .count(),
        1
    );
}

#[test]
fn a_black_hole_and_slow_bytes_cost_the_deadline_and_no_other_channel() {
    for trouble in [Trouble::BlackHole, Trouble::Slow(300)] {
        let world = World::new(&["slack", "ntfy"]);
        let hole = World::new(&["slack"]);
        hole.providers.trouble(trouble);
        let mut config = world.env.read_json(".openclaw/watchdog/config.json");
        config["notify"]["slack"]["webhook_url"] = json!(hole.providers.slack());
        world.env.oc_config(&config);
        let begun = Instant::now();
        let mut args = SEND.to_vec();
        args.extend(["--deadline", "1s"]);
        world.notify(&args).expect_code(1);
        assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
        assert_eq!(world.providers.accepted().len(), 1);
        assert_eq!(world.waiting().len(), 1);
    }
}

#[test]
fn hostile_text_is_never_refused() {
    let texts: Vec<Vec<u8>> = vec![
        b"\"quotes\" 'single' \\ ` ``` \r\n\t \x00\x1b[31m \xff\xfe".to_vec(),
        "@everyone @here <!channel> <@1> ||x|| [a](http://b) *b* _i_ ~s~ > # &amp;".into(),
        "👩‍👩‍👧‍👦한국어".repeat(3000).into(),
        "x".repeat(10 << 20).into(),
        "\n \n".repeat(5000).into(),
        b"".to_vec(),
    ];
    let world = World::with(&ALL[..6], json!({"storm_limit": 1000}));
    for (n, text) in texts.into_iter().enumerate() {
        let title = format!("\"title\"\n{n} @everyone \u{202e} {}", "한".repeat(400));
        let args = [
            "--json",
            "send",
            "--severity",
            "critical",
            "--title",
            &title,
            "--text",
            "-",
        ];
        world.env.cmd("oc-notify").args(args).stdin(text).run().expect_code(0);
    }
    let taken = world.providers.taken();
    assert_eq!(taken.len(), 36);
    assert!(taken.iter().all(|t| t.status == 200 && !t.body.is_null()));
}

#[test]
fn no_secret_is_in_answers_logs_or_the_outbox() {
    let mut world = World::with(&ALL[..6], json!({"storm_limit": 1000}));
    let leak = "the log says https://discord.com/api/webhooks/1000/discord-s3cret-t0ken and hmac-s3cret-t0ken";
    let mut said = String::new();
    for (n, trouble) in [
        Trouble::Status(500, "slack-s3cret-t0ken".into()),
        Trouble::Gone,
        Trouble::RateLimited(5.0),
        Trouble::None,
    ]
    .into_iter()
    .enumerate()
    {
        world.providers.trouble(trouble);
        world.at(i64::try_from(n).unwrap() * 90_000);
        for args in [
            &["-v", "send", "--severity", "info", "--title", leak, "--text", leak][..],
            &["--json", "test"],
            &["--json", "outbox"],
            &["outbox"],
            &["--json", "flush", "-n"],
        ] {
            let out = world.notify(args);
            said.push_str(&out.stdout);
            said.push_str(&out.stderr);
        }
    }
    assert!(!said.contains("s3cret-t0ken"), "{said}");
    assert!(said.contains("redacted"), "{said}");
    let mut stack = vec![world.env.state_dir()];
    let mut seen = 0;
    while let Some(path) = stack.pop() {
        assert!(!path.display().to_string().contains("s3cret"), "{}", path.display());
        if path.is_dir() {
            stack.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
        } else if !path.ends_with("config.json") {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains("s3cret-t0ken"), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 2);
    for taken in world.providers.taken() {
        assert!(!taken.raw.contains("s3cret-t0ken"), "{}", taken.raw);
    }
}

#[test]
fn kill_9_during_a_flush_loses_nothing_and_repeats_at_most_what_was_under_way() {
    let mut world = World::with(&["webhook"], json!({"storm_limit": 1000}));
    world.providers.trouble(Trouble::Status(503, String::new()));
    for n in 0..15 {
        let key = format!("k{n}");
        world
            .notify(&[
                "send",
                "--severity",
                "info",
                "--title",
                &key,
                "--text",
                "x",
                "--key",
                &key,
            ])
            .expect_code(2);
    }
    world.providers.trouble(Trouble::Slow(1));
    for round in 1..6 {
        world.at(round * 2000);
        let before = world.providers.taken().len();
        let mut flush = world.env.cmd("oc-notify").arg("flush").spawn();
        wait_until("some were delivered", Duration::from_secs(20), || {
            world.providers.taken().len() >= before + 2 || flush.try_wait().is_some()
        });
        flush.signal(Signal::KILL);
        flush.wait(Duration::from_secs(5));
    }
    world.providers.trouble(Trouble::None);
    world.at(20_000);
    world.notify(&["flush"]).expect_code(0);
    assert_eq!(world.waiting(), [""; 0]);
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for taken in world.providers.accepted() {
        *count.entry(taken.body["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(count.len(), 15, "every message arrived: {count:?}");
    assert!(count.values().sum::<u32>() <= 15 + 5 * 2, "{count:?}");
}

#[test]
fn the_same_message_with_the_same_key_is_sent_once_in_five_minutes() {
    let mut world = World::new(&["slack"]);
    let args = [
        "--json",
        "send",
        "--severity",
        "info",
        "--title",
        "t",
        "--text",
        "x",
        "--key",
        "backup",
    ];
    world.notify(&args).expect_code(0);
    world.at(299);
    let again = world.notify(&args).expect_code(0).json();
    assert!(again["suppressed_by"].as_str().unwrap().contains("5 minutes"));
    world.at(301);
    world.notify(&args).expect_code(0);
    assert_eq!(world.providers.accepted().len(), 2);
}

#[test]
fn a_script_gone_wild_is_bounded_and_what_was_held_back_is_counted() {
    let mut world = World::new(&["slack"]);
    for n in 0..40 {
        world.at(n);
        world
            .notify(&[
                "send",
                "--severity",
                "warning",
                "--title",
                "t",
                "--text",
                &n.to_string(),
            ])
            .expect_code(0);
    }
    assert_eq!(world.providers.accepted().len(), 10);
    assert_eq!(world.notify(&["--json", "outbox"]).json()["held_back"], 30);
}

#[test]
fn a_fallback_is_used_only_when_nobody_else_took_it() {
    let mut world = World::with(&["slack", "ntfy"], json!({"channels": ["slack"], "fallback": ["ntfy"]}));
    world.notify(&SEND).expect_code(0);
    assert_eq!(world.providers.accepted().len(), 1);
    let other = World::new(&["slack"]);
    other.providers.trouble(Trouble::Status(500, String::new()));
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    config["notify"]["slack"]["webhook_url"] = json!(other.providers.slack());
    world.env.oc_config(&config);
    let answer = world
        .notify(&[
            "--json",
            "send",
            "--severity",
            "critical",
            "--title",
            "t",
            "--text",
            "x",
        ])
        .expect_code(1)
        .json();
    assert_eq!(answer["deliveries"].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(
        world.providers.accepted().iter().filter(|t| t.path == "/ntfy/").count(),
        1
    );
    world.at(3600);
    world.notify(&["flush"]);
    assert_eq!(
        world.providers.accepted().iter().filter(|t| t.path == "/ntfy/").count(),
        1,
        "told once, however often slack fails"
    );
}

#[test]
fn routes_go_by_severity() {
    let world = World::with(&["slack", "ntfy"], json!({"routes": {"info": ["slack"]}}));
    world
        .notify(&["send", "--severity", "info", "--title", "t", "--text", "x"])
        .expect_code(0);
    assert_eq!(world.providers.accepted().len(), 1);
    world
        .notify(&["send", "--severity", "critical", "--title", "t", "--text", "x"])
        .expect_code(0);
    assert_eq!(world.providers.accepted().len(), 3);
}

#[test]
fn the_predecessors_variables_work_and_its_choice_of_one_channel() {
    let world = World::new(&[]);
    let dotenv = format!(
        "DISCORD_WEBHOOK_URL={}\nSLACK_WEBHOOK_URL={}\nNOTIFICATION_CHANNEL=slack\n",
        world.providers.discord(),
        world.providers.slack()
    );
    world.env.write(".openclaw/.env", dotenv);
    world.notify(&SEND).expect_code(0);
    let paths: Vec<String> = world.providers.accepted().into_iter().map(|t| t.path).collect();
    assert_eq!(paths, ["/services/T0/B0/slack-s3cret-t0ken"]);
}

#[test]
fn a_telegram_group_that_became_a_supergroup_is_followed() {
    let world = World::new(&["telegram"]);
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    config["notify"]["telegram"]["chat_id"] = json!("-1");
    world.env.oc_config(&config);
    world.notify(&SEND).expect_code(0);
    world.notify(&SEND).expect_code(0);
    let chats: Vec<Value> = world
        .providers
        .taken()
        .iter()
        .map(|t| t.body["chat_id"].clone())
        .collect();
    assert_eq!(chats, ["-1", "-1001", "-1001"]);
}

#[test]
fn test_really_sends_and_says_what_came_back() {
    let world = World::new(&["discord", "slack"]);
    let out = world.notify(&["test", "slack"]).expect_code(0);
    assert_eq!(out.stdout, "slack: delivered\n");
    world.providers.trouble(Trouble::Gone);
    let out = world.notify(&["test", "discord"]).expect_code(2);
    assert!(out.stdout.contains("HTTP 404: Unknown Webhook"), "{}", out.stdout);
    world.providers.trouble(Trouble::None);
    world.notify(&["test", "discord"]).expect_code(0);
    world.notify(&["test", "ntfy"]).expect_code(64);
    world.notify(&["test", "pigeon"]).expect_code(64);
}

#[test]
fn bad_calls_get_one_clear_sentence() {
    let world = World::new(&[]);
    let out = world.notify(&SEND).expect_code(78);
    assert!(out.stderr.contains("DISCORD_WEBHOOK_URL"), "{}", out.stderr);
    world
        .notify(&["send", "--severity", "loud", "--title", "t", "--text", "x"])
        .expect_code(64);
    world.notify(&["incident", "--run", "/nonexistent"]).expect_code(65);
    let world = World::new(&[]);
    world
        .env
        .oc_config(&json!({"notify": {"webhook": {"url": "http://hooks.example.org/x"}}}));
    let out = world.notify(&SEND).expect_code(78);
    assert!(out.stderr.contains("use https"), "{}", out.stderr);
}

#[test]
fn an_exec_command_that_fails_is_tried_again_and_one_that_is_missing_is_switched_off() {
    let mut world = World::new(&["exec"]);
    world.env.stub("teller", "echo no route >&2; exit 75");
    let out = world.notify(&SEND).expect_code(2).json();
    assert_eq!(out["deliveries"][0]["error"], "exit 75: no route");
    teller(&world);
    world.at(60);
    world.notify(&["flush"]).expect_code(0);
    let told: Value = serde_json::from_slice(&std::fs::read(world.env.path("told")).unwrap()).unwrap();
    assert_eq!(told["title"], "disk is filling up");
    assert_eq!(
        std::fs::read_to_string(world.env.path("told.argv")).unwrap(),
        "--fixed\n",
        "no text in the arguments"
    );
    std::fs::remove_file(world.env.path("bin/teller")).unwrap();
    world.notify(&SEND).expect_code(2);
    assert_eq!(
        world.notify(&["--json", "outbox"]).json()["channels"][0]["state"],
        "off"
    );
}

#[test]
fn the_dead_mans_switch_is_pinged_with_start_and_status() {
    let world = World::with(&["slack"], json!({}));
    let mut config = world.env.read_json(".openclaw/watchdog/config.json");
    config["notify"]["heartbeat_url"] = json!(world.providers.url("/ping/heartbeat-s3cret"));
    world.env.oc_config(&config);
    world.notify(&["heartbeat", "--start"]).expect_code(0);
    world.notify(&["heartbeat"]).expect_code(0);
    world.notify(&["heartbeat", "--status", "2"]).expect_code(0);
    let paths: Vec<String> = world.providers.taken().into_iter().map(|t| t.path).collect();
    assert_eq!(
        paths,
        [
            "/ping/heartbeat-s3cret/start",
            "/ping/heartbeat-s3cret/0",
            "/ping/heartbeat-s3cret/2"
        ]
    );
    world.providers.trouble(Trouble::Status(500, String::new()));
    let out = world.notify(&["--json", "heartbeat"]).expect_code(1);
    assert_eq!(out.json()["heartbeat"], "HTTP 500");
}

#[test]
fn every_answer_and_every_message_fits_the_schema() {
    let world = World::new(&["webhook", "slack", "exec"]);
    world.env.stub("teller", "exit 1");
    for args in [
        &SEND[..],
        &[
            "--json",
            "send",
            "--severity",
            "info",
            "--title",
            "t",
            "--text",
            "x",
            "-n",
        ],
        &["--json", "test"],
        &["--json", "flush"],
        &["--json", "flush", "-n"],
        &["--json", "outbox"],
        &["--json", "heartbeat"],
        &["--json", "heartbeat", "-n"],
    ] {
        support::fits_schema(&world.notify(args).json());
    }
    let hook = world
        .providers
        .accepted()
        .into_iter()
        .find(|t| t.path.starts_with("/hook"))
        .unwrap();
    support::fits_schema(&hook.body);
}

#[test]
fn a_disk_that_will_soon_be_full_is_told_once_a_day() {
    let mut world = World::new(&["webhook"]);
    for n in 0..320u32 {
        let free = (40u64 << 30) - u64::from(n) * (80 << 20);
        let data = json!({"rss_bytes": 400 << 20, "disk_free_bytes": free});
        world.journal(i64::from(n) * 300 - 96_000, Kind::Sample, "", "", data);
    }
    let warned = |world: &World| -> Vec<String> {
        let taken = world.providers.taken();
        let bodies = taken.into_iter().map(|t| t.raw);
        bodies.filter(|body| body.contains("disk_forecast")).collect()
    };
    for hour in 0..23 {
        world.at(hour * 3600);
        world.notify(&["heartbeat"]).expect_code(0);
    }
    let told = warned(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("free space shrinks by 960.0 MiB an hour") && told[0].contains("\"warning\""),
        "{told:?}"
    );
    world.at(25 * 3600);
    world.notify(&["heartbeat"]).expect_code(0);
    assert_eq!(warned(&world).len(), 2);
}

#[test]
fn without_a_channel_a_dry_run_says_what_the_real_one_would_and_the_outbox_says_so() {
    let world = World::new(&[]);
    let send = ["send", "--severity", "info", "--title", "t", "--text", "x"];
    let real = world.notify(&send).expect_code(78);
    let dry = world.notify(&[&send[..], &["--dry-run"]].concat()).expect_code(78);
    assert_eq!(real.stderr, dry.stderr);
    assert!(dry.stderr.contains("no notification channel"), "{}", dry.stderr);
    let outbox = world.notify(&["outbox"]).expect_code(0);
    assert_eq!(outbox.stdout, "no channel is configured\n");
}
