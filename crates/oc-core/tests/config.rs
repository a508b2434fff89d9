//! config.json, `.env`, environment and flags, as a user meets them: real files in a throw-away HOME.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_core::Exit;
use oc_core::config::{Config, Env, Kind, Language, Loaded, Manager, Origin, Request, Size, Span};
use oc_core::paths::Places;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

struct Home {
    dir: tempfile::TempDir,
    env: Vec<(String, String)>,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join(".openclaw/watchdog")).unwrap();
        let env = vec![("HOME".to_owned(), dir.path().display().to_string())];
        Self { dir, env }
    }

    fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn config(self, content: &Value) -> Self {
        self.file(".openclaw/watchdog/config.json", content.to_string())
    }

    fn dotenv(self, content: &str) -> Self {
        self.file(".openclaw/.env", content)
    }

    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn environment(&self) -> Env {
        self.env.iter().cloned().collect()
    }

    fn load_with(&self, request: &Request) -> oc_core::Result<Loaded> {
        Config::load_with(request, &self.environment())
    }

    fn load(&self) -> Loaded {
        self.load_with(&Request::default()).unwrap()
    }

    fn fault(&self) -> oc_core::Fault {
        self.load_with(&Request::default()).unwrap_err()
    }

    fn safe(&self) -> (Config, Option<oc_core::Fault>) {
        let (loaded, fault) = Config::load_or_safe(&Request::default(), &self.environment()).unwrap();
        (Arc::unwrap_or_clone(loaded.config), fault)
    }

    fn cache(&self) -> PathBuf {
        self.dir.path().join(".openclaw/watchdog/config.cache.json")
    }
}

fn instance(name: &str) -> Request {
    Request {
        places: Places {
            instance: Some(name.to_owned()),
            ..Places::default()
        },
        ..Request::default()
    }
}

#[test]
fn without_any_file_it_is_the_default() {
    let loaded = Home::new().load();
    assert_eq!(*loaded.config, Config::default());
    assert_eq!(loaded.origins.of("probe.timeout"), &Origin::Default);
    assert_eq!(loaded.notes, [] as [&str; 0]);
}

#[test]
fn flag_beats_environment_beats_dotenv_beats_config_beats_default() {
    let mut home = Home::new();
    let mut request = Request::default();
    let timeout = |home: &Home, request: &Request| {
        let loaded = home.load_with(request).unwrap();
        let origin = loaded.origins.of("probe.timeout").to_string();
        (loaded.config.probe.timeout, origin)
    };
    assert_eq!(timeout(&home, &request), (Span::secs(5), "default".to_owned()));
    home = home.config(&json!({"probe": {"timeout": "6s"}}));
    assert_eq!(timeout(&home, &request), (Span::secs(6), "config.json".to_owned()));
    home = home.dotenv("HEALTH_CHECK_HTTP_TIMEOUT=7");
    let from = ".env: HEALTH_CHECK_HTTP_TIMEOUT".to_owned();
    assert_eq!(timeout(&home, &request), (Span::secs(7), from));
    home = home.env("HEALTH_CHECK_HTTP_TIMEOUT", "8");
    let from = "environment: HEALTH_CHECK_HTTP_TIMEOUT".to_owned();
    assert_eq!(timeout(&home, &request), (Span::secs(8), from));
    request.flags.push(("--timeout", "probe.timeout", "9s".into()));
    assert_eq!(timeout(&home, &request), (Span::secs(9), "flag: --timeout".to_owned()));
}

