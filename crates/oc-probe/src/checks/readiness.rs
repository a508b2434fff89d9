//! Is it ready for work, and if not: is it still starting, already ending, or missing something?

use super::{ask, check};
use crate::expect::excerpt;
use oc_core::clock::Deadline;
use oc_core::config::Probe;
use oc_core::http::{Limits, Response, Target};
use oc_core::report::{Check, CheckStatus};
use serde::Deserialize;
use serde_json::Value;

/// Where the service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Ready for work.
    Ready,
    /// Started, not ready.
    NotReady,
    /// Still starting.
    Starting,
    /// Told to stop, finishes its work.
    Draining,
    /// It did not say in words that we know.
    Unclear,
}

/// What it says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Where it is in its life.
    pub stage: Stage,
    /// What it waits for.
    pub failing: Vec<String>,
    /// Channels that its own crash-loop breaker keeps down.
    pub suppressed: Vec<String>,
    /// Its event loop is behind.
    pub event_loop_late: bool,
    /// How long it has been serving.
    pub uptime_ms: Option<u64>,
    /// Its version.
    pub version: Option<String>,
    /// What it said, or why not.
    pub said: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Body {
    ready: Option<bool>,
    status: Option<String>,
    failing: Value,
    suppressed: Value,
    event_loop: Value,
    uptime_ms: Option<f64>,
    version: Option<String>,
}

impl Readiness {
    fn unclear(said: String) -> Self {
        Self {
            stage: Stage::Unclear,
            failing: Vec::new(),
            suppressed: Vec::new(),
            event_loop_late: false,
            uptime_ms: None,
            version: None,
            said,
        }
    }

    fn read(response: &Response) -> Self {
        let said = format!("{} {}", response.status, excerpt(&response.body));
        let Ok(body) = serde_json::from_slice::<Body>(&response.body) else {
            return Self::unclear(said.trim().to_owned());
        };
        let failing = words(&body.failing);
        let stage = match (body.ready, body.status.as_deref()) {
            _ if failing.iter().any(|f| f == "gateway-draining") => Stage::Draining,
            (_, Some("draining")) => Stage::Draining,
            (_, Some("starting")) => Stage::Starting,
            (Some(true), _) if response.status < 400 => Stage::Ready,
            (Some(_), _) => Stage::NotReady,
            (None, Some("started")) if response.status < 400 => Stage::NotReady,
            _ => Stage::Unclear,
        };
        Self {
            stage,
            failing,
            suppressed: words(&body.suppressed),
            event_loop_late: body.event_loop.get("degraded") == Some(&Value::Bool(true)),
            uptime_ms: body
                .uptime_ms
                .filter(|ms| ms.is_finite() && *ms >= 0.0)
                .map(|ms| ms as u64),
            version: body.version,
            said: said.trim().to_owned(),
        }
    }

    /// The line of the report.
    #[must_use]
    pub fn check(&self, probe: &Probe) -> Check {
        let status = match self.stage {
            Stage::Ready if self.suppressed.is_empty() && !self.event_loop_late => CheckStatus::Ok,
            Stage::Ready | Stage::Unclear => CheckStatus::Warn,
            Stage::NotReady | Stage::Starting | Stage::Draining => CheckStatus::Fail,
        };
        let actual = match self.stage {
            Stage::Ready if !self.suppressed.is_empty() => {
                format!(
                    "ready, but its crash-loop breaker keeps down: {}",
                    self.suppressed.join(", ")
                )
            }
            Stage::Ready if self.event_loop_late => "ready, but its event loop is behind".to_owned(),
            Stage::Ready => "ready".to_owned(),
            Stage::NotReady if self.failing.is_empty() => format!("not ready: {}", self.said),
            Stage::NotReady => format!("not ready: {}", self.failing.join(", ")),
            Stage::Starting => "starting".to_owned(),
            Stage::Draining => "draining: it finishes its work, then ends".to_owned(),
            Stage::Unclear => self.said.clone(),
        };
        check("readiness", status, format!("{} ready", path(probe)), actual)
    }
}

