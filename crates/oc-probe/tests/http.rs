//! Every way in which an answer can be wrong, against the real binary: which class, and never "healthy".
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{class, conditions, probe, quick, remember_serving};
use oc_testkit::{Canned, Faults, Hostile, Signal, Step, TestEnv, wait_until};
use std::net::TcpListener;
use std::time::Duration;

/// A gateway that served, and now has this fault.
fn broken(change: impl FnOnce(&mut Faults)) -> (TestEnv, oc_testkit::Gateway) {
    let env = TestEnv::new();
    quick(&env);
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    gateway.fault(change);
    (env, gateway)
}

#[test]
fn h_rows_of_a_gateway_of_ours() {
    let table = [
        (Hostile::Trickle, "http_error"),
        (Hostile::Half, "http_error"),
        (Hostile::Status(500), "http_error"),
        (Hostile::Status(503), "http_error"),
        (Hostile::Status(404), "http_error"),
        (Hostile::Body("{\"ok\":false}".into()), "wrong_body"),
        (Hostile::Body("[]".into()), "wrong_body"),
        (Hostile::Empty, "wrong_body"),
        (Hostile::Html, "wrong_body"),
        (Hostile::NonUtf8, "wrong_body"),
        (Hostile::Reset, "http_error"),
        (Hostile::Close, "http_error"),
        (Hostile::RedirectLoop, "http_error"),
        (Hostile::Endless, "wrong_body"),
        (Hostile::HugeHeaders, "http_error"),
        (Hostile::Garbage, "http_error"),
    ];
    for (hostile, expected) in table {
        let (env, _gateway) = broken(|f| f.hostile = Some(hostile.clone()));
        let output = probe(&env).args(["--json", "--tries", "1", "--timeout", "1s"]).run();
        assert!(
            output.took < Duration::from_secs(8),
            "{hostile:?} held us for {:?}",
            output.took
        );
        let report = output.expect_code(2).json();
        assert_eq!(class(&report), expected, "{hostile:?}: {report}");
        assert_eq!(report["holder"]["ours"], true, "{hostile:?}");
    }
}

#[test]
fn h9_401_serves() {
    let (env, _gateway) = broken(|f| {
        f.hostile = Some(Hostile::Status(401));
        f.hostile_paths = vec!["/healthz".into()];
    });
    probe(&env)
        .args(["--json", "--checks", "liveness"])
        .run()
        .expect_code(0);
}

#[test]
fn h1_silence_is_hung_only_after_the_threshold() {
    let (env, _gateway) = broken(|f| f.block_ms = Some(0));
    let output = probe(&env).args(["--json"]).run();
    assert!(output.took >= Duration::from_millis(900), "{:?}", output.took);
    let report = output.expect_code(2).json();
    assert_eq!(class(&report), "hung", "{report}");
    assert!(report["stalled_ms"].as_u64().unwrap() >= 900, "{report}");
    // Less time than the threshold: not knowing is not down.
    let report = probe(&env)
        .args(["--json", "--deadline", "300ms"])
        .run()
        .expect_code(3)
        .json();
    assert_eq!(class(&report), "inconclusive", "{report}");
}

#[test]
fn a_stopped_process_is_hung_too() {
    let (env, mut gateway) = broken(|_| {});
    gateway.signal(Signal::STOP);
    let report = probe(&env).args(["--json"]).run().expect_code(2).json();
    assert_eq!(class(&report), "hung");
    gateway.signal(Signal::CONT);
    probe(&env).run().expect_code(0);
}

#[test]
fn a_loop_blocked_for_less_than_the_threshold_is_waited_out() {
    let env = TestEnv::new();
    env.oc_config(&serde_json::json!({"probe": {"timeout": "300ms", "hang_after": "20s", "max_sched_delay": "10s"}}));
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    gateway.fault(|f| f.block_ms = Some(1500));
    let report = probe(&env).args(["--json"]).run().expect_code(0).json();
    assert_eq!(report["stalled_ms"], 0);
    assert!(report["latency_ms"].as_u64().unwrap() > 300, "{report}");
}