/// Defects 18 and 19 of the predecessor: names in `.env` had no effect.
#[test]
fn every_name_of_the_predecessor_works_in_dotenv() {
    let config = Home::new()
        .dotenv(
            "OPENCLAW_GATEWAY_URL=\"http://localhost:18789/\"\nOPENCLAW_GATEWAY_PORT=19999\n\
             OPENCLAW_GATEWAY_TOKEN=gwtoken\nDISCORD_WEBHOOK_URL=https://discord.com/api/webhooks/1/abc\n\
             SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T/B/X\nTELEGRAM_BOT_TOKEN=1:AA\n\
             TELEGRAM_CHAT_ID=-100\nNOTIFICATION_CHANNEL=slack,Discord\nANTHROPIC_API_KEY=sk-ant-1\n\
             EMERGENCY_RECOVERY_TIMEOUT=300\nHEALTH_CHECK_HTTP_TIMEOUT=4\nHEALTH_CHECK_MAX_RETRIES=5\n\
             HEALTH_CHECK_RETRY_DELAY=1\nOPENCLAW_WATCHDOG_MEMORY_WARN_MB=100\n\
             OPENCLAW_WATCHDOG_MEMORY_CRITICAL_MB=200\nOPENCLAW_WATCHDOG_CRASH_DECAY_HOURS=2\n\
             OPENCLAW_WATCHDOG_MAX_RETRIES=3\nOPENCLAW_LLM_PROVIDER=gemini\nOPENCLAW_LLM_MODEL=m\n\
             OPENCLAW_CLAUDE_BIN=/opt/claude\nOPENCLAW_METRICS_PORT=9999\nOC_SERVICE_MANAGER=embedded\n",
        )
        .load()
        .config;
    assert_eq!(config.probe.url, "http://localhost:19999");
    assert_eq!(config.probe.token.as_ref().unwrap().expose(), "gwtoken");
    let notify = &config.notify;
    assert!(
        notify
            .discord
            .webhook_url
            .as_ref()
            .unwrap()
            .expose()
            .ends_with("/1/abc")
    );
    assert!(notify.slack.webhook_url.as_ref().unwrap().expose().ends_with("/T/B/X"));
    assert_eq!(notify.telegram.bot_token.as_ref().unwrap().expose(), "1:AA");
    assert_eq!(notify.telegram.chat_id.as_deref(), Some("-100"));
    assert_eq!(notify.channels, ["slack", "discord"]);
    assert_eq!(config.agent.anthropic_api_key.as_ref().unwrap().expose(), "sk-ant-1");
    assert_eq!(config.agent.deadline, Span::mins(5));
    assert_eq!(config.agent.agents, ["gemini"]);
    assert_eq!(config.agent.model.as_deref(), Some("m"));
    assert_eq!(config.agent.commands["claude"], ["/opt/claude"]);
    assert_eq!((config.probe.timeout, config.probe.tries), (Span::secs(4), 5));
    assert_eq!(config.probe.interval, Span::secs(1));
    assert_eq!(config.probe.memory_warn, Size::mb(100));
    assert_eq!(config.probe.memory_limit, Size::mb(200));
    assert_eq!(config.policy.backoff.window, Span::hours(2));
    assert_eq!(config.policy.ladder.restarts_before_doctor, 3);
    assert_eq!(config.report.listen, "127.0.0.1:9999");
    assert_eq!(config.service.manager, Manager::Embedded);
    assert!(!config.agent.enabled, "a key is no consent");
}

/// Defect 54: the example file's placeholders counted as configured, and `source` ran what stood in the file.
#[test]
fn the_copied_example_file_configures_nothing_and_runs_nothing() {
    let home = Home::new();
    let trap = home.dir.path().join("ran");
    let home = home.dotenv(&format!(
        "DISCORD_WEBHOOK_URL=\"https://discord.com/api/webhooks/YOUR_WEBHOOK_ID/YOUR_WEBHOOK_TOKEN\"\n\
         TELEGRAM_BOT_TOKEN=\"YOUR_BOT_TOKEN\"\nTELEGRAM_CHAT_ID=\"YOUR_CHAT_ID\"\n\
         OPENCLAW_GATEWAY_URL=\"http://localhost:18789/\"\nOPENCLAW_GATEWAY_PORT=18789\n\
         HEALTH_CHECK_RETRY_DELAY=30\nEMERGENCY_RECOVERY_TIMEOUT=1800\nOPENCLAW_WATCHDOG_MAX_RETRIES=6\n\
         HEALTH_CHECK_ESCALATION_WAIT=300\nX=$(touch {0})\nY=`touch {0}`\ntouch {0}\n",
        trap.display()
    ));
    let loaded = home.load();
    assert_eq!(loaded.config.notify, Config::default().notify);
    assert_eq!(loaded.config.agent, Config::default().agent);
    assert_eq!(loaded.config.policy, Config::default().policy);
    assert_eq!(loaded.config.probe.interval, Config::default().probe.interval);
    assert!(!trap.exists());
    let notes = loaded.notes.join("\n");
    for word in [
        "DISCORD_WEBHOOK_URL",
        "placeholder",
        "HEALTH_CHECK_ESCALATION_WAIT",
        "line 12",
        "EMERGENCY_RECOVERY_TIMEOUT=1800",
    ] {
        assert!(notes.contains(word), "{word}: {notes}");
    }
    assert!(
        !notes.contains("touch"),
        "a malformed line is named by its number alone: {notes}"
    );
}

