//! Every view over a record as the other tools leave it, through the binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

use oc_core::clock::{Stamp, parse_rfc3339};
use oc_core::journal::{Event, Kind};
use oc_testkit::{Output, TestEnv, wait_for};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const NOW: &str = "2026-03-01T12:00:00.000Z";
const DAY: i64 = 86_400;

struct Record {
    env: TestEnv,
    lines: String,
}

impl Record {
    fn new() -> Self {
        let mut env = TestEnv::new();
        env.now(NOW);
        Self {
            env,
            lines: String::new(),
        }
    }

    fn stamp(ago: i64) -> Stamp {
        let wall_ms = parse_rfc3339(NOW).unwrap() - ago * 1000;
        let boot_ms = u64::try_from(wall_ms).unwrap();
        Stamp {
            wall_ms,
            boot_ms,
            awake_ms: boot_ms,
            boot: oc_core::clock::boot_id().to_owned(),
        }
    }

    fn event(&mut self, ago: i64, kind: Kind, incident: Option<&str>, text: &str, data: Value) {
        let mut event = Event::now(kind, "oc-escalate", "default", text).incident(incident);
        event.stamp = Self::stamp(ago);
        event.at = event.stamp.rfc3339();
        event.data = data.as_object().unwrap().clone();
        writeln!(self.lines, "{}", serde_json::to_string(&event).unwrap()).unwrap();
    }

    fn incident(&mut self, id: &str, ago: i64, lasted: i64, action: &str, class: &str) {
        self.event(ago + 3, Kind::Exited, None, "it died", json!({}));
        self.event(
            ago,
            Kind::IncidentOpened,
            Some(id),
            "<b>it</b> is \"gone\" & more",
            json!({"class": class}),
        );
        self.event(
            ago,
            Kind::Attempt,
            Some(id),
            "attempt 1",
            json!({"action": action, "method": "start", "class": class}),
        );
        self.event(
            ago - lasted,
            Kind::Outcome,
            None,
            "it serves again",
            json!({"outcome": "healthy"}),
        );
        let serving = Self::stamp(ago - lasted);
        let data = json!({"by_us": true, "took_ms": lasted * 1000, "serving_since": serving});
        self.event(ago - lasted, Kind::IncidentClosed, Some(id), "healed", data);
    }

    /// Three incidents of a month, and a day of samples that grow.
    fn usual() -> Self {
        let mut record = Self::new();
        record.event(30 * DAY, Kind::Ready, None, "it serves", json!({}));
        record.incident("20260210T120000-0001", 19 * DAY, 12, "restart", "process_gone");
        record.incident("20260225T120000-0002", 4 * DAY, 300, "doctor", "config_invalid");
        record.event(
            4 * DAY,
            Kind::Agent,
            Some("20260225T120000-0002"),
            "session",
            json!({"cost_usd": 0.08}),
        );
        record.incident("20260301T090000-0003", 3 * 3600, 20, "restart", "hung");
        record.event(DAY + 3600, Kind::Started, None, "started", json!({}));
        for n in 0..300u32 {
            let data = json!({"health": "healthy", "rss_bytes": (400u64 << 20) + u64::from(n) * (2 << 20), "latency_p50_ms": 3, "latency_p95_ms": 9,
                "disk_free_bytes": (40u64 << 30) - u64::from(n) * (80 << 20)});
            record.event(DAY + 3600 - i64::from(n) * 300, Kind::Sample, None, "", data);
        }
        record
    }

    fn write(&self) {
        self.env.write(".openclaw/watchdog/journal.jsonl", &self.lines);
    }

    fn report(&self, args: &[&str]) -> Output {
        self.write();
        self.env.cmd("oc-report").args(args).run()
    }
}

fn probe(class: Option<&str>) -> Value {
    json!({"schema": "oc.probe/1", "tool": "oc-probe", "version": "0.1.0", "instance": "default", "run": null, "at": NOW,
        "verdict": "healthy", "exit": 0, "target": "http://127.0.0.1:18789/healthz", "class": class, "summary": "it answers",
        "identity": {"pid": 4242, "started": 5, "boot": "b"}, "checks": [], "uptime_ms": 86_400_000, "rss_bytes": 500 << 20,
        "latency_ms": 4, "service": null, "holder": null, "config_hash": null, "stamp": Record::stamp(10)})
}

