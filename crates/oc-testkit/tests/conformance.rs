//! One suite for the stand-in and the real gateway, so that the stand-in stays honest. It runs against the stand-in, and
//! against the real one when `OC_REAL_OPENCLAW` names its executable. Where the two differ, the stand-in is wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests"
)]

use oc_testkit::{Asked, Gateway, GatewayBuilder, Output, Signal, TestEnv, ask_with, free_port, process, wait_until};
use serde_json::{Value, json};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

/// Generous: it is a ceiling, and the real gateway answers late while the machine is crowded.
const CEILING: Duration = Duration::from_secs(60);

fn gateway(env: &TestEnv) -> GatewayBuilder<'_> {
    gateway_on(env, free_port())
}

fn gateway_on(env: &TestEnv, port: u16) -> GatewayBuilder<'_> {
    let log = env.path("gateway.log");
    // The real one would log into a directory that everybody on the machine shares.
    env.gateway()
        .real_if_named()
        .on_port(port)
        .edit(|config| config["logging"] = json!({"file": log}))
}

/// A copy with the value at this pointer put in; its parent object must be there.
fn with(config: &Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let mut config = config.clone();
    config.pointer_mut(parent).unwrap()[key] = value;
    config
}

fn without_mode(config: &Value) -> Value {
    let mut config = config.clone();
    config["gateway"].as_object_mut().unwrap().remove("mode");
    config
}

fn method(gateway: &Gateway, method: &str, path: &str, headers: &[&str]) -> oc_testkit::Response {
    match ask_with(
        Ipv4Addr::LOCALHOST.into(),
        gateway.port(),
        method,
        path,
        headers,
        CEILING,
    ) {
        Asked::Answered(response) => response,
        other => panic!("{method} {path}: {other:?}"),
    }
}

/// One gateway's life from the first to the last moment; the cases share it because a real boot takes seconds.
#[test]
fn a_life() {
    let env = TestEnv::new();
    // The real one passes through these phases by itself.
    let builder = gateway(&env).faults(|faults| (faults.boot_ms, faults.starting_ms) = (60_000, 60_000));
    let mut gateway = builder.spawn();
    boot(&mut gateway, builder.patience());
    http_table(&gateway);
    keep_alive(&gateway);
    lock_file(&env, &gateway);
    second_instance(&env);
    port_held_by_another_gateway(&gateway);
    broken_edit_is_ignored(&env, &mut gateway);
    restart_in_place(&mut gateway);
    stop(&env, gateway);
}

fn boot(gateway: &mut Gateway, patience: Duration) {
    assert_eq!(
        gateway.ask("/healthz"),
        Asked::Refused,
        "refused before the port is bound"
    );
    gateway.fault(|faults| faults.boot_ms = 0);
    let mut seen = Vec::new();
    wait_until("started", patience, || {
        assert!(gateway.alive(), "{}", gateway.said());
        let Asked::Answered(answer) = gateway.ask("/startupz") else {
            return false;
        };
        let body = answer.json();
        let status = body["status"].as_str().unwrap().to_owned();
        assert_eq!(
            (answer.status == 200, &body["ok"]),
            (status == "started", &json!(status == "started"))
        );
        assert_eq!(body["version"], "2026.9.6");
        if status == "starting" {
            assert!(body["pendingReason"].is_string(), "{body}");
            gateway.fault(|faults| faults.starting_ms = 0);
        }
        let done = status == "started";
        if seen.last() != Some(&status) {
            seen.push(status);
        }
        done
    });
    assert_eq!(seen, ["starting", "started"]);
    gateway.wait_ready();
}