#[test]
fn a_placeholder_in_dotenv_does_not_hide_a_real_value_below_it() {
    let loaded = Home::new()
        .config(&json!({"notify": {"telegram": {"bot_token": "1:real"}, "slack": {"webhook_url": "https://hooks.slack.com/services/YOUR/SLACK/WEBHOOK_PATH"}}}))
        .dotenv("TELEGRAM_BOT_TOKEN=YOUR_BOT_TOKEN")
        .load();
    assert_eq!(
        loaded.config.notify.telegram.bot_token.as_ref().unwrap().expose(),
        "1:real"
    );
    assert_eq!(loaded.config.notify.slack.webhook_url, None);
}

/// Defect 18: a gateway on another port was seen as dead, and signalled.
#[test]
fn the_gateways_own_port_is_found_unless_something_stronger_names_one() {
    let gateway = "// mine\n{ gateway: { port: 18800, }, }";
    let home = Home::new().file(".openclaw/openclaw.json", gateway);
    let loaded = home.load();
    assert_eq!(loaded.config.probe.url, "http://127.0.0.1:18800");
    assert_eq!(loaded.origins.of("probe.url").to_string(), "openclaw.json");
    let home = home.config(&json!({"probe": {"url": "http://127.0.0.1:18801/"}}));
    assert_eq!(home.load().config.probe.url, "http://127.0.0.1:18801");
    let home = home.dotenv("OPENCLAW_GATEWAY_PORT=18802");
    assert_eq!(home.load().config.probe.url, "http://127.0.0.1:18802");
    let home = home.env("OPENCLAW_GATEWAY_URL", "http://[::1]:18803/");
    assert_eq!(home.load().config.probe.url, "http://[::1]:18803");
    let home = home.env("OPENCLAW_GATEWAY_PORT", "18804");
    assert_eq!(
        home.load().config.probe.url,
        "http://[::1]:18803",
        "the URL's own port is the choice"
    );
    for broken in ["", "{gateway:{port:'x'}}", "{gateway:{port:70000}}", "{{{", "\u{0}"] {
        let home = Home::new().file(".openclaw/openclaw.json", broken);
        assert_eq!(home.load().config.probe.url, "http://127.0.0.1:18789", "{broken}");
    }
}

#[test]
fn a_gateway_is_still_found_on_its_port_after_its_configuration_was_broken_or_deleted() {
    let remembering = Request {
        may_write: true,
        ..Request::default()
    };
    let gateway = "{gateway: {port: 18800}}";
    for broken in [Some("{gateway: {port: 'x'}}"), Some("{{{"), Some(""), None] {
        let home = Home::new().file(".openclaw/openclaw.json", gateway);
        let port = |home: &Home| home.load_with(&remembering).unwrap().config.probe.url.clone();
        assert_eq!(port(&home), "http://127.0.0.1:18800");
        let home = match broken {
            Some(text) => home.file(".openclaw/openclaw.json", text),
            None => {
                fs::remove_file(home.dir.path().join(".openclaw/openclaw.json")).unwrap();
                home
            }
        };
        for _ in 0..2 {
            assert_eq!(port(&home), "http://127.0.0.1:18800", "{broken:?}");
        }
        let home = home.file(".openclaw/openclaw.json", "{gateway: {}}");
        assert_eq!(
            port(&home),
            "http://127.0.0.1:18789",
            "a port that is not named is the usual one"
        );
    }
}