#[test]
fn nothing_on_record_is_said_plainly() {
    let record = Record::new();
    for args in [
        &["status"][..],
        &["timeline"],
        &["digest"],
        &["forecast"],
        &["metrics", "--output", "-"],
        &["html"],
    ] {
        let out = record.report(args).expect_code(0);
        assert!(!out.stdout.is_empty(), "{args:?}");
    }
    assert!(record.report(&["status"]).stdout.contains("no pass has measured yet"));
    let left: Vec<_> = std::fs::read_dir(record.env.watchdog())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["journal.jsonl"], "a view leaves nothing behind");
}

#[test]
fn status_is_one_screen_about_now() {
    let record = Record::usual();
    record
        .env
        .write(".openclaw/watchdog/run/probe.json", probe(Some("hung")).to_string());
    let incident = json!({"id": "20260301T115900-0004", "opened": Record::stamp(60), "class": "hung", "attempts": 2, "rung": "doctor"});
    let attempts = json!([{"at": Record::stamp(30), "action": "doctor", "outcome": "failed"}]);
    record.env.write(
        ".openclaw/watchdog/state.json",
        json!({"version": 1, "incident": incident, "attempts": attempts}).to_string(),
    );
    let maintenance = json!({"version": 1, "maintenance": {"since": Record::stamp(600), "for_s": 7200, "reason": "upgrade\u{1b}[31m"}});
    record
        .env
        .write(".openclaw/watchdog/intent.json", maintenance.to_string());
    let out = record.report(&["status"]).expect_code(0).stdout;
    for part in [
        "down (it answers), seen 10 s ago",
        "pid 4242, up 24 h 0 min, answers in 4 ms, uses 500 MiB",
        "20260301T115900-0004 (hung), open for 60 s, 2 attempts, rung doctor",
        "30 s ago: doctor, failed",
        "for another 110 min (upgrade)",
        "hung, restart, after 20 s",
        "grows by 24.0 MiB an hour",
    ] {
        assert!(out.contains(part), "{part} in:\n{out}");
    }
    assert!(out.lines().count() <= 24 && !out.contains('\u{1b}'));
    let json = record.report(&["--json", "status"]).expect_code(0).json();
    assert_eq!(
        (&json["schema"], &json["incident"]["rung"]),
        (&json!("oc.status/1"), &json!("doctor"))
    );
}

#[test]
fn the_timeline_tells_one_incident_or_the_last_ones() {
    let record = Record::usual();
    let out = record.report(&["timeline", "20260225"]).expect_code(0).stdout;
    assert!(
        out.starts_with("20260225T120000-0002  config_invalid, healed (doctor) after 5 min"),
        "{out}"
    );
    assert!(out.contains("+0.0 s") && out.contains("attempt 1"), "{out}");
    let json = record
        .report(&["--json", "timeline", "--last", "2"])
        .expect_code(0)
        .json();
    let ids: Vec<&str> = json["incidents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| i["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, ["20260225T120000-0002", "20260301T090000-0003"]);
    let out = record.report(&["timeline", "2019"]).expect_code(64);
    assert!(out.stderr.contains("no incident 2019"));
}

#[test]
fn the_digest_counts_what_the_record_says() {
    let record = Record::usual();
    let json = record
        .report(&["--json", "digest", "--since", "30d"])
        .expect_code(0)
        .json();
    assert_eq!(
        (&json["incidents"], &json["healed"], &json["open"]),
        (&json!(3), &json!(3), &json!(0))
    );
    assert_eq!(json["down_ms"], 332_000);
    let availability = json["availability"].as_f64().unwrap();
    assert!(
        (availability - (1.0 - 332.0 / (30.0 * 86_400.0))).abs() < 1e-9,
        "{availability}"
    );
    assert_eq!(json["mttd_ms"], 3000);
    assert_eq!(json["by_level"]["2"]["mean_ms"], 300_000);
    assert_eq!(json["agent_cost_usd"], 0.08);
    let day = record.report(&["--json", "digest"]).expect_code(0).json();
    assert_eq!((&day["incidents"], &day["down_ms"]), (&json!(1), &json!(20_000)));
    let text = record
        .report(&["digest", "--since", "7d", "--format", "markdown"])
        .expect_code(0)
        .stdout;
    assert!(
        text.contains("- **availability**: 99.94 %") && text.contains("hung 1x"),
        "{text}"
    );
}