fn path(probe: &Probe) -> &str {
    probe.readiness_path.as_deref().unwrap_or("/")
}

fn words(value: &Value) -> Vec<String> {
    let clean = |text: &str| excerpt(text.as_bytes());
    match value.as_array() {
        Some(list) => list
            .iter()
            .map(|item| item.as_str().map_or_else(|| clean(&item.to_string()), clean))
            .take(20)
            .collect(),
        None => Vec::new(),
    }
}

/// Asks whether it is ready, and if it is not, whether it has started at all. `None` when it has no such paths.
#[must_use]
pub fn look(target: &Target, probe: &Probe, deadline: &Deadline) -> Option<Readiness> {
    let path = probe.readiness_path.as_deref()?;
    let ready = get(target, probe, path, deadline);
    if ready.stage == Stage::Ready {
        return Some(ready);
    }
    match stage(target, probe, deadline) {
        Some(startup) if matches!(startup.stage, Stage::Starting | Stage::Draining) => Some(Readiness {
            stage: startup.stage,
            uptime_ms: ready.uptime_ms.or(startup.uptime_ms),
            version: startup.version,
            ..ready
        }),
        Some(startup) => Some(Readiness {
            uptime_ms: ready.uptime_ms.or(startup.uptime_ms),
            version: startup.version,
            ..ready
        }),
        None => Some(ready),
    }
}

/// Asks only whether the start is over. `None` when it has no such path.
#[must_use]
pub fn stage(target: &Target, probe: &Probe, deadline: &Deadline) -> Option<Readiness> {
    Some(get(target, probe, probe.startup_path.as_deref()?, deadline))
}

fn get(target: &Target, probe: &Probe, path: &str, deadline: &Deadline) -> Readiness {
    let limits = Limits {
        total: deadline.left(),
        body_cap: usize::try_from(probe.body_cap.get()).unwrap_or(usize::MAX),
    };
    match ask(target, path, limits) {
        Ok(response) => Readiness::read(&response),
        Err(failure) => Readiness::unclear(failure.what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn read(status: u16, body: &str) -> Readiness {
        Readiness::read(&Response {
            status,
            content_type: String::new(),
            body: body.as_bytes().to_vec(),
            body_cut: false,
            took: Duration::ZERO,
        })
    }

    #[test]
    fn what_the_gateway_says_at_each_stage() {
        let table = [
            (200, r#"{"ready":true,"failing":[],"uptimeMs":12.5}"#, Stage::Ready),
            (
                200,
                r#"{"ready":true,"failing":[],"suppressed":["telegram"]}"#,
                Stage::Ready,
            ),
            (
                503,
                r#"{"ready":false,"failing":["startup-sidecars"]}"#,
                Stage::NotReady,
            ),
            (
                503,
                r#"{"ready":false,"failing":["gateway-draining"]}"#,
                Stage::Draining,
            ),
            (
                503,
                r#"{"ok":false,"status":"starting","uptimeMs":350}"#,
                Stage::Starting,
            ),
            (503, r#"{"ok":false,"status":"draining"}"#, Stage::Draining),
            (200, r#"{"ok":true,"status":"started"}"#, Stage::NotReady),
            (503, r#"{"ready":true}"#, Stage::NotReady),
            (200, "<!doctype html>", Stage::Unclear),
            (200, "{}", Stage::Unclear),
        ];
        for (status, body, stage) in table {
            assert_eq!(read(status, body).stage, stage, "{status} {body}");
        }
        assert_eq!(
            read(200, r#"{"ready":true,"suppressed":["telegram"]}"#).suppressed,
            ["telegram"]
        );
        assert_eq!(read(200, r#"{"ready":true,"uptimeMs":12.5}"#).uptime_ms, Some(12));
        assert_eq!(read(200, r#"{"ready":true,"uptimeMs":-1}"#).uptime_ms, None);
    }

    proptest! {
        #[test]
        fn no_body_panics(status: u16, body in ".{0,200}") {
            let _seen = read(status, &body);
        }
    }
}