#[test]
fn a_wrong_variable_is_named_without_its_value() {
    for (name, value) in [
        ("OPENCLAW_GATEWAY_PORT", "99999"),
        ("OPENCLAW_GATEWAY_URL", "ftp://hunter2"),
        ("OC_SERVICE_MANAGER", "hunter2"),
        ("HEALTH_CHECK_MAX_RETRIES", "0"),
        ("EMERGENCY_RECOVERY_TIMEOUT", "hunter2"),
    ] {
        let home = Home::new().env(name, value);
        let fault = home.fault();
        assert_eq!(fault.exit, Exit::Config);
        assert!(
            fault.what.starts_with(&format!("{name} in the environment: expected ")),
            "{}",
            fault.what
        );
        assert!(!fault.what.contains("hunter2"), "{}", fault.what);
        let (config, fault) = home.safe();
        assert!(fault.is_some());
        assert_eq!(config, Config::default(), "safe: goes on without it");
    }
}

#[test]
fn a_broken_config_is_one_clear_error_and_the_safe_answer_keeps_what_is_right() {
    let home = Home::new().config(&json!({
        "probe": {"timout": "1s"}, "language": "ko", "service": {"command": ["gateway", "run"]}, "policy": {"interval": -1}
    }));
    let fault = home.fault();
    assert_eq!(fault.exit, Exit::Config);
    assert!(fault.what.contains("config.json: "), "{}", fault.what);
    let (config, fault) = home.safe();
    assert!(fault.is_some());
    assert_eq!(config.service.command, ["gateway", "run"]);
    assert_eq!(config.language, Language::Ko);
    assert_eq!(config.probe, Config::default().probe);

    let home = Home::new().file(".openclaw/watchdog/config.json", "{\n \"probe\": {\n");
    let fault = home.fault();
    assert!(
        fault.what.contains("not valid JSON") && fault.what.contains("line 3"),
        "{}",
        fault.what
    );
    assert_eq!(home.safe().0, Config::default());
}

#[test]
fn values_the_types_allow_and_the_schema_does_not_are_refused() {
    for content in [
        json!({"probe": {"tries": 0}}),
        json!({"probe": {"url": "http://127.0.0.1:70000"}}),
        json!({"report": {"listen": "127.0.0.1:0"}}),
        json!({"instances": {"a/b": {}}}),
        json!({"instances": {"work": {"probe": {"tires": 1}}}}),
        json!({"probe": {"deep": [{"name": "x"}]}}),
        json!({"service": {"kind": "generic"}}),
    ] {
        let home = Home::new().config(&content);
        assert_eq!(home.fault().exit, Exit::Config, "{content}");
        assert!(home.safe().1.is_some());
    }
}

#[test]
fn the_schema_is_asked_again_only_after_a_change_and_nothing_is_written_unasked() {
    let home = Home::new().config(&json!({"language": "ko"}));
    home.load();
    assert!(!home.cache().exists());
    let request = Request {
        may_write: true,
        ..Request::default()
    };
    home.load_with(&request).unwrap();
    let cached = fs::read(home.cache()).unwrap();
    home.load_with(&request).unwrap();
    assert_eq!(fs::read(home.cache()).unwrap(), cached);
    let home = home.config(&json!({"probe": {"tries": 0}}));
    assert!(home.load_with(&request).is_err());
    assert!(home.load_with(&request).is_err(), "a refused file stays refused");
    let home = home.file(".openclaw/watchdog/config.cache.json", "garbage");
    assert!(home.load_with(&request).is_err());
}

#[test]
fn a_generic_service_has_no_openclaw_defaults() {
    let home = Home::new()
        .config(&json!({"service": {"kind": "generic"}, "probe": {"url": "http://127.0.0.1:8080"}}))
        .env("OPENCLAW_GATEWAY_PORT", "1234");
    let config = home.load().config;
    assert_eq!(config.service.kind, Kind::Generic);
    assert_eq!(
        config.probe.url, "http://127.0.0.1:8080",
        "that variable is about the gateway"
    );
    assert_eq!(config.probe.readiness_path, None);
    assert_eq!(config.probe.liveness.json, None);
    assert_eq!(config.service.required_keys, [] as [&str; 0]);
    assert_eq!(config.service.doctor_command, [] as [&str; 0]);
}