#[test]
fn counters_go_on_where_they_were_and_survive_a_rotation_of_the_journal() {
    let mut record = Record::usual();
    record.report(&["metrics"]).expect_code(0);
    let read = |record: &Record, metric: &str| -> f64 {
        let text = std::fs::read_to_string(record.env.watchdog().join("metrics.prom")).unwrap();
        let line = text
            .lines()
            .find(|l| l.starts_with(metric))
            .unwrap_or_else(|| panic!("{metric} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert_eq!(
        read(&record, "oc_incidents_total{name=\"default\",class=\"hung\"}"),
        1.0
    );
    assert_eq!(
        read(&record, "oc_recoveries_total{name=\"default\",level=\"restart\"}"),
        2.0
    );
    assert_eq!(read(&record, "oc_detection_seconds_sum"), 9.0);
    assert_eq!(
        read(
            &record,
            "oc_recovery_seconds_bucket{name=\"default\",level=\"doctor\",le=\"300\"}"
        ),
        1.0
    );
    // Again, with nothing new.
    record.env.cmd("oc-report").arg("metrics").run().expect_code(0);
    assert_eq!(
        read(&record, "oc_recoveries_total{name=\"default\",level=\"restart\"}"),
        2.0
    );
    // An incident that opens before one call and closes before the next counts once, with its whole time.
    record.event(100, Kind::IncidentOpened, Some("x"), "x", json!({"class": "hung"}));
    append(&record, 1);
    record.env.cmd("oc-report").arg("metrics").run().expect_code(0);
    let serving = Record::stamp(40);
    record.event(
        40,
        Kind::IncidentClosed,
        Some("x"),
        "x",
        json!({"by_us": false, "took_ms": 60_000, "serving_since": serving}),
    );
    append(&record, 1);
    let journal = record.env.watchdog().join("journal.jsonl");
    std::fs::rename(&journal, record.env.watchdog().join("journal.jsonl.1")).unwrap();
    record.env.cmd("oc-report").arg("metrics").run().expect_code(0);
    assert_eq!(
        read(&record, "oc_incidents_total{name=\"default\",class=\"hung\"}"),
        2.0
    );
    assert_eq!(
        read(&record, "oc_recovery_seconds_sum{name=\"default\",level=\"none\"}"),
        60.0
    );
    // The oldest part of the record goes: the counters stay.
    std::fs::remove_file(record.env.watchdog().join("journal.jsonl.1")).unwrap();
    record.env.cmd("oc-report").arg("metrics").run().expect_code(0);
    assert_eq!(
        read(&record, "oc_incidents_total{name=\"default\",class=\"hung\"}"),
        2.0
    );
}

/// Adds the newest events to the file without touching what is there.
fn append(record: &Record, count: usize) {
    let lines: Vec<&str> = record.lines.lines().collect();
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(record.env.watchdog().join("journal.jsonl"))
        .unwrap();
    for line in &lines[lines.len() - count..] {
        writeln!(file, "{line}").unwrap();
    }
}

#[test]
fn metrics_and_page_are_served_on_loopback_only() {
    let record = Record::usual();
    record.write();
    record
        .env
        .cmd("oc-report")
        .args(["metrics", "--listen", "0.0.0.0:0"])
        .run()
        .expect_code(64);
    for (args, mark) in [
        (["metrics", "--listen", "127.0.0.1:0"], "oc_incidents_total"),
        (["html", "--listen", "127.0.0.1:0"], "<!DOCTYPE html>"),
    ] {
        let mut server = record.env.cmd("oc-report").args(args).spawn();
        let port: u16 = wait_for("the port", Duration::from_secs(10), || {
            server
                .stderr()
                .split("127.0.0.1:")
                .nth(1)?
                .split('/')
                .next()?
                .parse()
                .ok()
        });
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let page = ask("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert!(page.starts_with("HTTP/1.1 200") && page.contains(mark), "{page}");
        assert!(ask("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").starts_with("HTTP/1.1 403"));
        assert!(ask("GET /x HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404"));
        assert!(ask("POST / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405"));
        server.signal(oc_testkit::Signal::TERM);
        server.wait(Duration::from_secs(10));
    }
}

#[test]
fn the_page_is_complete_in_itself_and_foreign_text_stays_text() {
    let mut record = Record::usual();
    record.incident(
        "20260301T100000-0005\"><script>alert(1)</script>",
        7200,
        5,
        "agent",
        "hung",
    );
    record
        .env
        .write(".openclaw/watchdog/run/probe.json", probe(None).to_string());
    let page = record.report(&["html"]).expect_code(0).stdout;
    assert!(page.contains("&lt;b&gt;it&lt;/b&gt; is &quot;gone&quot; &amp; more"));
    for forbidden in [
        "<script", "<b>it", "http://", "https://", "url(", "<img", "<iframe", "onload=",
    ] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    for part in [
        "<html lang=\"en\">",
        "name=\"viewport\"",
        "prefers-color-scheme",
        "role=\"img\"",
        "Availability",
        "grows by 24.0 MiB",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let path = record.env.path("page.html");
    record
        .report(&["html", "--output", path.to_str().unwrap()])
        .expect_code(0);
    assert_eq!(std::fs::read_to_string(path).unwrap(), page);
}

#[test]
fn a_record_full_of_garbage_breaks_no_view() {
    let record = Record::usual();
    let mut lines = record.lines.clone();
    lines.push_str("\u{0}\n{\n[]\n{\"kind\":\"attempt\"}\n{\"kind\":\"incident_opened\",\"wall_ms\":\"x\"}\nnull\n");
    for name in [
        "state.json",
        "carry.json",
        "intent.json",
        "run/probe.json",
        "run/decision.json",
        "metrics.prom",
    ] {
        record.env.write(format!(".openclaw/watchdog/{name}"), "\u{0}{[");
    }
    record.env.write(".openclaw/watchdog/journal.jsonl", &lines);
    for args in [
        &["status"][..],
        &["timeline"],
        &["digest", "--since", "365d"],
        &["forecast"],
        &["metrics"],
        &["html"],
    ] {
        record.env.cmd("oc-report").args(args).run().expect_code(0);
    }
    let digest = record
        .env
        .cmd("oc-report")
        .args(["--json", "digest", "--since", "30d"])
        .run()
        .json();
    assert_eq!(digest["incidents"], 3);
    assert!(
        record.env.watchdog().join("intent.json").exists(),
        "a view puts nothing aside"
    );
}

#[test]
fn every_answer_fits_the_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../schemas/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for record in [Record::new(), Record::usual()] {
        for args in [
            ["--json", "status"],
            ["--json", "timeline"],
            ["--json", "digest"],
            ["--json", "forecast"],
        ] {
            let answer = record.report(&args).json();
            let errors: Vec<String> = validator.iter_errors(&answer).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}\n{answer}");
        }
    }
}

/// A rule or panel about a metric that does not exist is silent for ever.
#[test]
fn alert_rules_and_dashboard_ask_only_for_metrics_that_exist() {
    let record = Record::usual();
    record
        .env
        .write(".openclaw/watchdog/run/probe.json", probe(Some("hung")).to_string());
    record.env.write(
        ".openclaw/watchdog/carry.json",
        json!({"previous": Record::stamp(10)}).to_string(),
    );
    let metrics = record.report(&["metrics", "--output", "-"]).expect_code(0).stdout;
    let names: Vec<&str> = metrics
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split('{').next())
        .collect();
    let (rules, dashboard) = (
        include_str!("../../../deploy/prometheus/oc.rules.yml"),
        include_str!("../../../deploy/grafana/oc.json"),
    );
    let dashboard: Value = serde_json::from_str(dashboard).unwrap();
    let ids: Vec<i64> = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["id"].as_i64().unwrap())
        .collect();
    assert!(ids.windows(2).all(|w| w[0] < w[1]) && dashboard["schemaVersion"].as_i64() >= Some(36));
    let mut asked = 0;
    for text in [rules.to_owned(), dashboard.to_string()] {
        for word in text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .filter(|w| w.starts_with("oc_"))
        {
            assert!(names.contains(&word), "{word}");
            asked += 1;
        }
    }
    assert!(asked > 20);
}

