//! `metrics`: Prometheus text. Counters must never sink, though the journal forgets its oldest part: they are carried on in
//! a comment of metrics.prom itself, together with the place in the journal up to which they count.

use crate::now::Now;
use crate::serve;
use oc_core::class::{Class, Health};
use oc_core::exit::Exit;
use oc_core::fault::{Fault, Result};
use oc_core::fsx;
use oc_core::journal::{Event, Kind, Position};
use oc_core::run::Answer;
use oc_core::story::{Story, Teller, fact, level};
use oc_core::world::World;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Begins the comment that carries the counters.
const CARRIED: &str = "# oc-report: ";
/// Upper bounds of the buckets, seconds.
const BUCKETS: [f64; 10] = [1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0];

/// See the module.
///
/// # Errors
/// 64, 69, 74, 77.
pub(crate) fn metrics(world: &World, listen: Option<String>, output: Option<PathBuf>) -> Result<Answer> {
    let done = |exit, text: String| Ok(Answer::new("oc.metrics/1", exit, "ok", &json!({}))?.text(text));
    let file = world.paths.metrics();
    if let Some(address) = listen {
        let address = if address.is_empty() {
            world.config.report.listen.clone()
        } else {
            address
        };
        let mut counted = Counted::load(&file);
        let exit = serve::serve(&address, "text/plain; version=0.0.4", || {
            counted.go_on(world)?;
            Ok(render(&counted, &Now::look(world), world.instance()))
        })?;
        return done(exit, String::new());
    }
    let mut counted = Counted::load(&file);
    counted.go_on(world)?;
    let mut text = render(&counted, &Now::look(world), world.instance());
    let to_stdout = output.as_deref() == Some(Path::new("-"));
    if to_stdout || world.common.dry_run {
        return done(Exit::Good, text);
    }
    text.push_str(CARRIED);
    text.push_str(&serde_json::to_string(&counted).map_err(Fault::internal)?);
    text.push('\n');
    fsx::replace(output.as_ref().unwrap_or(&file), text.as_bytes())?;
    done(Exit::Good, String::new())
}

/// A histogram; each value counts in every bucket that holds it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Histogram {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn observe(&mut self, seconds: f64) {
        for (bucket, bound) in self.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }
}

/// What was counted up to a place in the journal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Counted {
    position: Option<Position>,
    /// Incidents that are open there: their events, so that their story can be told on.
    open: Vec<Event>,
    incidents: BTreeMap<String, u64>,
    recoveries: BTreeMap<u8, u64>,
    attempts: BTreeMap<String, u64>,
    human: u64,
    exits: u64,
    guardian: u64,
    deliveries: BTreeMap<String, u64>,
    repairs: u64,
    cost_usd: f64,
    detection: Histogram,
    recovery: BTreeMap<u8, Histogram>,
}

impl Counted {
    /// What the last metrics.prom carries; nothing when it is not there or not ours.
    fn load(path: &Path) -> Self {
        let text = fsx::read_capped(path, 4 << 20).ok().flatten().unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let carried = text.lines().rev().find_map(|line| line.strip_prefix(CARRIED));
        carried
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    }

    fn go_on(&mut self, world: &World) -> Result<()> {
        let mut events = Vec::new();
        let wanted = |kind: Kind, _| !matches!(kind, Kind::Sample | Kind::Decision | Kind::Other | Kind::Intent);
        self.position = Some(
            world
                .journal
                .follow(self.position, wanted, |event| events.push(event))?,
        );
        let mut teller = Teller::default();
        self.open.iter().for_each(|event| teller.hear(event));
        let mut kept = std::mem::take(&mut self.open);
        for event in &events {
            self.count(event);
            teller.hear(event);
        }
        kept.extend(
            events
                .into_iter()
                .filter(|e| e.incident.is_some() || matches!(e.kind, Kind::Exited | Kind::Outcome)),
        );
        let stories = teller.stories();
        stories
            .iter()
            .filter(|s| s.closed.is_some())
            .for_each(|story| self.ended(story));
        let open: Vec<&str> = stories
            .iter()
            .filter(|s| s.closed.is_none())
            .map(|s| s.id.as_str())
            .collect();
        // The last end of the process may prove to be the fault of the next incident.
        let exit = kept.iter().rev().find(|e| e.kind == Kind::Exited).cloned();
        kept.retain(|e| e.incident.as_deref().is_some_and(|id| open.contains(&id)));
        kept.truncate(200);
        self.open = exit.into_iter().chain(kept).collect();
        Ok(())
    }