#[test]
fn an_instance_begins_from_the_shared_sections_and_never_from_another_services_port() {
    let home = Home::new()
        .config(&json!({
            "language": "ko", "probe": {"url": "http://127.0.0.1:1111", "tries": 9}, "service": {"label": "mine"},
            "notify": {"timeout": "3s"},
            "instances": {
                "work": {"probe": {"tries": 2}, "notify": {"desktop": true}},
                "shop": {"service": {"kind": "generic"}, "probe": {"url": "http://127.0.0.1:8080"}, "profile": "s"}
            }
        }))
        .dotenv("OPENCLAW_GATEWAY_PORT=1112\nSLACK_WEBHOOK_URL=https://hooks.slack.com/services/T/B/X\n")
        .file(".openclaw-work/openclaw.json", "{gateway:{port:2222}}");
    let loaded = home.load_with(&instance("work")).unwrap();
    let config = &loaded.config;
    assert_eq!(config.probe.url, "http://127.0.0.1:2222");
    assert_eq!((config.probe.tries, config.language), (2, Language::Ko));
    assert_eq!((config.notify.timeout, config.notify.desktop), (Span::secs(3), true));
    assert!(config.notify.slack.webhook_url.is_some(), "shared");
    assert_eq!(config.service.label, "ai.openclaw.work");
    assert_eq!(config.service.unit, "openclaw-gateway-work.service");
    assert!(loaded.paths.watchdog().ends_with(".openclaw-work/watchdog"));

    let loaded = home.load_with(&instance("shop")).unwrap();
    assert_eq!(loaded.config.probe.url, "http://127.0.0.1:8080");
    assert!(loaded.paths.watchdog().ends_with(".openclaw-s/watchdog"));
    assert_eq!(home.load().config.instance_names(), ["default", "shop", "work"]);

    let own = json!({"probe": {"tries": 7}});
    let home = home.file(".openclaw-work/watchdog/config.json", own.to_string());
    let loaded = home.load_with(&instance("work")).unwrap();
    assert_eq!(
        (loaded.config.probe.tries, loaded.config.language),
        (7, Language::En),
        "its own file is the whole"
    );
    let undeclared = home.load_with(&instance("other")).unwrap();
    assert_eq!(undeclared.config.probe.url, "http://127.0.0.1:18789");
    assert_eq!(undeclared.config.service.label, "ai.openclaw.other");
}

#[test]
fn one_of_many_instances_is_not_told_the_environment_of_another() {
    let home = Home::new()
        .config(&json!({"instances": {"work": {}}}))
        .env("OPENCLAW_GATEWAY_PORT", "1234")
        .env("OC_STATE_DIR", "/nonexistent/w");
    let mut request = instance("work");
    request.places.enumerated = true;
    request.config = Some(home.dir.path().join(".openclaw/watchdog/config.json"));
    let loaded = home.load_with(&request).unwrap();
    assert_eq!(loaded.config.probe.url, "http://127.0.0.1:18789");
    assert!(loaded.paths.watchdog().starts_with(home.dir.path()));
    request.places.enumerated = false;
    assert_eq!(
        home.load_with(&request).unwrap().config.probe.url,
        "http://127.0.0.1:1234"
    );
}

#[test]
fn the_services_configuration_may_lie_elsewhere() {
    let home = Home::new().config(&json!({"service": {"config_file": "~/dotfiles/oc.json"}}));
    let expected = home.dir.path().join("dotfiles/oc.json");
    assert_eq!(home.load().paths.service_config(), expected);
    let home = home.config(&json!({"service": {"config_file": "oc.json"}}));
    assert!(home.fault().what.contains("service.config_file"));
}