#[test]
fn digest_forecast_and_page_are_korean_where_the_language_is() {
    let record = Record::usual();
    record.env.oc_config(&json!({"language": "ko"}));
    let digest = record.report(&["digest", "--since", "7d"]).expect_code(0).stdout;
    for word in ["가용성", "장애", "복구 시간", "평균"] {
        assert!(digest.contains(word), "{word}: {digest}");
    }
    assert!(!digest.contains("on average") && !digest.contains('{'), "{digest}");
    let forecast = record.report(&["forecast"]).expect_code(0).stdout;
    assert!(!forecast.is_ascii() && !forecast.contains('{'), "{forecast}");
    let page = record.report(&["html"]).expect_code(0).stdout;
    assert!(
        page.contains("<html lang=\"ko\">") && page.contains("최근 90일"),
        "{page}"
    );
}

#[test]
fn a_disk_that_fills_is_foreseen_and_one_that_is_tidied_is_not() {
    let record = Record::usual();
    let answer = record.report(&["--json", "forecast"]).expect_code(0).json();
    let disk = &answer["disk"];
    assert_eq!(disk["forecast"]["trend"], "rising", "{answer}");
    let reached = disk["forecast"]["reached_ms"].as_i64().unwrap() - parse_rfc3339(NOW).unwrap();
    // 40 GiB less what is gone, at 960 MiB an hour, but for the 100 MB that count as full.
    let hours = reached / 3_600_000;
    assert!((16..=19).contains(&hours), "{hours}");
    let said = record.report(&["forecast"]).expect_code(0).stdout;
    assert!(
        said.contains("disk: free space shrinks") && said.contains("full in about 1"),
        "{said}"
    );
    let page = record.report(&["html"]).expect_code(0).stdout;
    assert!(
        page.contains("<h2>Disk</h2>") && page.contains("full in about"),
        "{page}"
    );
    let metrics = record.report(&["metrics", "--output", "-"]).expect_code(0).stdout;
    let free = metrics
        .lines()
        .find_map(|l| l.strip_prefix("oc_disk_free_bytes{name=\"default\"} "));
    assert!(free.unwrap().parse::<f64>().unwrap() > 0.0, "{metrics}");

    let mut record = Record::new();
    for n in 0..600u32 {
        // Ten hours of writing, then the logs are rotated.
        let free = (40u64 << 30) - u64::from(n % 120) * (20 << 20);
        record.event(
            2 * DAY - i64::from(n) * 300,
            Kind::Sample,
            None,
            "",
            json!({"disk_free_bytes": free}),
        );
    }
    let answer = record.report(&["--json", "forecast"]).expect_code(0).json();
    assert_eq!(answer["disk"]["forecast"]["trend"], "none", "{answer}");
}