    fn count(&mut self, event: &Event) {
        match event.kind {
            Kind::IncidentOpened => {
                let class: Option<Class> = fact(event, "class");
                *self
                    .incidents
                    .entry(class.map_or("unknown", Class::name).to_owned())
                    .or_default() += 1;
            }
            Kind::Attempt => {
                let action: Option<String> = fact(event, "action");
                *self
                    .attempts
                    .entry(action.unwrap_or_else(|| "unknown".into()))
                    .or_default() += 1;
            }
            Kind::HumanNeeded => self.human += 1,
            Kind::Exited => self.exits += 1,
            Kind::Guardian => self.guardian += 1,
            Kind::Repair => self.repairs += 1,
            Kind::Agent => self.cost_usd += fact::<f64>(event, "cost_usd").unwrap_or(0.0).max(0.0),
            Kind::Notice => {
                let deliveries: Vec<serde_json::Value> = fact(event, "deliveries").unwrap_or_default();
                for one in deliveries {
                    let result = if one["ok"] == true { "delivered" } else { "failed" };
                    *self.deliveries.entry(result.into()).or_default() += 1;
                }
            }
            _ => {}
        }
    }

    fn ended(&mut self, story: &Story) {
        if story.stopped {
            return;
        }
        let seconds = story
            .closed
            .as_ref()
            .map_or(0.0, |closed| story.lasted(closed).as_secs_f64());
        *self.recoveries.entry(story.level()).or_default() += 1;
        self.recovery.entry(story.level()).or_default().observe(seconds);
        if let Some(detection) = story.detection() {
            self.detection.observe(detection.as_secs_f64());
        }
    }
}

/// The text format, family by family.
struct Page<'a> {
    text: String,
    name: &'a str,
}

impl Page<'_> {
    fn family(&mut self, metric: &str, kind: &str, help: &str) {
        self.text
            .push_str(&format!("# HELP {metric} {help}\n# TYPE {metric} {kind}\n"));
    }

    fn value(&mut self, metric: &str, labels: &[(&str, &str)], value: f64) {
        let mut list = format!("name=\"{}\"", label(self.name));
        for (key, text) in labels {
            // Writing into a String cannot fail.
            let _written = write!(list, ",{key}=\"{}\"", label(text));
        }
        self.text.push_str(&format!("{metric}{{{list}}} {value}\n"));
    }

    fn one(&mut self, metric: &str, kind: &str, help: &str, value: Option<f64>) {
        if let Some(value) = value {
            self.family(metric, kind, help);
            self.value(metric, &[], value);
        }
    }

    fn histogram(&mut self, metric: &str, labels: &[(&str, &str)], h: &Histogram) {
        let bucket = format!("{metric}_bucket");
        for (count, bound) in h.buckets.iter().zip(BUCKETS) {
            let bound = bound.to_string();
            self.value(&bucket, &[labels, &[("le", &bound)]].concat(), *count as f64);
        }
        self.value(&bucket, &[labels, &[("le", "+Inf")]].concat(), h.count as f64);
        self.value(&format!("{metric}_sum"), labels, h.sum);
        self.value(&format!("{metric}_count"), labels, h.count as f64);
    }
}