#[test]
fn t2_a_watcher_that_was_stopped_meanwhile_concludes_nothing() {
    let env = TestEnv::new();
    env.oc_config(&serde_json::json!({"probe": {"timeout": "1500ms", "hang_after": "1500ms"}}));
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    gateway.fault(|f| f.block_ms = Some(0));
    let mut running = probe(&env).args(["--json", "--tries", "1"]).spawn();
    let pid = running.pid();
    wait_until("the probe waits for an answer", Duration::from_secs(10), || {
        connected(pid)
    });
    running.signal(Signal::STOP);
    let begin = std::time::Instant::now();
    wait_until("two seconds pass", Duration::from_secs(10), || {
        begin.elapsed() > Duration::from_secs(2)
    });
    running.signal(Signal::CONT);
    let report = running.wait(Duration::from_secs(10)).expect_code(3).json();
    assert_eq!(class(&report), "inconclusive", "{report}");
}

/// True once a process has a socket.
fn connected(pid: u32) -> bool {
    let Ok(fds) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    fds.flatten()
        .filter_map(|fd| std::fs::read_link(fd.path()).ok())
        .any(|to| to.to_string_lossy().starts_with("socket:"))
}

#[test]
fn h8_another_program_on_the_port_is_named_and_not_called_ours() {
    for server in [
        Canned::answering(404, "{}"),
        Canned::answering(200, "<html>"),
        Canned::new(vec![Step::Read, Step::Stall]),
        Canned::new(vec![Step::Read, Step::Reset]),
    ] {
        let env = TestEnv::new();
        quick(&env);
        env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
        let output = probe(&env)
            .env("OPENCLAW_GATEWAY_PORT", server.port())
            .args(["--json", "--tries", "1"])
            .run();
        let report = output.expect_code(2).json();
        assert_eq!(class(&report), "foreign_listener", "{report}");
        assert_eq!(report["holder"]["identity"]["pid"], std::process::id());
        assert_eq!(report["holder"]["ours"], false);
        let named = format!("pid {} (", std::process::id());
        assert!(report["summary"].as_str().unwrap().contains(&named), "{report}");
        assert_ne!(report["holder"]["command"], "", "{report}");
    }
}

/// Between the end of one process and its manager's word about the next, whoever listens is nobody that is known.
#[test]
fn a_listener_that_the_manager_names_a_moment_later_is_no_stranger() {
    let me = std::process::id();
    for (manager, program, behind, abreast) in [
        (
            "systemd",
            "systemctl",
            "LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nMainPID=0",
            format!("LoadState=loaded\nActiveState=active\nSubState=running\nMainPID={me}"),
        ),
        (
            "launchd",
            "launchctl",
            "ai.openclaw.gateway = {\n\tstate = spawn scheduled\n}",
            format!("ai.openclaw.gateway = {{\n\tstate = running\n\tpid = {me}\n}}"),
        ),
    ] {
        let env = TestEnv::new();
        quick(&env);
        env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
        let asked = env.path("asked").display().to_string();
        env.stub(
            program,
            &format!("if [ -e '{asked}' ]; then printf '{abreast}\\n'; else : >'{asked}'; printf '{behind}\\n'; fi"),
        );
        let server = Canned::answering(503, "{}");
        let report = probe(&env)
            .env("OC_SERVICE_MANAGER", manager)
            .env("OPENCLAW_GATEWAY_PORT", server.port())
            .args(["--json", "--tries", "1"])
            .run()
            .json();
        assert!(!conditions(&report).contains(&"foreign_listener".into()), "{report}");
        assert_eq!(report["holder"]["ours"], true, "{report}");
        assert_eq!(report["identity"]["pid"], me, "{report}");
    }
}