fn http_table(gateway: &Gateway) {
    for path in ["/healthz", "/health", "/healthz?x=1"] {
        let answer = gateway.get(path);
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"ok": true, "status": "live"})),
            "{path}"
        );
        assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    }
    for path in ["/startupz", "/startup"] {
        let body = gateway.get(path).json();
        assert_eq!((&body["ok"], &body["status"]), (&json!(true), &json!("started")));
        assert!(body["uptimeMs"].is_u64());
    }
    for path in ["/readyz", "/ready"] {
        let body = gateway.get(path).json();
        assert_eq!((&body["ready"], &body["failing"]), (&json!(true), &json!([])));
        assert!(
            body["uptimeMs"].is_u64() && body["eventLoop"]["delayP99Ms"].is_number(),
            "{body}"
        );
        assert!(body["eventLoop"]["degraded"].is_boolean(), "{body}");
        assert!(body.get("suppressed").is_none(), "{body}");
    }
    for path in ["/status", "/metrics", "/nope", "/HEALTHZ", "/"] {
        let answer = gateway.get(path);
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, Some("text/html; charset=utf-8")),
            "{path}"
        );
    }
    for path in ["/health/", "/healthz/", "/api/x", "/v1/models"] {
        assert_eq!(gateway.get(path).status, 404, "{path}");
    }
    let head = method(gateway, "HEAD", "/healthz", &[]);
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for verb in ["POST", "PUT", "OPTIONS", "DELETE"] {
        let answer = method(gateway, verb, "/healthz", &[]);
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, Some("get, head")),
            "{verb}"
        );
    }
    for path in ["/readyz", "/startupz"] {
        let answer = method(gateway, "GET", path, &["X-Forwarded-For: 192.0.2.1"]);
        assert_eq!(
            (answer.status, &answer.json()["error"]["type"]),
            (403, &json!("proxy_attribution_required"))
        );
    }
    assert_eq!(
        method(gateway, "GET", "/healthz", &["X-Forwarded-For: 192.0.2.1"]).status,
        200
    );
    let six = ask_with(
        Ipv6Addr::LOCALHOST.into(),
        gateway.port(),
        "GET",
        "/healthz",
        &[],
        CEILING,
    );
    assert!(
        matches!(six, Asked::Answered(answer) if answer.status == 200),
        "it listens on ::1, too"
    );
}

/// A client that reads to the end of the connection instead of Content-Length waits for five seconds.
fn keep_alive(gateway: &Gateway) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gateway.port())).unwrap();
    stream.set_read_timeout(Some(CEILING)).unwrap();
    for _ in 0..2 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            .unwrap();
        let mut answer = Vec::new();
        let mut chunk = [0; 1024];
        while !answer.ends_with(b"\"live\"}") {
            let n = stream.read(&mut chunk).unwrap();
            assert_ne!(n, 0, "the connection was closed");
            answer.extend_from_slice(&chunk[..n]);
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.contains("\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n"),
            "{answer}"
        );
    }
}

fn lock_file(env: &TestEnv, gateway: &Gateway) {
    let lock = env.read_json(env.gateway_lock());
    assert_eq!(lock["pid"], gateway.pid());
    assert_eq!(lock["port"], gateway.port());
    assert_eq!(lock["configPath"], json!(env.config_path()));
    assert_eq!(lock["stateDir"], json!(env.state_dir()));
    assert!(lock["ownerId"].is_string() && lock["createdAt"].is_string(), "{lock}");
    assert_eq!(lock["startTime"].as_u64(), process::start_ticks(gateway.pid()));
}

fn second_instance(env: &TestEnv) {
    let output = gateway(env).config_untouched().run();
    assert_says(&output, 78, "another OpenClaw process owns gateway-lifecycle");
}

fn port_held_by_another_gateway(holder: &Gateway) {
    let env = TestEnv::new();
    let second = gateway_on(&env, holder.port()).faults(|faults| faults.bind_interval_ms = 10);
    let output = second.run();
    assert_says(&output, 1, "another gateway instance is already listening");
    assert_says(&output, 1, &format!("Port {} is already in use", holder.port()));
    assert_eq!(holder.get("/healthz").status, 200);
}

fn broken_edit_is_ignored(env: &TestEnv, gateway: &mut Gateway) {
    let good = std::fs::read(env.config_path()).unwrap();
    let said = gateway.said().len();
    env.write(".openclaw/openclaw.json", "{ broken");
    wait_until("the broken edit is seen", CEILING, || {
        gateway.said()[said..].contains("config reload skipped")
    });
    assert!(gateway.alive());
    assert!(gateway.is_ready());
    env.write(".openclaw/openclaw.json", good);
}

fn restart_in_place(gateway: &mut Gateway) {
    let pid = gateway.pid();
    let before = gateway.get("/startupz").json()["uptimeMs"].as_u64().unwrap();
    wait_until("an uptime to compare with", CEILING, || {
        gateway.get("/startupz").json()["uptimeMs"].as_u64().unwrap() > before
    });
    gateway.signal(Signal::USR2);
    gateway.wait_refused();
    gateway.wait_ready();
    assert!(gateway.alive());
    assert_eq!(gateway.pid(), pid);
    assert!(gateway.said().contains("received SIGUSR2; restarting"));
    let after = gateway.get("/startupz").json()["uptimeMs"].as_u64().unwrap();
    assert!(after < before, "uptimeMs starts anew: {before} then {after}");
}

