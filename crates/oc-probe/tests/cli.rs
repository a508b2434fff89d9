//! The command line: output forms, bad input, a hostile environment.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod common;

use common::{check, probe, quick, remember_serving};
use oc_testkit::{Canned, Hostile, Step, TestEnv, free_port};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

/// Holds a report against the published schema.
#[track_caller]
fn fits_schema(report: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/probe.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|e| format!("{}: {e}", e.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:?}\n{report}");
}

#[test]
fn every_kind_of_report_fits_the_published_schema() {
    let env = TestEnv::new();
    quick(&env);
    fits_schema(
        &probe(&env)
            .env("OPENCLAW_GATEWAY_PORT", free_port())
            .args(["--json"])
            .run()
            .json(),
    );
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    let healthy = probe(&env).args(["--json"]).run().expect_code(0).json();
    fits_schema(&healthy);
    fits_schema(
        &probe(&env)
            .args(["--json", "--checks", "service,port,disk"])
            .run()
            .json(),
    );
    fits_schema(&probe(&env).args(["--json", "--all"]).run().json());
    gateway.fault(|f| f.hostile = Some(Hostile::Html));
    fits_schema(&probe(&env).args(["--json", "--tries", "1"]).run().json());
    let mut wrong = healthy;
    wrong["class"] = json!("no_such_class");
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/probe.schema.json")).unwrap();
    assert!(!jsonschema::is_valid(&schema, &wrong), "the schema accepts anything");
}

#[test]
fn a_healthy_pass_looks_at_little_and_writes_nothing() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    let report = probe(&env).args(["--json"]).run().expect_code(0).json();
    let names: Vec<&str> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["liveness", "process", "readiness", "memory", "config", "disk"]);
    assert!(report["service"].is_null() && report["holder"].is_null(), "{report}");
    assert_eq!(report["identity"]["pid"], gateway.pid());
    assert!(report["uptime_ms"].is_u64() && report["rss_bytes"].as_u64().unwrap() > 100_000);
    assert!(!env.watchdog().exists(), "a probe never writes");
}

#[test]
fn text_fields_and_quiet() {
    let env = TestEnv::new();
    let gateway = env.gateway().start();
    let text = probe(&env).run().expect_code(0).stdout;
    assert!(text.starts_with("healthy: ") && !text.contains('\u{1b}'), "{text:?}");
    assert!(text.contains("  ok    liveness   200, as expected"), "{text}");
    let text = probe(&env).args(["--color", "always"]).run().expect_code(0).stdout;
    assert!(text.contains('\u{1b}'), "{text:?}");
    let text = probe(&env).env("NO_COLOR", "1").run().expect_code(0).stdout;
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let fields = ["-o", "identity.pid", "-o", "checks.liveness.status", "-o", "class"];
    let text = probe(&env).args(fields).run().expect_code(0).stdout;
    assert_eq!(text, format!("{}\nok\n\n", gateway.pid()));
    assert_eq!(probe(&env).args(["-q"]).run().expect_code(0).stdout, "");
    probe(&env).args(["--checks", "disk", "-q"]).run().expect_code(0);
}

#[test]
fn nagios_prints_one_line_with_performance_data() {
    let env = TestEnv::new();
    quick(&env);
    let gateway = env.gateway().start();
    let line = probe(&env).arg("--nagios").run().expect_code(0).stdout;
    let (text, data) = line.trim_end().split_once(" | ").expect("performance data");
    assert!(
        text.starts_with("GATEWAY OK: ") && line.lines().count() == 1,
        "{line:?}"
    );
    let mut labels = Vec::new();
    for item in data.split(' ') {
        let (label, values) = item.split_once('=').expect("label=value");
        labels.push(label);
        let mut values = values.split(';');
        let value = values.next().unwrap();
        let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        assert!(number.parse::<f64>().is_ok(), "{item}");
        assert!(["s", "B"].contains(&&value[number.len()..]), "{item}");
        assert!(values.all(|v| v.is_empty() || v.parse::<f64>().is_ok()), "{item}");
    }
    assert_eq!(labels, ["latency", "memory", "uptime"]);
    gateway.fault(|f| f.hostile = Some(Hostile::Body("a|b\nc".into())));
    let line = probe(&env)
        .args(["--nagios", "--tries", "1"])
        .run()
        .expect_code(2)
        .stdout;
    assert!(
        line.starts_with("GATEWAY CRITICAL: ") && line.lines().count() == 1,
        "{line:?}"
    );
}