#[test]
fn print_config_shows_origins_and_no_secret() {
    let secret = "https://discord.com/api/webhooks/123/SuperSecretPart";
    let loaded = Home::new()
        .config(&json!({
            "probe": {"token": "tok-in-config", "deep": [{"name": "up", "url": "https://u:p4ssw0rd@x/"}]},
            "instances": {"work": {"notify": {"ntfy": {"url": "https://ntfy.sh/w-secret"}}}}
        }))
        .dotenv(&format!("DISCORD_WEBHOOK_URL={secret}"))
        .env("ANTHROPIC_API_KEY", "sk-ant-secret")
        .load();
    let table = loaded.print_table();
    assert!(
        table.contains("notify.discord.webhook_url = (set, from .env: DISCORD_WEBHOOK_URL)\n"),
        "{table}"
    );
    assert!(table.contains("probe.token = (set, from config.json)\n"), "{table}");
    assert!(table.contains("probe.timeout = \"5s\"  (default)\n"), "{table}");
    let json = loaded.print_json();
    let key = &json["config"]["agent.anthropic_api_key"];
    assert_eq!(key["value"], "(set, from environment: ANTHROPIC_API_KEY)");
    assert_eq!(key["origin"]["name"], "ANTHROPIC_API_KEY");
    for text in [
        table,
        json.to_string(),
        format!("{:?} {:?}", loaded.config.notify, loaded.config.agent),
    ] {
        for hidden in [
            "SuperSecretPart",
            "tok-in-config",
            "p4ssw0rd",
            "sk-ant-secret",
            "w-secret",
        ] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}

/// Invariant 6: the exact values too, wherever they were loaded from.
#[test]
fn the_redactor_knows_every_value_that_was_loaded() {
    let home = Home::new()
        .config(&json!({
            "notify": {"ntfy": {"token": "plainword-config"}},
            "instances": {"w": {"notify": {"heartbeat_url": "plainword-instance"}}}
        }))
        .dotenv("SLACK_WEBHOOK_URL=plainword-dotenv\nODD_NAME=a1b2c3d4e5f6g7h8i9\nOPENCLAW_LLM_PROVIDER=claude\n")
        .env("MY_PASSWORD", "plainword-env")
        .file(
            ".openclaw/openclaw.json",
            "{channels:{telegram:{botToken:'plainword-service'}}, broken",
        );
    let redactor = home.load().redactor(&home.environment());
    let text = "plainword-config plainword-dotenv a1b2c3d4e5f6g7h8i9 claude plainword-env plainword-service plainword-instance";
    assert_eq!(
        redactor.redact(text),
        "[redacted:notify.ntfy.token] [redacted:SLACK_WEBHOOK_URL] [redacted:ODD_NAME] claude \
         [redacted:MY_PASSWORD] [redacted:botToken] [redacted:notify.heartbeat_url]"
    );
}

#[test]
fn without_home_there_is_one_clear_error() {
    let fault = Config::load_with(&Request::default(), &Env::default()).unwrap_err();
    assert_eq!(fault.exit, Exit::Config);
    assert!(fault.what.contains("HOME"));
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let home = Home::new();
    fs::create_dir(home.dir.path().join(".openclaw/watchdog/config.json")).unwrap();
    let fault = home.fault();
    assert_eq!(fault.exit, Exit::Io);
    assert!(fault.what.contains("config.json"), "{}", fault.what);
    assert_eq!(home.safe().0, Config::default());
}

/// Any JSON that could be mistaken for ours.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z0-9 .:/~]{0,12}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        "[a-z_$]{0,6}",
        prop::sample::select(vec![
            "service",
            "probe",
            "policy",
            "agent",
            "notify",
            "instances",
            "kind",
            "url",
            "timeout",
            "deep",
            "default",
            "discord",
            "webhook_url",
            "language",
            "config_file",
            "commands",
            "profile",
            "$schema"
        ])
        .prop_map(str::to_owned)
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(key.clone(), inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_a_configuration_or_one_clear_error(bytes: Vec<u8>, dotenv: Vec<u8>, service: Vec<u8>) {
        let home = Home::new()
            .file(".openclaw/watchdog/config.json", bytes)
            .file(".openclaw/.env", dotenv)
            .file(".openclaw/openclaw.json", service);
        if let Err(fault) = home.load_with(&Request::default()) {
            prop_assert!(!fault.what.contains('\n'), "{}", fault.what);
        }
        home.safe();
        home.load_with(&instance("work")).ok();
    }

    #[test]
    fn any_json_is_a_configuration_or_one_clear_error(content in any_json()) {
        let home = Home::new().config(&content);
        match home.load_with(&Request::default()) {
            Ok(loaded) => drop(loaded.print_table()),
            Err(fault) => {
                prop_assert!(!fault.what.contains('\n') && fault.what.len() < 1000, "{}", fault.what);
                prop_assert_eq!(fault.exit, Exit::Config);
            }
        }
        home.safe();
    }
}