fn stop(env: &TestEnv, mut gateway: Gateway) {
    gateway.signal(Signal::TERM);
    gateway.wait_refused();
    let output = gateway.wait_exit();
    assert_says(&output, 0, "received SIGTERM; shutting down");
    assert!(!env.gateway_lock().exists(), "a clean stop leaves no lock");
}

/// Three kills in five minutes are as many as the gateway bears.
#[test]
fn kills_are_survived_until_the_breaker_suppresses_channels() {
    let env = TestEnv::new();
    // As a service manager would start it: SIGUSR2 then leaves the restart to that manager.
    let builder = gateway(&env)
        .edit(|config| config["channels"]["telegram"] = json!({"enabled": true, "botToken": "123456:not-a-token"}))
        .env("OPENCLAW_SERVICE_MARKER", "openclaw")
        .env("OPENCLAW_SYSTEMD_UNIT", "openclaw-gateway.service");
    for _ in 0..3 {
        let gateway = builder.start();
        assert_eq!(
            env.gateway_pid(),
            Some(gateway.pid()),
            "a dead owner's lock is taken over"
        );
        let ready = gateway.get("/readyz").json();
        assert!(ready.get("suppressed").is_none(), "{ready}");
        gateway.kill9();
        assert!(env.gateway_lock().exists(), "a kill leaves the lock behind");
    }
    let mut gateway = builder.start();
    let ready = gateway.get("/readyz").json();
    assert_eq!(
        (&ready["ready"], &ready["suppressed"]),
        (&json!(true), &json!(["telegram"]))
    );
    assert!(
        gateway
            .said()
            .contains("restart-loop breaker tripped: 3 unclean boot(s)")
    );
    gateway.signal(Signal::USR2);
    assert_says(
        &gateway.wait_exit(),
        0,
        "restart mode: full process restart (supervisor restart)",
    );
}

/// JSON5, a port out of range, no auth on loopback, an unknown plugin, an empty state database: none of it keeps it down.
#[test]
fn what_looks_broken_and_is_not() {
    let env = TestEnv::new();
    let builder = gateway(&env);
    let text = format!(
        "// by hand\n{{ gateway: {{ mode: 'local', port: 70000, bind: \"loopback\", }},
            plugins: {{entries: {{nosuch: {{enabled: true}}}}}}, logging: {{file: '{}'}} }}",
        env.path("gateway.log").display()
    );
    env.write(".openclaw/state/openclaw.sqlite", "");
    let gateway = builder.config(&text).start();
    assert_eq!(gateway.get("/healthz").status, 200);
    // The port was taken out of the file, which is plain JSON now; a copy of what was there is beside it.
    assert!(
        env.read_json(".openclaw/openclaw.json")["gateway"]
            .get("port")
            .is_none()
    );
    assert_eq!(
        std::fs::read_to_string(env.path(".openclaw/openclaw.json.bak")).unwrap(),
        text
    );
}

/// What a start makes of a state: prepares it, and names exit code and key line.
struct Broken {
    name: &'static str,
    make: fn(&TestEnv, &Value),
    exit: i32,
    line: &'static str,
}

const MODE_MISSING: &str = "existing config is missing gateway.mode";

