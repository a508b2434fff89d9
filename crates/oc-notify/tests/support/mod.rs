//! A world with providers, and passes of healing as oc-heal would leave them.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use oc_core::clock::{Stamp, parse_rfc3339, rfc3339};
use oc_core::journal::{Event, Kind};
use oc_testkit::providers::Providers;
use oc_testkit::{Output, TestEnv};
use serde_json::{Value, json};
use std::path::PathBuf;

/// The moment at which the tests begin.
pub const START: &str = "2026-02-27T20:32:52.000Z";

pub struct World {
    pub env: TestEnv,
    pub providers: Providers,
    now_ms: i64,
}

impl World {
    /// With these channels and nothing else in section notify.
    pub fn new(channels: &[&str]) -> Self {
        Self::with(channels, json!({}))
    }

    pub fn with(channels: &[&str], notify: Value) -> Self {
        let (env, providers) = (TestEnv::new(), Providers::new());
        let mut world = Self {
            env,
            providers,
            now_ms: parse_rfc3339(START).unwrap(),
        };
        world.configure(channels, notify);
        world.at(0);
        world
    }

    pub fn configure(&self, channels: &[&str], extra: Value) {
        let p = &self.providers;
        let mut notify = json!({});
        for channel in channels {
            notify[*channel] = match *channel {
                "discord" => json!({"webhook_url": p.discord()}),
                "slack" => json!({"webhook_url": p.slack()}),
                "telegram" => {
                    json!({"bot_token": "110201543:telegram-s3cret-t0ken", "chat_id": "42", "api_url": p.url("")})
                }
                "ntfy" => json!({"url": p.url("/ntfy/my-topic"), "token": "tk_ntfy-s3cret-t0ken"}),
                "webhook" => json!({"url": p.url("/hook/webhook-s3cret-t0ken"), "hmac_secret": "hmac-s3cret-t0ken"}),
                "alertmanager" => json!({"url": p.url("")}),
                "exec" => json!([self.env.path("bin/teller").to_str().unwrap(), "--fixed"]),
                other => panic!("{other}"),
            };
        }
        notify
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        self.env.oc_config(&json!({"notify": notify}));
    }

    /// Sets the clock, in seconds after the start.
    pub fn at(&mut self, seconds: i64) {
        self.env.now(&rfc3339(self.now_ms + seconds * 1000));
    }

    pub fn notify(&self, args: &[&str]) -> Output {
        self.env.cmd("oc-notify").args(args).run()
    }

    pub fn stamp(&self, seconds: i64) -> Stamp {
        let wall_ms = self.now_ms + seconds * 1000;
        let boot_ms = u64::try_from(wall_ms).unwrap();
        Stamp {
            wall_ms,
            boot_ms,
            awake_ms: boot_ms,
            boot: oc_core::clock::boot_id().to_owned(),
        }
    }

    /// Adds an event to the journal.
    pub fn journal(&self, seconds: i64, kind: Kind, incident: &str, text: &str, data: Value) {
        let stamp = self.stamp(seconds);
        let mut event = Event::now(kind, "oc-escalate", "default", text).incident(Some(incident));
        (event.at, event.stamp) = (stamp.rfc3339(), stamp);
        event.data = data.as_object().unwrap().clone();
        let path = self.env.watchdog().join("journal.jsonl");
        let mut all = std::fs::read(&path).unwrap_or_default();
        all.extend(serde_json::to_vec(&event).unwrap());
        all.push(b'\n');
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, all).unwrap();
    }

    /// A run directory with these answers.
    pub fn pass(&self, files: &[(&str, Value)]) -> PathBuf {
        let dir = self.env.watchdog().join("run");
        std::fs::remove_dir_all(&dir).ok();
        std::fs::create_dir_all(&dir).unwrap();
        for (name, body) in files {
            std::fs::write(dir.join(name), body.to_string()).unwrap();
        }
        dir
    }

    /// `oc-notify incident` on a pass.
    pub fn tell(&self, files: &[(&str, Value)]) -> Output {
        let dir = self.pass(files);
        self.notify(&["--json", "incident", "--run", dir.to_str().unwrap()])
    }

    /// What waits.
    pub fn waiting(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.env.watchdog().join("outbox")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|e| e.file_name().into_string().unwrap())
            .collect();
        names.retain(|n| n.starts_with(|c: char| c.is_ascii_digit()));
        names.sort();
        names
    }
}

/// Checks a value against schemas/notify.schema.json.
#[track_caller]
pub fn fits_schema(value: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../../../schemas/notify.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|e| format!("{e}")).collect();
    assert!(errors.is_empty(), "{errors:?}\n{value}");
}