#[test]
fn bad_usage_is_64_and_says_what_to_do() {
    let env = TestEnv::new();
    for arguments in [
        &["--nope"][..],
        &["--checks", "everything"],
        &["--timeout", "soon"],
        &["--tries", "0"],
        &["--tries", "-1"],
        &["--interval", "-5s"],
        &["--json", "--nagios"],
        &["--wait", "1s", "--tries", "3"],
        &["extra"],
        &["--instance", "../x"],
    ] {
        let output = probe(&env).args(arguments).run().expect_code(64);
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
        assert!(!output.stderr.contains("panicked"), "{arguments:?}: {}", output.stderr);
    }
    let _gateway = env.gateway().start();
    let output = probe(&env).args(["-o", "identity.nope"]).run().expect_code(64);
    assert!(output.stderr.contains("pid"), "{}", output.stderr);
}

#[test]
fn a_wrong_configuration_of_ours_is_78_and_names_the_place() {
    let env = TestEnv::new();
    for (content, place) in [
        (json!({"probe": {"timeout": "soon"}}), "timeout"),
        (json!({"probe": {"url": "http://127.0.0.1:99999"}}), "url"),
        (json!({"probe": {"url": "ftp://127.0.0.1"}}), "http"),
        (json!({"prob": {}}), "prob"),
    ] {
        env.oc_config(&content);
        let output = probe(&env).args(["--json"]).run().expect_code(78);
        let error: Value = serde_json::from_str(output.stderr.trim()).expect("an error object");
        assert!(
            output.stderr.contains(place) && error["exit"] == 78,
            "{}",
            output.stderr
        );
    }
    for port in ["0", "65536", "abc", "-1"] {
        let env = TestEnv::new();
        let output = probe(&env).env("OPENCLAW_GATEWAY_PORT", port).run().expect_code(78);
        assert!(output.stderr.contains("OPENCLAW_GATEWAY_PORT"), "{}", output.stderr);
    }
}

#[test]
fn without_home_there_is_one_clear_sentence() {
    let mut env = TestEnv::new();
    env.unset("HOME");
    env.unset("OC_STATE_DIR");
    let output = probe(&env).run().expect_code(78);
    assert!(
        output.stderr.contains("HOME") && output.stderr.contains("hint:"),
        "{}",
        output.stderr
    );
}

#[test]
fn garbage_in_our_own_state_costs_nothing_but_the_memory() {
    let env = TestEnv::new();
    let _gateway = env.gateway().start();
    for name in ["state.json", "carry.json", "supervise/status.json"] {
        for content in [&b"\x00\xff{"[..], b"", b"[]", br#"{"version":99,"served":7}"#, b"null"] {
            let path = env.write(format!(".openclaw/watchdog/{name}"), content);
            probe(&env).run().expect_code(0);
            assert_eq!(std::fs::read(&path).unwrap(), content, "{name} was changed");
        }
    }
    let secret = env.write("precious", "precious");
    let link = env.watchdog().join("state.json");
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    probe(&env).run().expect_code(0);
    assert_eq!(std::fs::read(secret).unwrap(), b"precious");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let env = TestEnv::new();
    let _gateway = env.gateway().start();
    let script = "{ oc-probe --json; echo $? >code; } | true";
    for _ in 0..5 {
        let output = env.foreign("sh").args(["-c", script]).run().expect_code(0);
        assert_eq!(output.stderr, "");
        assert_eq!(std::fs::read_to_string(env.path("code")).unwrap(), "0\n");
    }
    let full = env
        .foreign("sh")
        .args(["-c", "oc-probe >/dev/full"])
        .run()
        .expect_code(74);
    assert!(full.stderr.contains("cannot write"), "{}", full.stderr);
}