fn label(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn render(counted: &Counted, now: &Now, name: &str) -> String {
    let mut page = Page {
        text: String::new(),
        name,
    };
    present(&mut page, now);
    totals(&mut page, counted);
    page.text
}

fn present(page: &mut Page<'_>, now: &Now) {
    let report = now.report.as_ref();
    let yes = |b: bool| f64::from(u8::from(b));
    let seconds = |ms: u64| ms as f64 / 1000.0;
    page.family("oc_build_info", "gauge", "Version of the suite.");
    page.value("oc_build_info", &[("version", oc_core::run::VERSION)], 1.0);
    let serving = |h: Health| matches!(h, Health::Healthy | Health::Degraded);
    page.one(
        "oc_service_up",
        "gauge",
        "1 when the service serves, as of the last pass.",
        report
            .map(|r| r.health())
            .filter(|h| *h != Health::Unknown)
            .map(|h| yes(serving(h))),
    );
    page.one(
        "oc_service_healthy",
        "gauge",
        "1 when nothing at all is wrong, as of the last pass.",
        report.map(|r| yes(r.health() == Health::Healthy)),
    );
    if let Some(class) = report.and_then(|r| r.class) {
        page.family(
            "oc_service_condition",
            "gauge",
            "1 for the class of failure that the last pass saw.",
        );
        page.value("oc_service_condition", &[("class", class.name())], 1.0);
    }
    page.one(
        "oc_service_memory_bytes",
        "gauge",
        "Memory of the service's process tree.",
        report.and_then(|r| r.rss_bytes).map(|b| b as f64),
    );
    page.one(
        "oc_service_response_seconds",
        "gauge",
        "Time of the last liveness answer.",
        report.and_then(|r| r.latency_ms).map(seconds),
    );
    page.one(
        "oc_service_uptime_seconds",
        "gauge",
        "How long the service has been up.",
        report.and_then(|r| r.uptime_ms).map(seconds),
    );
    let incident = now.history.incident.as_ref();
    page.one(
        "oc_incident_open",
        "gauge",
        "1 while an incident is open.",
        Some(yes(incident.is_some())),
    );
    page.one(
        "oc_incident_opened_timestamp_seconds",
        "gauge",
        "When the open incident was first seen.",
        incident.map(|i| i.opened.wall_ms as f64 / 1000.0),
    );
    page.one(
        "oc_human_needed",
        "gauge",
        "1 when the ladder is at its end.",
        Some(yes(now.human_needed())),
    );
    page.one(
        "oc_stopped_on_purpose",
        "gauge",
        "1 while a person keeps the service stopped.",
        Some(yes(now.intent.stopped.is_some())),
    );
    page.one(
        "oc_maintenance",
        "gauge",
        "1 during maintenance.",
        Some(yes(now.intent.maintenance_now(&now.at).is_some())),
    );
    page.one(
        "oc_last_pass_timestamp_seconds",
        "gauge",
        "When the last pass measured.",
        now.last_pass.as_ref().map(|p| p.wall_ms as f64 / 1000.0),
    );
    page.one(
        "oc_disk_free_bytes",
        "gauge",
        "Free space on the file system of the state directory.",
        now.disk_free.map(|b| b as f64),
    );
    page.one(
        "oc_outbox_messages",
        "gauge",
        "Notifications that wait for delivery.",
        Some(now.outbox as f64),
    );
}

fn totals(page: &mut Page<'_>, counted: &Counted) {
    let one =
        |page: &mut Page<'_>, metric: &str, help: &str, value: f64| page.one(metric, "counter", help, Some(value));
    page.family("oc_incidents_total", "counter", "Incidents by what was seen first.");
    for class in Class::ALL.iter().map(|c| c.name()).chain(["unknown"]) {
        if let Some(n) = counted.incidents.get(class) {
            page.value("oc_incidents_total", &[("class", class)], *n as f64);
        }
    }
    page.family(
        "oc_recoveries_total",
        "counter",
        "Incidents that are over, by the level that ended them.",
    );
    for (level, word) in LEVELS {
        page.value(
            "oc_recoveries_total",
            &[("level", word)],
            counted.recoveries.get(&level).copied().unwrap_or(0) as f64,
        );
    }
    page.family("oc_attempts_total", "counter", "What was tried.");
    for action in ["restart", "doctor", "agent"] {
        page.value(
            "oc_attempts_total",
            &[("action", action)],
            counted.attempts.get(action).copied().unwrap_or(0) as f64,
        );
    }
    one(
        page,
        "oc_human_needed_total",
        "Times that a person was called.",
        counted.human as f64,
    );
    one(
        page,
        "oc_service_exits_total",
        "Ends of the service's process.",
        counted.exits as f64,
    );
    one(
        page,
        "oc_guardian_actions_total",
        "What the guardian put back.",
        counted.guardian as f64,
    );
    one(
        page,
        "oc_repairs_total",
        "Changes of configuration and surroundings.",
        counted.repairs as f64,
    );
    one(
        page,
        "oc_agent_cost_dollars_total",
        "Cost of AI sessions in US dollars.",
        counted.cost_usd,
    );
    page.family("oc_deliveries_total", "counter", "Notifications by result.");
    for result in ["delivered", "failed"] {
        page.value(
            "oc_deliveries_total",
            &[("result", result)],
            counted.deliveries.get(result).copied().unwrap_or(0) as f64,
        );
    }
    page.family(
        "oc_detection_seconds",
        "histogram",
        "From the fault to its first sight.",
    );
    page.histogram("oc_detection_seconds", &[], &counted.detection);
    page.family(
        "oc_recovery_seconds",
        "histogram",
        "From the first sight to serving again.",
    );
    for (level, word) in LEVELS {
        let empty = Histogram::default();
        page.histogram(
            "oc_recovery_seconds",
            &[("level", word)],
            counted.recovery.get(&level).unwrap_or(&empty),
        );
    }
}

const LEVELS: [(u8, &str); 5] = [
    (0, "none"),
    (level(oc_core::report::Action::Restart), "restart"),
    (level(oc_core::report::Action::Doctor), "doctor"),
    (level(oc_core::report::Action::Agent), "agent"),
    (level(oc_core::report::Action::Human), "human"),
];