const BROKEN: &[Broken] = &[
    Broken {
        name: "config missing",
        make: |env, _| std::fs::remove_file(env.config_path()).unwrap(),
        exit: 78,
        line: "Missing config. Run `openclaw setup` or set gateway.mode=local",
    },
    Broken {
        name: "gateway.mode missing",
        make: |env, good| put(env, without_mode(good).to_string()),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "truncated",
        make: |env, good| put(env, &good.to_string()[..40]),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "trailing garbage",
        make: |env, good| put(env, format!("{good}}}}}garbage")),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "log line in front",
        make: |env, good| put(env, format!("[2026-01-01] starting\n{good}")),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "empty",
        make: |env, _| put(env, ""),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "binary",
        make: |env, _| put(env, b"\x00\xff\xfe\x80PK\x03\x04\xc3("),
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "a directory",
        make: |env, _| {
            std::fs::remove_file(env.config_path()).unwrap();
            std::fs::create_dir(env.config_path()).unwrap();
        },
        exit: 78,
        line: MODE_MISSING,
    },
    Broken {
        name: "unknown key in gateway",
        make: |env, good| put_with(env, good, "/gateway/bogusKey", json!(1)),
        exit: 78,
        line: "gateway: Unrecognized key: \"bogusKey\"",
    },
    Broken {
        name: "unknown key at the root",
        make: |env, good| put_with(env, good, "/bogusKey", json!(1)),
        exit: 78,
        line: "Unrecognized key: \"bogusKey\"",
    },
    Broken {
        name: "port is a word",
        make: |env, good| put_with(env, good, "/gateway/port", json!("abc")),
        exit: 78,
        line: "gateway.port: Invalid input: expected number, received string",
    },
    Broken {
        name: "bind is a boolean",
        make: |env, good| put_with(env, good, "/gateway/bind", json!(true)),
        exit: 78,
        line: "gateway.bind: ",
    },
    Broken {
        name: "unknown channel",
        make: |env, good| put_with(env, good, "/channels", json!({"nosuch": {}})),
        exit: 78,
        line: "OpenClaw config is invalid; run \"openclaw doctor --fix\"",
    },
    Broken {
        name: "lan without auth",
        make: |env, good| {
            let lan = with(good, "/gateway/bind", json!("lan"));
            put(env, with(&lan, "/gateway/auth", json!({"mode": "none"})).to_string());
        },
        exit: 78,
        line: "Refusing to bind gateway to lan without auth.",
    },
    Broken {
        name: "password mode without a password",
        make: |env, good| put_with(env, good, "/gateway/auth", json!({"mode": "password"})),
        exit: 78,
        line: "Gateway auth is set to password, but no password is configured",
    },
    Broken {
        name: "written by a newer version",
        make: |env, good| put_with(env, good, "/meta", json!({"lastTouchedVersion": "2099.1.1"})),
        exit: 1,
        line: "Refusing to run automatic gateway startup migrations because this OpenClaw binary (2026.9.6) is older",
    },
    Broken {
        name: "state database is garbage",
        make: |env, _| {
            env.write(
                ".openclaw/state/openclaw.sqlite",
                "this is no database, whatever its name says".repeat(200),
            );
        },
        exit: 78,
        line: "file is not a database",
    },
];

fn put_with(env: &TestEnv, good: &Value, pointer: &str, value: Value) {
    put(env, with(good, pointer, value).to_string());
}

fn put(env: &TestEnv, text: impl AsRef<[u8]>) {
    env.write(".openclaw/openclaw.json", text);
}

// Two halves, which run side by side: against the real gateway each row costs seconds.
#[test]
fn broken_states_end_with_their_exit_code_and_line() {
    hold(&BROKEN[..BROKEN.len() / 2]);
}

#[test]
fn broken_states_end_with_their_exit_code_and_line_too() {
    hold(&BROKEN[BROKEN.len() / 2..]);
}

fn hold(rows: &[Broken]) {
    let differ: Vec<String> = rows.iter().filter_map(differs).collect();
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn differs(broken: &Broken) -> Option<String> {
    let env = TestEnv::new();
    let builder = gateway(&env);
    builder.prepare();
    let good = env.read_json(".openclaw/openclaw.json");
    (broken.make)(&env, &good);
    let output = builder.config_untouched().run();
    let same = output.code == broken.exit && said(&output).contains(broken.line);
    (!same).then(|| format!("--- {}: exit {}\n{}", broken.name, output.code, said(&output)))
}

#[test]
fn a_port_held_by_a_stranger_is_a_runtime_trouble() {
    let stranger = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let env = TestEnv::new();
    let port = stranger.local_addr().unwrap().port();
    let output = gateway_on(&env, port)
        .faults(|faults| faults.bind_interval_ms = 10)
        .run();
    assert_says(&output, 1, &format!("Port {port} is already in use"));
}

#[test]
fn an_unreadable_config_looks_like_a_missing_mode() {
    let env = TestEnv::new();
    let builder = gateway(&env);
    builder.prepare();
    std::fs::set_permissions(env.config_path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(env.config_path()).is_ok() {
        return; // root reads everything
    }
    let output = builder.config_untouched().run();
    assert_says(&output, 78, "EACCES");
    assert_says(&output, 78, MODE_MISSING);
}

fn said(output: &Output) -> String {
    format!("{}{}", output.stdout, output.stderr)
}

#[track_caller]
fn assert_says(output: &Output, code: i32, line: &str) {
    assert_eq!(output.code, code, "{}", said(output));
    assert!(said(output).contains(line), "no {line:?} in\n{}", said(output));
}