#[test]
fn all_instances_at_once_and_the_slow_one_delays_nobody() {
    let env = TestEnv::new();
    let slow = Canned::new(vec![Step::Read, Step::Stall]);
    let instances: serde_json::Map<String, Value> = (0..6)
        .map(|n| {
            let url = format!("http://127.0.0.1:{}", slow.port());
            let probe = json!({"url": url, "timeout": "1s", "hang_after": "1s", "max_sched_delay": "10s"});
            (
                format!("slow{n}"),
                json!({"service": {"kind": "generic"}, "probe": probe}),
            )
        })
        .collect();
    env.oc_config(&json!({ "instances": instances }));
    let _gateway = env.gateway().start();
    let output = probe(&env).args(["--all", "--json", "--tries", "1"]).run();
    assert!(
        output.took < Duration::from_secs(5),
        "one after the other: {:?}",
        output.took
    );
    let report = output.expect_code(2).json();
    let found: Vec<(&str, &str)> = report["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["name"].as_str().unwrap(), one["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(found.len(), 7, "{report}");
    assert_eq!(found[0], ("default", "healthy"));
    assert!(found[1..].iter().all(|(_, verdict)| *verdict == "down"), "{found:?}");
    let text = probe(&env).args(["--all", "--tries", "1"]).run().stdout;
    assert_eq!(text.lines().count(), 7, "{text}");
    let text = probe(&env)
        .args(["--all", "--tries", "1", "-o", "instances.default.verdict"])
        .run()
        .stdout;
    assert_eq!(text, "healthy\n");
}

#[test]
fn an_instance_that_cannot_be_probed_is_unknown_and_the_others_are_seen() {
    let env = TestEnv::new();
    env.oc_config(&json!({"instances": {"odd": {"service": {"kind": "generic"}}}}));
    let _gateway = env.gateway().start();
    let report = probe(&env).args(["--all", "--json"]).run().expect_code(3).json();
    assert_eq!(report["instances"][0]["verdict"], "healthy", "{report}");
    assert_eq!(report["instances"][1]["verdict"], "unknown", "{report}");
    assert!(report["instances"][1]["error"].is_string(), "{report}");
}

#[test]
fn r6_a_probe_that_cannot_fork_is_not_a_failure_of_the_service() {
    let env = TestEnv::new();
    if !rustix::process::getuid().is_root() || !std::path::Path::new("/usr/bin/setpriv").exists() {
        return; // Only root can become somebody with a process limit.
    }
    env.oc_config(&json!({"probe": {"deep": [{"name": "deep", "command": ["true"]}]}}));
    let _gateway = env.gateway().start();
    for dir in [env.home().to_owned(), env.state_dir(), env.watchdog()] {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::fs::copy(oc_testkit::bin("oc-probe"), env.path("bin/oc-probe")).unwrap();
    let line = "exec setpriv --reuid 65534 --regid 65534 --clear-groups prlimit --nproc=0 oc-probe --json";
    let report = env.foreign("sh").args(["-c", line]).run().expect_code(0).json();
    let deep = check(&report, "deep");
    assert_eq!(
        deep["status"], "warn",
        "it was started after all, or held against the service: {report}"
    );
}

#[test]
fn invariant_6_a_secret_that_an_answer_quotes_does_not_reach_the_report() {
    let env = TestEnv::new();
    quick(&env);
    env.write(".openclaw/.env", "OPENCLAW_GATEWAY_TOKEN=hunter2-hunter2\n");
    let gateway = env.gateway().start();
    remember_serving(&env, gateway.pid());
    gateway.fault(|f| f.hostile = Some(Hostile::Body("{\"error\":\"bad token hunter2-hunter2\"}".into())));
    let report = probe(&env).args(["--json", "--tries", "1"]).run().expect_code(2).stdout;
    assert!(report.contains("bad token") && !report.contains("hunter2"), "{report}");
}

#[test]
fn help_shows_the_codes_and_examples() {
    let env = TestEnv::new();
    let help = probe(&env).arg("--help").run().expect_code(0).stdout;
    for word in ["Exit codes", "Examples", "--stable", "oc-probe --wait 2m"] {
        assert!(help.contains(word), "{help}");
    }
}