/// Its end takes the socket with it. What it answered says nothing about who comes next.
#[test]
fn a_listener_that_is_gone_a_moment_later_is_no_stranger() {
    let env = TestEnv::new();
    quick(&env);
    env.write(".openclaw/openclaw.json", r#"{"gateway":{"mode":"local"}}"#);
    let gateway = env.gateway().start();
    gateway.fault(|f| f.hostile = Some(Hostile::Status(503)));
    std::fs::remove_file(env.gateway_lock()).unwrap();
    let (pid, asked) = (gateway.pid(), env.path("asked").display().to_string());
    env.stub(
        "systemctl",
        &format!(
            "printf 'LoadState=loaded\\nActiveState=activating\\nSubState=auto-restart\\nMainPID=0\\n'\n\
             if [ -e '{asked}' ]; then kill -9 {pid}; while [ -e /proc/{pid}/exe ]; do :; done; else : >'{asked}'; fi"
        ),
    );
    let report = probe(&env)
        .env("OC_SERVICE_MANAGER", "systemd")
        .args(["--json", "--tries", "1"])
        .run()
        .expect_code(3)
        .json();
    assert_eq!(class(&report), "inconclusive", "{report}");
}

#[test]
fn nothing_is_sent_that_the_gateway_refuses_and_redirects_are_not_followed() {
    let server = Canned::new(vec![
        Step::Read,
        Step::Send(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n".to_vec()),
    ]);
    let env = TestEnv::new();
    probe(&env)
        .env("OPENCLAW_GATEWAY_PORT", server.port())
        .env("http_proxy", "http://127.0.0.1:9")
        .args(["--checks", "liveness", "--tries", "1"])
        .run()
        .expect_code(2);
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(requests[0].starts_with("GET /healthz HTTP/1.1"), "{requests:?}");
    assert!(!requests[0].to_lowercase().contains("x-forwarded-for"));
}

#[test]
fn n3_what_we_cannot_ask_is_not_down() {
    let env = TestEnv::new();
    // No route there; where there is one, nobody answers. Neither says anything about the service.
    env.oc_config(&serde_json::json!({"probe": {"url": "http://[2001:db8::1]:18789", "timeout": "500ms"}}));
    let report = probe(&env).args(["--json", "--tries", "1"]).run().expect_code(3).json();
    assert_eq!(class(&report), "inconclusive", "{report}");
}

#[test]
fn not_ready_safe_mode_starting_and_draining_are_told_apart() {
    let (env, gateway) = broken(|f| f.not_ready = vec!["telegram".into()]);
    let report = probe(&env).args(["--json"]).run().expect_code(1).json();
    assert_eq!(class(&report), "not_ready", "{report}");
    gateway.fault(|f| {
        f.not_ready.clear();
        f.suppressed = vec!["telegram".into()];
    });
    let report = probe(&env).args(["--json"]).run().expect_code(1).json();
    assert_eq!(class(&report), "safe_mode", "{report}");
    assert!(report["summary"].as_str().unwrap().contains("telegram"));

    let env = TestEnv::new();
    let gateway = env.gateway().faults(|f| f.starting_ms = 60_000).spawn();
    wait_until("it is bound", Duration::from_secs(10), || {
        matches!(gateway.ask("/healthz"), oc_testkit::Asked::Answered(_))
    });
    let report = probe(&env).args(["--json"]).run().json();
    assert_eq!(class(&report), "starting", "{report}");

    let (env, mut gateway) = broken(|f| {
        f.drain_ms = 1500;
        f.drain_refused_ms = 60_000;
    });
    gateway.signal(Signal::TERM);
    wait_until("it drains", Duration::from_secs(10), || !gateway.is_ready());
    let report = probe(&env).args(["--json", "--tries", "1"]).run().json();
    assert_eq!(class(&report), "draining", "{report}");
    gateway.wait_refused();
    let report = probe(&env).args(["--json", "--tries", "1"]).run().json();
    assert_eq!(class(&report), "draining", "{report}");
    assert!(
        conditions(&report).contains(&"refused".to_owned()),
        "what it is once it should be over: {report}"
    );
}

#[test]
fn a_full_accept_queue_is_silence_not_absence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let env = TestEnv::new();
    quick(&env);
    let address = listener.local_addr().unwrap();
    // Nobody accepts: once the queue is full, further connections are not even established.
    let mut queue = Vec::new();
    wait_until(
        "the queue is full",
        Duration::from_secs(20),
        || match std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
            Ok(stream) => {
                queue.push(stream);
                queue.len() > 5000
            }
            Err(_) => true,
        },
    );
    let report = probe(&env)
        .env("OPENCLAW_GATEWAY_PORT", port)
        .args(["--json", "--tries", "1", "--checks", "liveness"])
        .run()
        .expect_code(2)
        .json();
    assert_eq!(class(&report), "hung", "{report}");
}