#[test]
fn status_and_timeline_are_korean_where_the_language_is() {
    let record = Record::usual();
    record.env.oc_config(&json!({"language": "ko"}));
    record
        .env
        .write(".openclaw/watchdog/run/probe.json", probe(None).to_string());
    let status = record.report(&["status"]).expect_code(0).stdout;
    for line in status.lines() {
        assert!(!line.is_ascii() && !line.contains('{'), "{line}");
    }
    let timeline = record.report(&["timeline"]).expect_code(0).stdout;
    assert!(
        timeline.contains("만에 복구됨 (닥터)") && timeline.contains("설정 파일이 손상됨"),
        "{timeline}"
    );
    let digest = record.report(&["digest", "--since", "30d"]).expect_code(0).stdout;
    assert!(digest.contains("연결은 되지만 응답이 없음 1x"), "{digest}");
    let page = record.report(&["html"]).expect_code(0).stdout;
    let labels = page
        .split("aria-label=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for label in labels {
        assert!(!label.is_ascii() && !label.contains('{'), "{label}");
    }
}

/// `make e2e`: the real promtool, where it is installed.
#[test]
#[ignore = "needs promtool (apt-get install prometheus)"]
fn promtool_finds_nothing_to_say() {
    let record = Record::usual();
    record
        .env
        .write(".openclaw/watchdog/run/probe.json", probe(Some("hung")).to_string());
    record.report(&["metrics"]).expect_code(0);
    let text = std::fs::read(record.env.watchdog().join("metrics.prom")).unwrap();
    let out = record
        .env
        .foreign("promtool")
        .args(["check", "metrics"])
        .stdin(text)
        .run()
        .expect_code(0);
    assert_eq!(format!("{}{}", out.stdout, out.stderr), "");
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/prometheus/oc.rules.yml");
    record
        .env
        .foreign("promtool")
        .args(["check", "rules", rules])
        .run()
        .expect_code(0);
}

/// A million events; the figures that docs quote. Never a timed test: it prints.
#[test]
#[ignore = "a measurement: cargo test --release -p oc-report -- --ignored --nocapture measure"]
fn measure_a_year_of_a_million_events() {
    let mut record = Record::new();
    for n in 0..1_000_000i64 {
        let ago = 365 * DAY - n * 365 * DAY / 1_000_000;
        if n % 500 == 0 {
            record.incident(&format!("i{n:08}"), ago, 20, "restart", "hung");
        } else {
            record.event(
                ago,
                Kind::Sample,
                None,
                "",
                json!({"health": "healthy", "rss_bytes": 400 << 20, "latency_p50_ms": 3, "latency_p95_ms": 9}),
            );
        }
    }
    let path = record.env.write(".openclaw/watchdog/journal.jsonl", &record.lines);
    let size = std::fs::metadata(path).unwrap().len() >> 20;
    for args in [
        &["status"][..],
        &["digest", "--since", "365d"],
        &["timeline"],
        &["metrics"],
        &["metrics"],
        &["html", "--output", "/dev/null"],
    ] {
        let begun = std::time::Instant::now();
        record.env.cmd("oc-report").args(args).run();
        oc_core::out::raw_talk(format_args!("{args:?} over {size} MiB: {:?}", begun.elapsed()));
    }
}
